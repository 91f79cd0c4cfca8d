import type { ReferrerView } from '@gantry/control'
import type { FastifyReply } from 'fastify'
import type { Visit } from './distribution.ts'

const indexType = 'application/vnd.oci.image.index.v1+json'

/** What says something about a manifest, as an OCI index; empty when nothing does. */
export async function sendReferrers({ request, reply, repository }: Visit, digest: string): Promise<FastifyReply> {
  const filter = new URLSearchParams(request.url.split('?', 2)[1] ?? '').get('artifactType')
  const views = await repository.referrers(digest, filter)
  if (filter !== null) reply.header('oci-filters-applied', 'artifactType')
  // As bytes, because a text would be given a charset, and clients compare the type.
  const index = { schemaVersion: 2, mediaType: indexType, manifests: views.map(descriptorOf) }
  return reply.header('content-type', indexType).send(Buffer.from(JSON.stringify(index)))
}

function descriptorOf({ mediaType, digest, size, artifactType, annotations }: ReferrerView) {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== null && { artifactType }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
}
