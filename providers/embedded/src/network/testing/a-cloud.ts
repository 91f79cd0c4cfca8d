import { randomBytes } from 'node:crypto'
import type { FabricChange, PortsRequest, Store } from '@gantry/control'
import { randomIds } from '@gantry/kernel'
import {
  type Caller,
  type Container,
  type ContainerId,
  defaultSpec,
  type HostId,
  type Nic,
  nothingObserved,
  type ProjectId,
  type RequestId,
  type UserId,
} from '@gantry/model'
import { createStore, openSqlite } from '@gantry/store'
import { type EmbeddedNetworks, type EmbeddedNetworksOptions, embeddedNetworks } from '../embedded-networks.ts'

export const hostId = 'h1' as HostId
export const ann = aCaller('ann')
export const bob = aCaller('bob')
export const admin: Caller = { ...aCaller('admins'), isAdmin: true, roles: ['admin'] }

export function aCaller(project: string): Caller {
  return {
    userId: `user of ${project}` as UserId,
    userName: project,
    projectId: project as ProjectId,
    projectName: project,
    roles: ['member'],
    isAdmin: false,
    requestId: `req-${project}` as RequestId,
  }
}

export interface Cloud extends AsyncDisposable {
  readonly store: Store
  readonly cloud: EmbeddedNetworks
  /** What listeners were told, oldest first. */
  readonly changes: FabricChange[]
  /** As a create does: ports reserved, container written and placed. */
  run(caller: Caller, request?: Partial<PortsRequest>): Promise<{ id: ContainerId; nics: Nic[] }>
  /** As the end of a delete does. */
  forget(id: ContainerId): Promise<void>
}

/** The provider on a store in memory, with the external network `public`. */
export async function aCloud(options: Partial<EmbeddedNetworksOptions> = {}): Promise<Cloud> {
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const clock = { at: 1_800_000_000_000, now: () => (clock.at += 1) }
  const cloud = embeddedNetworks({ store, clock, ids: randomIds, publicCidr: '172.24.4.0/24', ...options })
  const changes: FabricChange[] = []
  cloud.fabric?.onChange((change) => changes.push(change))
  await cloud.ensurePublic(admin.projectId)
  changes.length = 0
  return {
    store,
    cloud,
    changes,
    async run(caller, request = {}) {
      const id = randomIds.uuid() as ContainerId
      const nics = await store.transaction(async (tables) => {
        const asked: PortsRequest = { containerId: id, nets: [], groups: null, exposedPorts: [], ...request }
        const reserved = await cloud.reserve(tables, caller, asked)
        await tables.containers.insert(aContainer(id, caller, reserved))
        await cloud.place(tables, id, hostId)
        return reserved
      })
      return { id, nics }
    },
    forget: (id) =>
      store.transaction(async (tables) => {
        await tables.containers.remove(id)
        await cloud.release(tables, id)
      }),
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}

function aContainer(id: ContainerId, { projectId, userId }: Caller, nics: readonly Nic[]): Container {
  return {
    id,
    projectId,
    userId,
    name: `box-${randomBytes(4).toString('hex')}`,
    createdAt: 1,
    updatedAt: 1,
    spec: defaultSpec('busybox:latest'),
    wish: { version: 1, generation: 1, power: { kind: 'created' }, paused: false, gone: null },
    nics,
    mounts: [],
    capsule: null,
    registryId: null,
    sealedRegistryAuth: null,
    task: null,
    hostId,
    hostName: 'one',
    imageRef: 'busybox:latest',
    imageManifest: null,
    placementFailure: null,
    observed: nothingObserved,
    seenGeneration: 0,
    hostLost: false,
    status: 'Created',
    statusReason: null,
  }
}

/** A network with subnets, one for each CIDR. */
export async function aNetwork(
  { cloud }: Pick<Cloud, 'cloud'>,
  caller: Caller,
  name: string,
  ...cidrs: readonly string[]
): Promise<string> {
  const { id } = await cloud.networks.create(caller, { name, shared: false, external: false })
  for (const cidr of cidrs) await cloud.subnets.create(caller, { network: id, name: '', cidr })
  return id
}
