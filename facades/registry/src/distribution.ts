import type { Readable } from 'node:stream'
import type { Repository } from '@gantry/control'
import { assertNever, Fault } from '@gantry/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { deleteBlob, sendBlob } from './blobs.ts'
import { sendErrors } from './errors.ts'
import { deleteManifest, putManifest, sendManifest } from './manifests.ts'
import { sendReferrers } from './referrers.ts'
import { sendTags } from './tags.ts'
import { appendToUpload, beginUpload, cancelUpload, finishUpload, tellUpload } from './uploads.ts'
import { actionOf, methodsOf, parsePath, type RegistryPath } from './paths.ts'
import { type UploadWriters, uploadWriters } from './upload-writers.ts'
import { noteVisitor, visitorOf, type Welcome } from './visitor.ts'

/** One request for something of a repository. */
export interface Visit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly repository: Repository
  /** As the client wrote it. */
  readonly name: string
  /** `/v2/<name>`. */
  readonly base: string
  readonly writers: UploadWriters
}

/**
 * The OCI distribution spec 1.1, for whomever `welcome` lets in. Everything below a repository is one route, because names of
 * repositories hold slashes. Register it at `/v2`.
 */
export function distributionRoutes(app: FastifyInstance, welcome: Welcome): void {
  const writers = uploadWriters()
  takeBodiesAsTheyCome(app)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('docker-distribution-api-version', 'registry/2.0')
    if (!isOpen(request)) noteVisitor(request, await welcome(request, reply))
  })
  app.setNotFoundHandler((request) => {
    throw new Fault('request.no-route', { method: request.method, path: pathOf(request) })
  })
  app.get('/', async (_request, reply) => reply.type('application/json').send('{}'))
  app.all<{ Params: { '*': string } }>('/*', { config: { streaming: true } }, async (request, reply) => {
    const path = parsePath(request.params['*'])
    if (!path) throw new Fault('request.no-route', { method: request.method, path: pathOf(request) })
    const action = actionOf(path.kind, request.method)
    if (action === null) {
      reply.header('allow', methodsOf(path.kind))
      return sendErrors(reply, 405, 'UNSUPPORTED', `${request.method} is not for this address.`)
    }
    const repository = visitorOf(request).repository(path.name, action)
    return answer(path, { request, reply, repository, name: path.name, base: `/v2/${path.name}`, writers })
  })
}

function answer(path: RegistryPath, visit: Visit): Promise<FastifyReply> {
  const { method } = visit.request
  switch (path.kind) {
    case 'tags':
      return sendTags(visit)
    case 'manifest':
      if (method === 'PUT') return putManifest(visit, path.reference)
      return method === 'DELETE' ? deleteManifest(visit, path.reference) : sendManifest(visit, path.reference)
    case 'blob':
      return method === 'DELETE' ? deleteBlob(visit, path.digest) : sendBlob(visit, path.digest)
    case 'uploads':
      return beginUpload(visit)
    case 'upload':
      if (method === 'PATCH') return appendToUpload(visit, path.id)
      if (method === 'PUT') return finishUpload(visit, path.id)
      return method === 'DELETE' ? cancelUpload(visit, path.id) : tellUpload(visit, path.id)
    case 'referrers':
      return sendReferrers(visit, path.digest)
    default:
      return assertNever(path, 'a path of the registry')
  }
}

/** Whatever its type, a body is content: no parser looks at it, and nothing gathers it. */
function takeBodiesAsTheyCome(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload: Readable, done) => {
    // A client that breaks off may do so when whoever read the body has let go of it: nobody else would hear the error.
    payload.on('error', () => undefined)
    done(null, payload)
  })
}

/** Where one logs in. */
function isOpen({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.open === true
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? ''
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked by those who have not logged in. */
    open?: boolean
  }
}
