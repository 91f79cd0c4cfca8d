import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  aloneCluster,
  type MountRequest,
  type ServerId,
  soleServer,
  type Tables,
  type VolumeProvider,
} from '@gantry/control'
import { Fault, randomIds } from '@gantry/kernel'
import type { Caller, ContainerId, HostId, ProjectId, RequestId, UserId, VolumePlan, VolumeReport } from '@gantry/model'
import {
  backupFiles,
  embeddedVolumes,
  type VolumeCopies,
  type VolumeHost,
  type VolumeLimits,
} from '@gantry/providers-embedded'
import { createStore, openSqlite } from '@gantry/store'

const silent = { info() {}, warn() {}, error() {} }

export const one = 'host-one' as HostId
export const two = 'host-two' as HostId
export const ours = callerOf('ours')
export const theirs = callerOf('theirs')
export const admin: Caller = { ...callerOf('admins'), isAdmin: true }

/** The embedded volume provider on a store in memory, with two hosts that only listen. */
export async function openVolumeWorld(limits: Partial<VolumeLimits> = {}, copies: VolumeCopies = silentHosts) {
  const database = await openSqlite(':memory:')
  const store = createStore(database)
  const hosts: VolumeHost[] = [
    { id: one, zone: 'nova', up: true, freeGib: 50, problem: null },
    { id: two, zone: 'nova', up: true, freeGib: 100, problem: null },
  ]
  let now = 0
  const clock = { now: () => ++now }
  const backupFolder = await mkdtemp(join(tmpdir(), 'gantry-backups-'))
  const options = {
    store,
    clock,
    ids: randomIds,
    hosts: async () => hosts,
    limits,
    copies,
    backupFiles: backupFiles(backupFolder),
  }
  const aProcess = () => aloneCluster({ ...soleServer, id: randomIds.uuid() as ServerId }, silent)
  const provider = embeddedVolumes({ ...options, cluster: aProcess() })
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
    backupFolder,
    /** As a server does that was started anew. */
    another: () => embeddedVolumes({ ...options, cluster: aProcess() }),
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
    [Symbol.asyncDispose]: async () => {
      await provider.close()
      await database.destroy()
      await rm(backupFolder, { recursive: true })
    },
  }
}

/** Hosts that do not answer. */
const silentHosts: VolumeCopies = {
  read: async (hostId) => {
    throw new Fault('host.unreachable', { host: hostId })
  },
  write: async (hostId) => {
    throw new Fault('host.unreachable', { host: hostId })
  },
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
