import { reasonOf } from '@gantry/kernel'
import { type Assignment, type Container, type ContainerId, defaultSpec, imageAt, type ProjectId } from '@gantry/model'
import type { Deps } from '../deps.ts'

/** What a container's host is told. */
export function assignmentOf(deps: Pick<Deps, 'secrets' | 'log'>, container: Container): Assignment {
  const { observed, wish, capsule } = container
  return {
    id: container.id,
    projectId: container.projectId,
    name: container.name,
    spec: container.spec,
    imageRef: container.imageRef,
    wish,
    nics: [...container.nics],
    mounts: [...container.mounts],
    // The sandbox of a capsule has the capsule's own id.
    sandbox: capsule && capsule.role !== 'sandbox' ? (capsule.capsuleId as string as ContainerId) : null,
    registryAuth: authOf(deps, container),
    seenGeneration: container.seenGeneration,
    failed: observed.settled >= wish.version ? observed.failure : null,
  }
}

/** One that cannot be opened, because the key was lost, is left out: the pull fails then, and nothing else of the host. */
function authOf(
  { secrets, log }: Pick<Deps, 'secrets' | 'log'>,
  { id, spec, sealedRegistryAuth }: Container,
): Assignment['registryAuth'] {
  if (sealedRegistryAuth === null) return null
  try {
    const { domain, username, password } = JSON.parse(secrets.open(sealedRegistryAuth)) as RegistryLogin
    return { source: imageAt(domain, spec.image), domain, username, password }
  } catch (error) {
    log.error({ container: id, reason: reasonOf(error) }, 'registry password not readable')
    return null
  }
}

interface RegistryLogin {
  readonly domain: string
  readonly username: string
  readonly password: string
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
    registryAuth: null,
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
