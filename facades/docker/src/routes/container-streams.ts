import { sendStream, streamSignal } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import { attachStream, streamType } from '../attach.ts'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { isTrue } from '../filters.ts'
import { takenOver } from '../hijack.ts'
import { dockerId } from '../ids.ts'
import { rewrittenStats } from '../stats.ts'
import { momentOf } from '../moments.ts'
import { isAlive } from './container-verbs.ts'

interface Asked {
  readonly Params: { readonly id: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

const flowing = { config: { streaming: true } } as const

/** Logs, stats, attach, resize, top, changes, export. */
export function containerStreamRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { control } = docker
  app.get<Asked>('/containers/:id/logs', flowing, async (request, reply) => {
    const caller = docker.callerOf(request)
    const { query } = request
    const [stdout, stderr] = [isTrue(query['stdout']), isTrue(query['stderr'])]
    if (!stdout && !stderr) throw new Refusal(400, 'Bad parameters: you must choose at least one stream')
    const container = await docker.find(caller, request.params.id)
    const now = docker.clock.now()
    const options = {
      stdout,
      stderr,
      timestamps: isTrue(query['timestamps']),
      follow: isTrue(query['follow']),
      details: isTrue(query['details']),
      tail: tailOf(query['tail']),
      since: momentOf(query['since'], now),
      until: momentOf(query['until'], now),
    }
    const signal = streamSignal(reply)
    const { framed, output } = await control.containers.logs(caller, container.id, options, signal)
    await sendStream(reply, output, { 'content-type': streamType(!framed, docker.versionOf(request)) })
    return reply
  })
  app.get<Asked>('/containers/:id/stats', flowing, async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const stream = isTrue(request.query['stream'] ?? '1')
    const oneShot = !stream && isTrue(request.query['one-shot'])
    const raw = await control.engine.stats(caller, container.id, { stream, oneShot }, streamSignal(reply))
    const output = rewrittenStats(raw, container)
    await sendStream(reply, output, { 'content-type': 'application/json' })
    return reply
  })
  app.post<Asked>('/containers/:id/attach', flowing, async (request, reply) => {
    const identity = docker.identityOf(request)
    const { id: ref } = request.params
    // Refusals are answers like any other as long as nothing has been taken over.
    await docker.find(identity.caller, ref)
    const connection = takenOver(request, reply)
    try {
      const minor = docker.versionOf(request)
      await attachStream({ docker, identity, connection, minor, ref, query: request.query })
    } catch (error) {
      connection.refuse(error)
    }
    return reply
  })
  app.get<Asked>('/containers/:id/attach/ws', async () => {
    throw new Refusal(501, 'attaching by websocket is not offered; use POST attach, or the console of the dashboard')
  })
  app.post<Asked>('/containers/:id/resize', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const size = sizeOf(request.query)
    if (!isAlive(container)) throw new Refusal(409, `Container ${dockerId(container.id)} is not running`)
    if (size) await control.containers.resizeTty(caller, container.id, size)
    return reply.code(200).send()
  })
  app.get<Asked>('/containers/:id/top', async (request) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    if (!isAlive(container)) throw new Refusal(409, `Container ${dockerId(container.id)} is not running`)
    const asked = request.query['ps_args'] ?? null
    const { titles, processes } = await control.containers.top(caller, container.id, asked).catch((error: unknown) => {
      // What `ps` cannot be run with is the asker's mistake.
      const refused = asked !== null && error instanceof Fault && error.code === 'engine.failed'
      throw refused ? new Refusal(400, `Error running ps: ${error.details['reason']}`) : error
    })
    return { Titles: titles, Processes: processes }
  })
  app.get<Asked>('/containers/:id/changes', async (request) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const changes = await control.engine.changes(caller, container.id)
    return changes.length === 0 ? null : changes
  })
  app.get<Asked>('/containers/:id/export', flowing, async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const output = await control.engine.export(caller, container.id, streamSignal(reply))
    await sendStream(reply, output, { 'content-type': 'application/octet-stream' })
    return reply
  })
}

/** null: all. */
function tailOf(text: string | undefined): number | null {
  if (text === undefined || text === '' || text === 'all' || Number(text) < 0) return null
  return /^\d{1,9}$/.test(text) ? Number(text) : null
}

/** null: no size, which clients send before they know one. Throws `request.invalid`. */
export function sizeOf(query: Readonly<Record<string, string | undefined>>): { rows: number; columns: number } | null {
  const [rows, columns] = [Number(query['h'] ?? Number.NaN), Number(query['w'] ?? Number.NaN)]
  if (
    !Number.isInteger(rows) ||
    !Number.isInteger(columns) ||
    rows < 0 ||
    columns < 0 ||
    rows > 65_535 ||
    columns > 65_535
  ) {
    throw new Fault('request.invalid', { problem: 'h and w must be whole numbers.' })
  }
  return rows === 0 || columns === 0 ? null : { rows, columns }
}
