import type { NetRequest, PortsRequest, Store } from '@gantry/control'
import { randomIds, systemClock } from '@gantry/kernel'
import { type Caller, type Container, type ContainerId, type HostFacts, type HostId, type Nic } from '@gantry/model'
import { type NeutronPorts, neutronPorts, type OpenAccess, openAccess } from '@gantry/providers-openstack'
import { createStore, openSqlite } from '@gantry/store'
import type { CloudUser, TestCloud } from './fixtures/test-cloud.ts'
import { aContainer, callerOf, someFacts } from './fixtures/world-parts.ts'

export const hostId = 'h1' as HostId

/** Our ports of containers at a real Neutron, on a store in memory; it outlives `crash`. */
export interface PortsWorld extends AsyncDisposable {
  readonly store: Store
  readonly access: OpenAccess
  ports(): NeutronPorts
  /** What the control was told of, oldest first. */
  readonly heard: Container[]
  callerOf(user: CloudUser, isAdmin?: boolean): Promise<Caller>
  /** As a create does: made, written with its container, placed. */
  run(
    caller: Caller,
    nets: readonly NetRequest[],
    more?: Partial<PortsRequest>,
  ): Promise<{ id: ContainerId; nics: Nic[] }>
  /** The container is written with these nics, and on the host. */
  write(caller: Caller, id: ContainerId, nics: readonly Nic[]): Promise<void>
  nicsOf(id: ContainerId): Promise<readonly Nic[]>
  /** As the end of a delete does. */
  forget(id: ContainerId): Promise<void>
  host(facts?: Partial<HostFacts>): Promise<void>
  /** A server that ends and one that begins, with the same store. */
  restart(): Promise<void>
}

export async function portsWorld(cloud: TestCloud): Promise<PortsWorld> {
  const service = await cloud.ensureUser('gantry', 'service', ['admin', 'service'])
  const log = { info() {}, warn() {}, error() {} }
  const parts = { clock: systemClock, ids: randomIds, log }
  const access = await openAccess(
    {
      authUrl: cloud.authUrl,
      credential: cloud.credential(service),
      interface: 'public',
      insecure: false,
      endpoints: {},
    },
    parts,
  )
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const deployment = randomIds.uuid()
  const heard: Container[] = []
  const begin = () => {
    const made = neutronPorts({
      ...parts,
      access,
      store,
      deployment,
      ensureUsual: async () => {
        throw new Error('the project has a network')
      },
    })
    made.remote.onBound((container) => heard.push(container))
    return made
  }
  let ports = begin()

  const host = async (facts: Partial<HostFacts> = {}) => {
    const whole = { ...someFacts, hostname: cloud.hostName, ...facts }
    await store.hosts.upsert({ id: hostId, name: 'one', availabilityZone: 'nova', facts: whole, at: 1 })
  }
  await host()
  const write = (caller: Caller, id: ContainerId, nics: readonly Nic[]) =>
    store.transaction(async (tables) => {
      const reserved = await ports.reserve(tables, caller, request(id, []), nics)
      await tables.containers.insert(aContainer(id, caller, { nics: reserved, hostId, hostName: 'one' }))
      await ports.place(tables, id, hostId)
    })
  return {
    store,
    access,
    heard,
    ports: () => ports,
    host,
    write,
    callerOf: (user, isAdmin) => callerOf(cloud, user, isAdmin),
    async run(caller, nets, more = {}) {
      const id = randomIds.uuid() as ContainerId
      const nics = [...(await ports.remote.make(caller, { ...request(id, nets), ...more }))]
      await write(caller, id, nics)
      return { id, nics }
    },
    nicsOf: async (id) => (await store.containers.get(id))?.nics ?? [],
    forget: (id) =>
      store.transaction(async (tables) => {
        await tables.containers.remove(id)
        await ports.release(tables, id)
      }),
    async restart() {
      await ports[Symbol.asyncDispose]()
      ports = begin()
      await ports.start()
    },
    async [Symbol.asyncDispose]() {
      await ports[Symbol.asyncDispose]()
      await access[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
}

export function request(containerId: ContainerId, nets: readonly NetRequest[]): PortsRequest {
  return { containerId, nets, groups: null, exposedPorts: [] }
}
