import { Fault } from '@gantry/kernel'
import { type Caller, type Digest, type HostId, parseDigest } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import { learnSizes } from './image-sizes.ts'

export interface GivenImage {
  /** Of its manifest. */
  readonly digest: Digest
  /** As engines know it. */
  readonly imageId: string
  /** Bytes of its files, as engines count. */
  readonly size: number
}

/** An image of a host's engine comes into the catalogue, held by the caller's project without a name. */
export async function giveImage(
  deps: Deps,
  caller: Caller,
  hostId: HostId,
  engineRef: string,
  signal: AbortSignal,
): Promise<GivenImage> {
  const target = deps.catalogue.writeSource(hostId, caller)
  const { reply } = await deps.links.calls(hostId).imageGive({ engineRef, target }, { signal })
  const digest = parseDigest(reply.digest)
  // A host's word alone gives nobody what it did not push for her.
  const held = digest === null ? undefined : await deps.store.contents.holdOf(caller.projectId, '', digest)
  if (digest === null || !held) {
    throw new Fault('manifest.unknown', { reference: reply.digest, repository: 'what the host pushed' })
  }
  await learnSizes(deps, reply)
  return { digest, imageId: reply.imageId, size: reply.size }
}

/** The host's engine has the image afterwards; answers its id. */
export async function bringImage(deps: Deps, hostId: HostId, manifest: Manifest, signal: AbortSignal): Promise<string> {
  const source = deps.catalogue.readSource(hostId, manifest)
  const args = { source, imageId: manifest.configDigest, engineRef: null }
  const { reply } = await deps.links.calls(hostId).imageFetch(args, { signal })
  await learnSizes(deps, reply)
  return reply.imageId
}
