import { callerOf } from '@gantry/http'
import { ImageDriver } from '@gantry/model'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { operation } from '../operation.ts'
import { bounded, isYes, Lost, text, whole } from '../query.ts'
import { accepted } from '../shown.ts'

const tag = 'containers'
const exact = { additionalProperties: false }
const defaultGrace = 10
const GraceQuery = Type.Object(
  { graceSeconds: whole(`Seconds between the request to end and the end (0 to 86400); ${defaultGrace} if left out.`) },
  exact,
)
const KillQuery = Type.Object({ signal: text('Its name or number; SIGKILL if left out.', 32) }, exact)
const RebuildQuery = Type.Object(
  { image: text('Another image; the same one if left out.', 512), imageDriver: Type.Optional(ImageDriver) },
  exact,
)

const MoveQuery = Type.Object({ to: text('A host, by name or id; any other that fits if left out.'), ...Lost }, exact)

/** What can be asked of a container that exists: start, stop and the like. Each answers before it is carried out. */
export function verbRoutes(app: App, { control }: NativeContext): void {
  const { containers } = control
  for (const verb of ['start', 'pause', 'unpause'] as const) {
    const schema = verbDoc(`${verb}Container`, `${verb[0]?.toUpperCase()}${verb.slice(1)} a container`, Nothing)
    app.post(`/containers/:ref/${verb}`, { schema }, async (request, reply) => {
      return accepted(control, request, reply, await containers[verb](callerOf(request), request.params.ref))
    })
  }
  app.post('/containers/:ref/stop', { schema: stopDoc }, async (request, reply) => {
    const graceSeconds = graceOf(request.query.graceSeconds)
    return accepted(
      control,
      request,
      reply,
      await containers.stop(callerOf(request), request.params.ref, { graceSeconds }),
    )
  })
  app.post('/containers/:ref/restart', { schema: restartDoc }, async (request, reply) => {
    const graceSeconds = graceOf(request.query.graceSeconds)
    return accepted(
      control,
      request,
      reply,
      await containers.reboot(callerOf(request), request.params.ref, { graceSeconds }),
    )
  })
  app.post('/containers/:ref/kill', { schema: killDoc }, async (request, reply) => {
    const signal = request.query.signal ?? 'SIGKILL'
    return accepted(control, request, reply, await containers.kill(callerOf(request), request.params.ref, signal))
  })
  app.post('/containers/:ref/rebuild', { schema: rebuildDoc }, async (request, reply) => {
    return accepted(
      control,
      request,
      reply,
      await containers.rebuild(callerOf(request), request.params.ref, request.query),
    )
  })
  app.post('/containers/:ref/move', { schema: moveDoc }, async (request, reply) => {
    const { to, lost } = request.query
    const options = { ...(to !== undefined && { to }), lost: isYes(lost) }
    return accepted(control, request, reply, await containers.move(callerOf(request), request.params.ref, options))
  })
}

function graceOf(asked: string | undefined): number {
  return bounded('graceSeconds', asked, defaultGrace, [0, 86_400])
}

const Nothing = Type.Object({}, exact)

function verbDoc<Q extends typeof Nothing>(operationId: string, summary: string, querystring: Q) {
  const answer = { status: 202, description: 'Accepted; the container as it is now.', content: 'Container' } as const
  return operation({ operationId, summary, tag, params: Ref, querystring, answer })
}

const stopDoc = verbDoc('stopContainer', 'Stop a container', GraceQuery)
const restartDoc = verbDoc('restartContainer', 'Stop a container if it runs, and start it', GraceQuery)
const killDoc = verbDoc('killContainer', 'Send a signal to a container', KillQuery)
const rebuildDoc = verbDoc('rebuildContainer', 'Make a container anew, from the same or another image', RebuildQuery)
const moveDoc = verbDoc(
  'moveContainer',
  'Make a container anew on another host, with its volumes and addresses; administrators only',
  MoveQuery,
)
