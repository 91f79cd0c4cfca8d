import { type Assignment, type Container, type ContainerId, defaultSpec, imageAt, type ProjectId } from '@gantry/model'
import type { Deps } from '../deps.ts'

/** What a container's host is told. Throws when its registry password was sealed with another key. */
export function assignmentOf({ secrets }: Pick<Deps, 'secrets'>, container: Container): Assignment {
  const { observed, wish, capsule, sealedRegistryAuth } = container
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
    registryAuth: sealedRegistryAuth === null ? null : authOf(secrets.open(sealedRegistryAuth), container.spec.image),
    seenGeneration: container.seenGeneration,
    failed: observed.settled >= wish.version ? observed.failure : null,
  }
}

function authOf(opened: string, image: string): Assignment['registryAuth'] {
  const { domain, username, password } = JSON.parse(opened) as { domain: string; username: string; password: string }
  return { source: imageAt(domain, image), domain, username, password }
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
