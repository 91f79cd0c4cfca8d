import type { FastifyReply } from 'fastify'
import { clientSignal, sendBody } from './bodies.ts'
import type { Visit } from './distribution.ts'
import { sendErrors } from './errors.ts'
import { etagOf, isUnchanged } from './etags.ts'
import { parseRange } from './ranges.ts'

/** GET and HEAD: the whole, or one range of it. */
export async function sendBlob({ request, reply, repository }: Visit, digest: string): Promise<FastifyReply> {
  const { range: asked, 'if-range': ifRange } = request.headers
  const etag = etagOf(digest)
  const { size } = await repository.blob(digest)
  reply.headers({ 'docker-content-digest': digest, 'accept-ranges': 'bytes', etag })
  // It never changes, but who may see it does.
  reply.header('cache-control', 'private, max-age=0')
  if (isUnchanged(request, etag)) return reply.code(304).send()
  const range = ifRange === undefined || ifRange === etag ? parseRange(asked, size) : null
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`)
    return sendErrors(reply, 416, 'RANGE_INVALID', `The blob has ${size} bytes, and no such range of them.`)
  }
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': range ? range.end - range.start + 1 : size,
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
  }
  const status = range ? 206 : 200
  if (request.method === 'HEAD') return reply.code(status).headers(headers).send()
  const { body } = await repository.openBlob(digest, range, clientSignal(reply))
  return sendBody(reply, status, headers, body)
}

export async function deleteBlob({ reply, repository }: Visit, digest: string): Promise<FastifyReply> {
  await repository.deleteBlob(digest)
  return reply.code(202).header('docker-content-digest', digest).send()
}
