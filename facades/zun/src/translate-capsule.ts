import type { CapsuleView } from '@gantry/control'
import type { Container } from '@gantry/model'
import { spacedTime } from './times.ts'
import { linksTo, toWire, type View } from './translate.ts'
import { toAddresses } from './translate-networks.ts'

/** Which microversion changed the shape of capsules. */
const reshapedIn = 32

/** A capsule as the microversion 1.`minor` shows it. */
export function toCapsule(found: CapsuleView, minor: number, view: View & { readonly base: string }): object {
  const { capsule, containers, initContainers } = found
  const members = (list: readonly Container[]) => list.map((container) => toWire(container, { ...view, base: null }))
  const shown = {
    uuid: capsule.id,
    links: linksTo(view.base, 'capsules', capsule.id),
    project_id: capsule.projectId,
    user_id: capsule.userId,
    ...size(found),
    status: found.status,
    status_reason: found.statusReason,
    annotations: capsule.annotations,
    addresses: toAddresses(found.nics),
    containers: members(containers),
    init_containers: members(initContainers),
    ...(view.admin ? { host: found.hostName } : {}),
    created_at: spacedTime(capsule.createdAt),
    updated_at: capsule.updatedAt === capsule.createdAt ? null : spacedTime(capsule.updatedAt),
  }
  if (minor < reshapedIn) {
    return {
      ...shown,
      meta_name: capsule.name,
      meta_labels: capsule.labels,
      restart_policy: capsule.restartPolicy,
      volumes_info: {},
      containers_uuids: [],
      init_containers_uuids: [],
      capsule_version: '',
    }
  }
  return {
    ...shown,
    name: capsule.name,
    labels: capsule.labels,
    restart_policy: { Name: capsule.restartPolicy, MaximumRetryCount: '0' },
  }
}

/** What it takes at most: its containers run together, its init containers one at a time and before them. */
function size({ containers, initContainers }: CapsuleView): { cpu: number; memory: string } {
  const most = (of: (container: Container) => number) =>
    Math.max(
      containers.reduce((sum, container) => sum + of(container), 0),
      ...initContainers.map(of),
    )
  const cpu = most(({ spec }) => spec.cpu)
  return { cpu: Math.round(cpu * 1000) / 1000, memory: String(most(({ spec }) => spec.memory)) }
}
