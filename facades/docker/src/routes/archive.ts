import { Readable } from 'node:stream'
import { sendStream, streamSignal } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { isTrue } from '../filters.ts'

interface Asked {
  readonly Params: { readonly id: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

/** `docker cp`: a path of a container as a tar, and a tar into a directory of it. */
export function archiveRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { containers, engine } = docker.control
  app.head<Asked>('/containers/:id/archive', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const path = pathOf(request.query)
    const stat = await engine.archiveStat(caller, container.id, path).catch(asNamed(request.params.id))
    return reply.header(statHeader, encoded(stat)).send()
  })
  app.get<Asked>(
    '/containers/:id/archive',
    { exposeHeadRoute: false, config: { streaming: true } },
    async (request, reply) => {
      const caller = docker.callerOf(request)
      const container = await docker.find(caller, request.params.id)
      const path = pathOf(request.query)
      const { stat, tar } = await containers
        .getArchive(caller, container.id, path, streamSignal(reply))
        .catch(asNamed(request.params.id))
      await sendStream(reply, tar, { 'content-type': 'application/x-tar', [statHeader]: encoded(stat) })
      return reply
    },
  )
  app.put<Asked>('/containers/:id/archive', { config: { streaming: true } }, async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const { body, query } = request
    const tar = body instanceof Readable ? body : Readable.from([])
    const options = {
      noOverwriteDirNonDir: isTrue(query['noOverwriteDirNonDir']),
      copyUidGid: isTrue(query['copyUIDGID']),
    }
    await containers
      .putArchive(caller, container.id, pathOf(query), tar, streamSignal(reply), options)
      .catch(asNamed(request.params.id))
    return reply.code(200).send()
  })
}

const statHeader = 'x-docker-container-path-stat'

function encoded(stat: object): string {
  return Buffer.from(JSON.stringify(stat)).toString('base64')
}

/** A path that is missing is told of the container as the client called it, not of our id. */
function asNamed(ref: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Fault) || error.code !== 'container.path-not-found') throw error
    throw new Fault('container.path-not-found', { ...error.details, ref }, { cause: error })
  }
}

function pathOf(query: Readonly<Record<string, string | undefined>>): string {
  const path = query['path'] ?? ''
  if (path === '') throw new Refusal(400, 'Bad parameter: path cannot be empty')
  return path
}
