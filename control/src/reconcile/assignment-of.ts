import type { Assignment, Container } from '@gantry/model'

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
