import type { Container } from '@gantry/model'
import { spacedTime, statusDetail } from './times.ts'
import { toAddresses, toGroups } from './translate-networks.ts'

export interface View {
  /** Administrators see where and how privileged a container runs. */
  readonly admin: boolean
  /** Epoch milliseconds, for "Up 3 mins". */
  readonly now: number
  /** `http://host:port/prefix`; null for list entries, which carry no links. */
  readonly base: string | null
}

/** A container as GET shows it; the same in all microversions. */
export function toWire(container: Container, { admin, now, base }: View): Record<string, unknown> {
  const { spec } = container
  const engine = container.observed.engine
  return {
    uuid: container.id,
    ...(base === null ? {} : { links: linksTo(base, 'containers', container.id) }),
    name: container.name,
    project_id: container.projectId,
    user_id: container.userId,
    image: spec.image,
    cpu: spec.cpu,
    cpu_policy: spec.cpuPolicy,
    memory: String(spec.memory),
    command: spec.command ?? (spec.entrypoint ? [] : (engine?.command ?? [])),
    status: container.status,
    status_reason: container.statusReason,
    task_state: container.task,
    environment: spec.environment,
    workdir: spec.workdir ?? (engine?.workdir || null),
    auto_remove: spec.autoRemove,
    ports: portNumbers(container),
    hostname: spec.hostname ?? (engine?.hostname || null),
    labels: spec.labels,
    addresses: toAddresses(container.nics),
    restart_policy: {
      Name: spec.restartPolicy.name,
      MaximumRetryCount: String(spec.restartPolicy.maxRetries),
    },
    status_detail: statusDetail(container, now),
    interactive: spec.interactive,
    tty: spec.tty,
    image_driver: spec.imageDriver,
    security_groups: toGroups(container.nics),
    disk: spec.disk,
    auto_heal: spec.autoHeal,
    healthcheck: toHealthcheck(container),
    registry_id: container.registryId,
    entrypoint: spec.entrypoint ?? engine?.entrypoint ?? [],
    created_at: spacedTime(container.createdAt),
    updated_at: container.updatedAt === container.createdAt ? null : spacedTime(container.updatedAt),
    ...(admin ? adminFields(container) : {}),
  }
}

/** The reply to a create: what the body did not set, or only the host can tell, is null there and not `{}` or `[]`. */
export function toCreated(container: Container, body: Readonly<Record<string, unknown>>, view: View): object {
  const wire = toWire(container, view)
  for (const field of ['command', 'entrypoint', 'environment', 'labels', 'restart_policy', 'security_groups']) {
    if (body[field] === undefined || body[field] === null) wire[field] = null
  }
  if (container.spec.healthcheck === null) wire['healthcheck'] = null
  for (const field of ['addresses', 'ports', 'status_detail']) wire[field] = null
  return wire
}

/** The pair of links that Zun gives each object. */
export function linksTo(base: string, collection: string, id: string): object[] {
  return [
    { href: `${base}/v1/${collection}/${id}`, rel: 'self' },
    { href: `${base}/${collection}/${id}`, rel: 'bookmark' },
  ]
}

function adminFields({ spec, hostName }: Container): object {
  return {
    image_pull_policy: spec.pullPolicy,
    host: hostName,
    runtime: spec.runtime,
    privileged: spec.privileged,
  }
}

function portNumbers({ spec, observed }: Container): number[] {
  const ports = [...spec.exposedPorts, ...(observed.engine?.ports ?? [])].map((port) => Number.parseInt(port, 10))
  return [...new Set(ports)].filter(Number.isInteger).sort((a, b) => a - b)
}

function toHealthcheck({ spec: { healthcheck } }: Container): object {
  if (healthcheck === null) return {}
  const { command, intervalSeconds, timeoutSeconds, retries } = healthcheck
  return { test: command, interval: intervalSeconds, timeout: timeoutSeconds, retries }
}
