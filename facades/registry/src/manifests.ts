import type { FastifyReply } from 'fastify'
import { gather } from './bodies.ts'
import { streamSignal } from '@gantry/http'
import type { Visit } from './distribution.ts'
import { etagOf, isUnchanged } from './etags.ts'

/** As the distribution spec would have registries take, and no more. Bytes. */
const largestManifest = 4 << 20
const usualType = 'application/vnd.oci.image.manifest.v1+json'

/** GET and HEAD. `Accept` is not asked: there is one form of it, and clients say what they make of that. */
export async function sendManifest({ request, reply, repository }: Visit, reference: string): Promise<FastifyReply> {
  const { mediaType, digest, content } = await repository.manifest(reference, streamSignal(reply))
  const etag = etagOf(digest)
  reply.headers({ 'docker-content-digest': digest, etag })
  if (isUnchanged(request, etag)) return reply.code(304).send()
  reply.headers({ 'content-type': mediaType, 'content-length': content.length })
  return request.method === 'HEAD' ? reply.send() : reply.send(content)
}

export async function putManifest(
  { request, reply, repository, base }: Visit,
  reference: string,
): Promise<FastifyReply> {
  const content = await gather(request, largestManifest)
  const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim() ?? usualType
  const { digest, subject } = await repository.putManifest(reference, { mediaType, content })
  if (subject) reply.header('oci-subject', subject)
  return reply
    .code(201)
    .headers({ location: `${base}/manifests/${digest}`, 'docker-content-digest': digest })
    .send()
}

export async function deleteManifest({ reply, repository }: Visit, reference: string): Promise<FastifyReply> {
  await repository.deleteManifest(reference)
  return reply.code(202).send()
}
