import { apart } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { bodyOf, lengthOf } from './bodies.ts'
import { streamSignal } from '@gantry/http'
import type { Visit } from './distribution.ts'
import { sendErrors } from './errors.ts'
import { parseContentRange, receivedRange } from './ranges.ts'
import { visitorOf } from './visitor.ts'

/** POST: a blob that is here already (`mount`), one in this very request (`digest`), or a new upload. */
export async function beginUpload(visit: Visit): Promise<FastifyReply> {
  const { request, repository } = visit
  const query = queryOf(request)
  const mount = query.get('mount')
  if (mount !== null && visitorOf(request).mayTakeFrom(query.get('from')) && (await repository.mount(mount))) {
    return sendCreated(visit, mount)
  }
  const digest = query.get('digest')
  if (digest === null) return sendUpload(visit, 202, await repository.beginUpload(), 0)
  const id = await repository.beginUpload()
  try {
    await append(visit, id)
    return sendCreated(visit, (await repository.finishUpload(id, digest)).digest)
  } catch (error) {
    // Nobody was told of it.
    await repository.cancelUpload(id)
    throw error
  }
}

/** PATCH: the next chunk, or all of it as a stream. */
export async function appendToUpload(visit: Visit, id: string): Promise<FastifyReply> {
  try {
    return sendUpload(visit, 202, id, await append(visit, id))
  } catch (error) {
    return goOnFrom(visit, id, error)
  }
}

/** PUT: perhaps the last chunk, and what all of it must be. */
export async function finishUpload(visit: Visit, id: string): Promise<FastifyReply> {
  const digest = queryOf(visit.request).get('digest')
  if (digest === null) throw new Fault('digest.invalid', { digest: 'The missing parameter digest' })
  try {
    await append(visit, id)
  } catch (error) {
    return goOnFrom(visit, id, error)
  }
  return sendCreated(visit, (await visit.repository.finishUpload(id, digest)).digest)
}

/** GET: how much of it is here. */
export async function tellUpload(visit: Visit, id: string): Promise<FastifyReply> {
  return sendUpload(visit, 204, id, await visit.repository.received(id))
}

export async function cancelUpload({ reply, repository }: Visit, id: string): Promise<FastifyReply> {
  await repository.cancelUpload(id)
  return reply.code(204).send()
}

/** Adds the body of the request, if it has one, where the client says it belongs. */
async function append({ request, reply, repository, writers }: Visit, id: string): Promise<number> {
  const header = request.headers['content-range']
  const range = header === undefined ? null : parseContentRange(header)
  const length = lengthOf(request)
  if (header !== undefined && (!range || (length !== null && length !== range.end - range.start + 1))) {
    throw new Fault('request.invalid', { problem: 'Content-Range is not that of the body: <first byte>-<last byte>.' })
  }
  // Only who may send to it may cut off who does.
  const received = await repository.received(id)
  const body = bodyOf(request)
  if (body === null) return received
  const gone = streamSignal(reply)
  return writers.alone(id, async (cutOff) =>
    repository.append(id, apart(body), range?.start ?? null, AbortSignal.any([gone, cutOff])),
  )
}

/** A chunk at the wrong place is answered with the right one. */
async function goOnFrom(visit: Visit, id: string, error: unknown): Promise<FastifyReply> {
  if (!(error instanceof Fault) || error.code !== 'upload.out-of-order') throw error
  const received = await visit.repository.received(id)
  visit.reply.headers(uploadHeaders(visit, id, received))
  return sendErrors(visit.reply, 416, 'BLOB_UPLOAD_INVALID', error.message)
}

function sendUpload(visit: Visit, status: number, id: string, received: number): FastifyReply {
  return visit.reply
    .code(status)
    .headers(uploadHeaders(visit, id, received))
    .send()
}

function uploadHeaders({ base }: Visit, id: string, received: number) {
  return { location: `${base}/blobs/uploads/${id}`, range: receivedRange(received), 'docker-upload-uuid': id }
}

function sendCreated({ reply, base }: Visit, digest: string): FastifyReply {
  return reply
    .code(201)
    .headers({ location: `${base}/blobs/${digest}`, 'docker-content-digest': digest })
    .send()
}

function queryOf({ url }: FastifyRequest): URLSearchParams {
  return new URLSearchParams(url.split('?', 2)[1] ?? '')
}
