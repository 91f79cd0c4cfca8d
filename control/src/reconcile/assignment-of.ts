import { Fault, reasonOf } from '@gantry/kernel'
import {
  type Assignment,
  type Container,
  type ContainerId,
  defaultSpec,
  type Digest,
  imageAt,
  type ImageSource,
  parseImageName,
  type ProjectId,
  sandboxImage,
} from '@gantry/model'
import type { Deps } from '../deps.ts'
import { isLeaving } from './capsule-turn.ts'

/** Grace for the processes of a container that moves. */
const leaveGraceSeconds = 10

/** What a container's host is told. */
export function assignmentOf(deps: Pick<Deps, 'secrets' | 'log' | 'catalogue'>, container: Container): Assignment {
  const { observed, wish, capsule } = container
  return {
    id: container.id,
    projectId: container.projectId,
    name: container.name,
    spec: container.spec,
    imageRef: container.imageRef,
    imageSource: sourceOf(deps, container),
    // It may come back to this very host later: its generation is higher by then.
    wish: isLeaving(container) ? { ...wish, gone: wish.gone ?? { graceSeconds: leaveGraceSeconds } } : wish,
    nics: [...container.nics],
    mounts: [...container.mounts],
    // The sandbox of a capsule has the capsule's own id.
    sandbox: capsule && capsule.role !== 'sandbox' ? (capsule.capsuleId as string as ContainerId) : null,
    seenGeneration: container.seenGeneration,
    ...(container.lease && { lease: container.lease }),
    failed: observed.settled >= wish.version ? observed.failure : null,
  }
}

/** Its host can get it from nowhere: it is made there, or the login is lost with the key; the pull fails then, and nothing else. */
function sourceOf(
  { secrets, log, catalogue }: Pick<Deps, 'secrets' | 'log' | 'catalogue'>,
  container: Container,
): ImageSource | null {
  const { hostId, imageRef, imageManifest, projectId, sealedRegistryAuth, spec } = container
  if (hostId === null || imageRef === sandboxImage || container.wish.gone) return null
  if (imageManifest !== null) {
    return catalogue.readSource(hostId, { digest: imageManifest, configDigest: imageRef as Digest })
  }
  if (sealedRegistryAuth === null) {
    return catalogue.upstreamSource(hostId, projectId, parseImageName(imageRef), null)
  }
  try {
    const { domain } = JSON.parse(secrets.open(sealedRegistryAuth)) as { readonly domain: string }
    const name = parseImageName(imageAt(domain, spec.image))
    return catalogue.upstreamSource(hostId, projectId, name, sealedRegistryAuth)
  } catch (error) {
    if (error instanceof Fault) throw error
    log.error({ container: container.id, reason: reasonOf(error) }, 'registry password not readable')
    return null
  }
}

/** Tells a host to drop a container that the store does not know, or knows to be elsewhere. */
export function farewell(id: ContainerId): Assignment {
  return {
    id,
    projectId: '' as ProjectId,
    name: '',
    spec: defaultSpec(''),
    imageRef: '',
    nics: [],
    mounts: [],
    sandbox: null,
    imageSource: null,
    wish: {
      // Above every real one, so that a late assignment cannot bring it back.
      version: Number.MAX_SAFE_INTEGER,
      generation: 1,
      power: { kind: 'created' },
      paused: false,
      gone: { graceSeconds: 0 },
    },
    seenGeneration: 1,
    failed: null,
  }
}
