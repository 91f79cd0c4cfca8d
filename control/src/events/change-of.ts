import type { Action, Container, ProjectId } from '@gantry/model'
import type { Change } from '../ports/change-table.ts'

/** Labels that are larger are not told: a change is one row and one message. */
const largestLabels = 4096

/** What is told of a container: what its owner sees of it, but for its environment and command. */
export function containerData(container: Container): Record<string, unknown> {
  const { name, spec, hostName, status, statusReason, task, createdAt, observed, capsule } = container
  const { engine } = observed
  return {
    name,
    image: spec.image,
    status,
    statusReason,
    task,
    cpu: spec.cpu,
    memory: spec.memory,
    disk: spec.disk,
    host: hostName,
    availabilityZone: spec.availabilityZone,
    capsuleId: capsule?.capsuleId ?? null,
    owner: container.userId,
    createdAt,
    startedAt: engine?.startedAt ?? null,
    finishedAt: engine?.finishedAt ?? null,
    exitCode: engine?.exitCode ?? null,
    labels: JSON.stringify(spec.labels).length <= largestLabels ? spec.labels : {},
  }
}

/** As the owner of a container is told of it: which host it is on is the operator's business, here as in `GET /v1/containers`. */
export function forOwner<C extends Pick<Change, 'type' | 'data'>>(change: C): C {
  if (!change.type.startsWith('container.') || !('host' in change.data)) return change
  return { ...change, data: { ...change.data, host: null } }
}

export type Phase = 'start' | 'end' | 'error'

/** An action that begins or has ended. `container`: as it is then, or was last. */
export function actionChange(action: Action, phase: Phase, container: Container | undefined, at: number): Change {
  return {
    at,
    projectId: action.projectId,
    userId: action.userId,
    requestId: action.requestId,
    type: `container.${action.name}.${phase}`,
    objectId: action.containerId,
    data: { ...(container ? containerData(container) : {}), actionId: action.id, error: action.error },
  }
}

/** `before`: undefined where nobody looked before it was changed. */
export function statusChange(before: Container | undefined, after: Container, at: number): Change {
  return {
    at,
    projectId: after.projectId,
    userId: null,
    requestId: null,
    type: 'container.status',
    objectId: after.id,
    data: { ...containerData(after), before: before?.status ?? null },
  }
}

/** Of whatever else there is. */
export function objectChange(
  type: string,
  object: { readonly id: string; readonly projectId: ProjectId | null },
  data: Readonly<Record<string, unknown>>,
  at: number,
): Change {
  return { at, projectId: object.projectId, userId: null, requestId: null, type, objectId: object.id, data }
}
