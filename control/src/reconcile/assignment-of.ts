import { type Assignment, type Container, type ContainerId, defaultSpec, type ProjectId } from '@gantry/model'

/** What a container's host is told. */
export function assignmentOf(container: Container): Assignment {
  const { observed, wish } = container
  return {
    id: container.id,
    projectId: container.projectId,
    name: container.name,
    spec: container.spec,
    imageRef: container.imageRef,
    wish,
    seenGeneration: container.seenGeneration,
    failed: observed.settled >= wish.version ? observed.failure : null,
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
