import type { ByteRange } from '@gantry/control'
import type { FastifyReply } from 'fastify'
import { sendBody } from './bodies.ts'
import { streamSignal } from '@gantry/http'
import type { Visit } from './distribution.ts'
import { sendErrors } from './errors.ts'
import { etagOf, isUnchanged } from './etags.ts'
import { parseRange } from './ranges.ts'

/** GET and HEAD: the whole, or one range of it. */
export async function sendBlob({ request, reply, repository }: Visit, digest: string): Promise<FastifyReply> {
  const { range: asked, 'if-range': ifRange, 'if-none-match': known } = request.headers
  const etag = etagOf(digest)
  // It never changes, but who may see it does.
  const usual = {
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag,
    'cache-control': 'private, max-age=0',
  }
  const open = (range: ByteRange | null) => repository.openBlob(digest, range, streamSignal(reply))
  if (request.method === 'GET' && asked === undefined && known === undefined) {
    const { size, body } = await open(null)
    return sendBody(reply, 200, { ...usual, ...lengthHeaders(size) }, body)
  }
  const { size } = await repository.blob(digest)
  reply.headers(usual)
  if (isUnchanged(request, etag)) return reply.code(304).send()
  const range = ifRange === undefined || ifRange === etag ? parseRange(asked, size) : null
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`)
    return sendErrors(reply, 416, 'RANGE_INVALID', `The blob has ${size} bytes, and no such range of them.`)
  }
  const headers = range
    ? { ...lengthHeaders(range.end - range.start + 1), 'content-range': `bytes ${range.start}-${range.end}/${size}` }
    : lengthHeaders(size)
  const status = range ? 206 : 200
  if (request.method === 'HEAD') return reply.code(status).headers(headers).send()
  return sendBody(reply, status, headers, (await open(range)).body)
}

function lengthHeaders(length: number) {
  return { 'content-type': 'application/octet-stream', 'content-length': length }
}

export async function deleteBlob({ reply, repository }: Visit, digest: string): Promise<FastifyReply> {
  await repository.deleteBlob(digest)
  return reply.code(202).header('docker-content-digest', digest).send()
}
