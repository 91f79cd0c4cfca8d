import type { MountRequest, Secrets, Store } from '@gantry/control'
import { randomIds, systemClock } from '@gantry/kernel'
import {
  type Caller,
  type ContainerId,
  type HostFacts,
  type HostId,
  type Mount,
  type VolumeId,
  type VolumePlan,
} from '@gantry/model'
import {
  type CloudVolumes,
  cinder,
  cloudVolumes,
  type OpenAccess,
  openAccess,
  type VolumeBackend,
} from '@gantry/providers-openstack'
import { createStore, openSqlite } from '@gantry/store'
import type { CloudUser, TestCloud } from './fixtures/test-cloud.ts'
import { aContainer, callerOf, someFacts } from './fixtures/world-parts.ts'

/** Volumes of containers at a real Cinder, on a store in memory, with hosts that only say they did; it outlives `restart`. */
export interface VolumesWorld extends AsyncDisposable {
  readonly store: Store
  readonly deployment: string
  volumes(): CloudVolumes
  /** The last plan that each host was told of each volume, by `<host> <volume>`. */
  readonly told: ReadonlyMap<string, VolumePlan>
  callerOf(user: CloudUser, isAdmin?: boolean): Promise<Caller>
  /** As a create does: made, written with its container, placed where `hostOf` says, or else on this host. */
  run(caller: Caller, mounts: readonly MountRequest[], host?: HostId): Promise<Run>
  /** The container is written with what was made, on no host. */
  write(caller: Caller, id: ContainerId, mounts: readonly MountRequest[], made: Made): Promise<Mount[]>
  place(id: ContainerId, host: HostId): Promise<void>
  /** As the end of a delete does, once its host has let go. */
  forget(id: ContainerId): Promise<void>
  mounted(host: HostId, volumeId: VolumeId): Promise<void>
  host(id: HostId, connector?: HostFacts['connector']): Promise<void>
  /** A server that dies without a word, and one that begins, with the same store. */
  restart(): Promise<void>
}

export interface Run {
  readonly id: ContainerId
  readonly mounts: readonly Mount[]
  readonly volumeIds: readonly VolumeId[]
  readonly host: HostId
}

type Made = Awaited<ReturnType<CloudVolumes['remote']['make']>>

/** Readable in the store: what is sealed is tried elsewhere. */
const secrets: Secrets = { seal: (plain) => `sealed:${plain}`, open: (sealed) => sealed.replace('sealed:', '') }

export async function volumesWorld(
  cloud: TestCloud,
  backendsOf: (parts: { access: OpenAccess; clock: typeof systemClock }) => VolumeBackend[] = (parts) => [
    cinder(parts),
  ],
): Promise<VolumesWorld> {
  const service = await cloud.ensureUser('gantry', 'service', ['admin', 'service'])
  const log = { info() {}, warn() {}, error() {} }
  const parts = { clock: systemClock, ids: randomIds, log }
  const settings = {
    authUrl: cloud.authUrl,
    credential: cloud.credential(service),
    interface: 'public',
    insecure: false,
    endpoints: {},
  } as const
  const access = await openAccess(settings, parts)
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const deployment = randomIds.uuid()
  const told = new Map<string, VolumePlan>()
  const begin = () => {
    const made = cloudVolumes({
      ...parts,
      access,
      store,
      secrets,
      deployment,
      backends: backendsOf({ access, ...parts }),
    })
    made.source.onChange((host, plan) => told.set(`${host} ${plan.id}`, plan))
    return made
  }
  let volumes = begin()

  const host: VolumesWorld['host'] = async (id, connector = { host: id, ip: '127.0.0.1' }) => {
    const facts = { ...someFacts, hostname: id, connector }
    await store.hosts.upsert({ id, name: id, availabilityZone: 'nova', facts, at: 1 })
  }
  for (const id of ['h1', 'h2']) await host(id as HostId)

  const write: VolumesWorld['write'] = (caller, id, mounts, made) =>
    store.transaction(async (tables) => {
      const reserved = await volumes.reserve(tables, caller, id, mounts, made)
      await tables.containers.insert(aContainer(id, caller, { mounts: reserved }))
      return reserved
    })
  const place = async (id: ContainerId, hostId: HostId) => {
    await store.transaction(async (tables) => {
      await tables.containers.update(id, { hostId, hostName: hostId })
      await volumes.place(tables, id, hostId)
    })
  }
  return {
    store,
    deployment,
    told,
    volumes: () => volumes,
    host,
    write,
    place,
    callerOf: (user, isAdmin) => callerOf(cloud, user, isAdmin),
    async run(caller, mounts, wish = 'h1' as HostId) {
      const id = randomIds.uuid() as ContainerId
      const made = await volumes.remote.make(caller, id, mounts)
      const reserved = await write(caller, id, mounts, made)
      const at = (await store.transaction((tables) => volumes.hostOf(tables, reserved))) ?? wish
      await place(id, at)
      const volumeIds = reserved.flatMap((mount) => (mount.kind === 'volume' ? [mount.volumeId] : []))
      return { id, mounts: reserved, volumeIds, host: at }
    },
    async forget(id) {
      await volumes.remote.leave(id)
      await store.transaction(async (tables) => {
        await tables.containers.remove(id)
        await volumes.release(tables, id)
      })
    },
    mounted: (hostId, id) => volumes.source.report(hostId, { kind: 'volume', id, state: 'available', reason: '' }),
    async restart() {
      await volumes[Symbol.asyncDispose]()
      volumes = begin()
      await volumes.start()
    },
    async [Symbol.asyncDispose]() {
      await volumes[Symbol.asyncDispose]()
      await access[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
}
