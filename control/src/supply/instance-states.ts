import type { HostId } from '@gantry/model'
import type { Instance } from '../ports/instance-table.ts'
import type { Tables } from '../ports/store.ts'
import { failureMs, type SupplyParts } from './supply-parts.ts'

export interface States {
  readonly instances: readonly Instance[]
  /** Those that have been without containers for long enough. */
  readonly idle: readonly Instance[]
  /** When the next will change by itself. */
  readonly dueAt: number
}

/** Brings every instance's state up to date, and answers them as they are then. */
export async function updateStates({ clock, demand }: SupplyParts, tables: Tables): Promise<States> {
  const now = clock.now()
  const { bootTimeoutMs, lingerMs } = demand.policy
  const instances: Instance[] = []
  const idle: Instance[] = []
  let dueAt = Number.POSITIVE_INFINITY
  for (const instance of await tables.instances.list()) {
    const change = await changeOf(instance)
    if (change === 'forget') {
      await tables.instances.remove(instance.id)
      continue
    }
    if (Object.keys(change).length > 0) await tables.instances.update(instance.id, change)
    const next = { ...instance, ...change }
    instances.push(next)
    if (next.state === 'booting') dueAt = Math.min(dueAt, next.since + bootTimeoutMs)
    if (next.idleSince !== null && now - next.idleSince >= lingerMs) idle.push(next)
    else if (next.idleSince !== null) dueAt = Math.min(dueAt, next.idleSince + lingerMs)
  }
  // What went wrong with earlier ones is over.
  const joined = instances.filter(({ state, since }) => state === 'joined' && since === now)
  const isOver = (failed: Instance) =>
    failed.state === 'failed' && joined.some(({ projectId }) => projectId === failed.projectId)
  for (const failed of instances.filter(isOver)) await tables.instances.remove(failed.id)
  return { instances: instances.filter((instance) => !isOver(instance)), idle, dueAt }

  async function changeOf(instance: Instance): Promise<Partial<Instance> | 'forget'> {
    const { state, since } = instance
    if (state === 'failed') return now - since > failureMs ? 'forget' : {}
    if (state === 'booting') {
      if (await hasJoined(instance)) return { state: 'joined', since: now, ...(await idleness(instance)) }
      if (now - since < bootTimeoutMs) return {}
      const seconds = Math.round(bootTimeoutMs / 1000)
      const reason = `${instance.name} was made, but its agent has not joined within ${seconds} s`
      return { state: 'reaping', since: now, reason }
    }
    return state === 'joined' ? idleness(instance) : {}
  }

  /** A connection comes before the host's row, and only with that is it a place for containers: until then it counts as booting. */
  async function hasJoined(instance: Instance): Promise<boolean> {
    const hostId = hostOf(instance)
    const hangs = ((await tables.sessions.get(hostId))?.serverId ?? null) !== null
    return hangs && (await tables.hosts.get(hostId)) !== undefined
  }

  async function idleness(instance: Instance): Promise<Partial<Instance>> {
    const holds = await tables.containers.ofHost(hostOf(instance))
    if (holds.length > 0) return instance.idleSince === null ? {} : { idleSince: null }
    return instance.idleSince === null ? { idleSince: now } : {}
  }
}

/** An instance's host has its id. */
export function hostOf({ id }: Pick<Instance, 'id'>): HostId {
  return id as string as HostId
}
