import { containerData, type RecordedChange } from '@gantry/control'
import type { Container, Status } from '@gantry/model'
import { type Notification, osloTime } from './oslo-message.ts'

type Data = Readonly<Record<string, unknown>>

/** Nova's words for the states of what it runs; consumers count by them. */
const states: Readonly<Record<Status, string>> = {
  Creating: 'building',
  Created: 'stopped',
  Running: 'active',
  Stopped: 'stopped',
  Paused: 'paused',
  Restarting: 'active',
  Rebuilding: 'building',
  Deleting: 'active',
  Deleted: 'deleted',
  Error: 'error',
  Unknown: 'error',
  Dead: 'error',
}

/** The notification of a change of a container; null for what OpenStack has no word for. */
export function notificationOf(change: RecordedChange, deployment: string): Notification | null {
  const match = /^container\.(?:(\w+)\.(start|end|error)|status)$/.exec(change.type)
  if (!match) return null
  const { data } = change
  const [, action, phase] = match
  const isDeleted = action === 'delete' && phase === 'end'
  const payload = {
    ...payloadOf(change.objectId, change.projectId, data),
    ...(action === undefined ? { old_state: stateOf(data['before']) } : {}),
    ...(isDeleted ? { state: 'deleted', deleted_at: osloTime(change.at), terminated_at: osloTime(change.at) } : {}),
    ...(phase === 'error' ? { message: data['error'], exception: data['error'] } : {}),
  }
  return {
    key: `${deployment} change ${change.number}`,
    eventType: `compute.container.${action === undefined ? 'update' : `${action}.${phase}`}`,
    publisher: publisherOf(data),
    priority: phase === 'error' ? 'ERROR' : 'INFO',
    at: change.at,
    payload,
    context: { user: change.userId, project: change.projectId, request: change.requestId },
  }
}

export interface Period {
  /** Epoch milliseconds. */
  readonly from: number
  readonly to: number
}

/** That a container was there at the end of a period: what bills are made of. */
export function existsOf(container: Container, { from, to }: Period, deployment: string): Notification {
  const data = containerData(container)
  const payload = {
    ...payloadOf(container.id, container.projectId, data),
    audit_period_beginning: osloTime(Math.max(from, 0)),
    audit_period_ending: osloTime(to),
    bandwidth: {},
  }
  return {
    key: `${deployment} exists ${container.id} ${to}`,
    eventType: 'compute.container.exists',
    publisher: publisherOf(data),
    priority: 'INFO',
    at: to,
    payload,
    context: { user: container.userId, project: container.projectId, request: null },
  }
}

function publisherOf(data: Data): string {
  return `compute.${typeof data['host'] === 'string' ? data['host'] : 'gantry'}`
}

/** Field by field what Nova says of an instance (`nova/notifications/base.py`, `info_from_instance`), as far as a container has it. */
function payloadOf(id: string, project: string | null, data: Data): Record<string, unknown> {
  return {
    tenant_id: project,
    user_id: data['owner'] ?? null,
    instance_id: id,
    container_id: id,
    display_name: data['name'] ?? null,
    hostname: data['name'] ?? null,
    host: data['host'] ?? null,
    node: data['host'] ?? null,
    availability_zone: data['availabilityZone'] ?? null,
    image_name: data['image'] ?? null,
    image_ref_url: null,
    image_meta: {},
    vcpus: data['cpu'] ?? null,
    memory_mb: data['memory'] ?? null,
    disk_gb: data['disk'] ?? null,
    root_gb: data['disk'] ?? null,
    ephemeral_gb: 0,
    instance_type: 'container',
    state: stateOf(data['status']),
    state_description: data['statusReason'] ?? '',
    metadata: data['labels'] ?? {},
    created_at: timeOf(data['createdAt']),
    launched_at: timeOf(data['startedAt']),
    deleted_at: '',
    terminated_at: '',
  }
}

function stateOf(status: unknown): string {
  return typeof status === 'string' && Object.hasOwn(states, status) ? states[status as Status] : ''
}

function timeOf(value: unknown): string {
  if (typeof value !== 'number' && typeof value !== 'string') return ''
  const at = new Date(value).getTime()
  // Engines write the year 1 for what has not happened.
  return Number.isNaN(at) || at <= 0 ? '' : osloTime(at)
}
