import type { MountRequest, Tables, VolumeProvider } from '@gantry/control'
import { randomIds } from '@gantry/kernel'
import type { Caller, ContainerId, HostId, ProjectId, RequestId, UserId, VolumePlan, VolumeReport } from '@gantry/model'
import { embeddedVolumes, type VolumeHost, type VolumeLimits } from '@gantry/providers-embedded'
import { createStore, openSqlite } from '@gantry/store'

export const one = 'host-one' as HostId
export const two = 'host-two' as HostId
export const ours = callerOf('ours')
export const theirs = callerOf('theirs')
export const admin: Caller = { ...callerOf('admins'), isAdmin: true }

/** The embedded volume provider on a store in memory, with two hosts that only listen. */
export async function openVolumeWorld(limits: Partial<VolumeLimits> = {}) {
  const database = await openSqlite(':memory:')
  const store = createStore(database)
  const hosts: VolumeHost[] = [
    { id: one, up: true, freeGib: 50, problem: null },
    { id: two, up: true, freeGib: 100, problem: null },
  ]
  let now = 0
  const clock = { now: () => ++now }
  const provider = embeddedVolumes({ store, clock, ids: randomIds, hosts: async () => hosts, limits })
  const source = sourceOf(provider)
  const told: [HostId, VolumePlan][] = []
  source.onChange((hostId, plan) => told.push([hostId, plan]))
  const report = (
    host: HostId,
    id: string,
    state: VolumeReport['state'],
    reason = '',
    kind: VolumeReport['kind'] = 'volume',
  ) => source.report(host, { kind, id, state, reason })
  return {
    store,
    provider,
    source,
    hosts,
    told,
    report,
    transact: <T>(work: (tables: Tables) => Promise<T>) => store.transaction(work),
    set: (id: HostId, change: Partial<VolumeHost>) => {
      const index = hosts.findIndex((host) => host.id === id)
      const host = hosts[index]
      if (host) hosts[index] = { ...host, ...change }
    },
    available: async (name: string, size = 1) => {
      const { id, hostId } = await provider.volumes.create(ours, { name, size })
      if (hostId) await report(hostId, id, 'available')
      return id
    },
    reserve: (container: ContainerId, ref: string, caller = ours) =>
      store.transaction((tables) => provider.reserve(tables, caller, container, [mountOf(ref, '/mnt/0')])),
    release: (container: ContainerId) => store.transaction((tables) => provider.release(tables, container)),
    [Symbol.asyncDispose]: () => database.destroy(),
  }
}

function sourceOf({ source }: VolumeProvider) {
  if (!source) throw new Error('the embedded provider tells hosts what to make')
  return source
}

export function mountOf(source: string, destination: string): MountRequest {
  return { kind: 'volume', source, destination, readOnly: false }
}

function callerOf(name: string): Caller {
  return {
    userId: `user-${name}` as UserId,
    userName: name,
    projectId: `project-${name}` as ProjectId,
    projectName: name,
    roles: ['member'],
    isAdmin: false,
    requestId: 'req-00000000-0000-0000-0000-000000000000' as RequestId,
  }
}
