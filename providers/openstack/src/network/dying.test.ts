import type { Store } from '@gantry/control'
import { type Clock, randomIds, Secret } from '@gantry/kernel'
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
import { expect, test } from 'vitest'
import type { CloudAccess } from '../cloud-access.ts'
import { neutronPorts } from './neutron-ports.ts'
import { type Process, type SmallNeutron, smallNeutron } from './testing/small-neutron.ts'

const hostId = 'h1' as HostId
/** A server does not die and come again within a millisecond, as here. */
const clock: Clock & { at: number } = { at: 1_800_000_000_000, now: () => (clock.at += 1) }
const id = randomIds.uuid() as ContainerId
const ann: Caller = {
  userId: 'ann' as UserId,
  userName: 'ann',
  projectId: 'p1' as ProjectId,
  projectName: 'p1',
  roles: ['member'],
  isAdmin: false,
  requestId: 'req-1' as RequestId,
  token: new Secret('t'),
}

function provider(store: Store, { session }: Process) {
  const context = () => ({ signal: new AbortController().signal })
  const access: CloudAccess = { service: session, of: () => session, contextOf: context, ownContext: context }
  const log = { info() {}, warn() {}, error() {} }
  const ensureUsual = async () => {
    throw new Error('there is one')
  }
  return neutronPorts({ access, store, clock, ids: randomIds, log, deployment: 'd', ensureUsual })
}

/** A cloud with a router, a network, and a port that the user gives to the container. */
function aNeutron(): { neutron: SmallNeutron; given: string } {
  const neutron = smallNeutron('p1')
  const network = neutron.add('networks', { name: 'private', mtu: 1450, subnets: ['s'] })
  const second = neutron.add('networks', { name: 'second', mtu: 1450, subnets: ['s'] })
  for (const { id: network_id } of [network, second]) {
    neutron.add('subnets', { network_id, ip_version: 4, cidr: '10.0.0.0/24', gateway_ip: '10.0.0.1' })
  }
  neutron.add('security-groups', { name: 'default' })
  const router = neutron.add('routers', { name: 'r', external_gateway_info: { network_id: 'outside' } })
  const [subnet] = neutron.things('subnets')
  const leg = { subnet_id: subnet?.id, ip_address: '10.0.0.1' }
  const owner = { device_owner: 'network:router_interface', device_id: router.id }
  neutron.add('ports', { network_id: network.id, fixed_ips: [leg], ...owner })
  const given = neutron.add('ports', { network_id: second.id, security_groups: [] })
  return { neutron, given: given.id }
}

/** A container's whole life, with a step of its own wherever the process may die between transactions. */
async function life(store: Store, process: Process, given: string): Promise<void> {
  const ports = provider(store, process)
  const { remote } = ports
  const nets = [{ network: 'private', addresses: [] }, { port: given }]
  const nics = await remote.make(ann, { containerId: id, nets, groups: null, exposedPorts: ['80/tcp'] })
  await process.step()
  const published = { protocol: 'tcp', containerPort: 80, publicPort: 8080, address: null } as const
  await remote.publish(ann, { containerId: id, name: 'web', nics, ports: [published], yields: async () => false })
  await process.step()
  await store.transaction(async (tables) => {
    await tables.containers.insert(aContainer(await ports.reserve(tables, ann, request(), nics)))
  })
  await process.step()
  await store.transaction((tables) => ports.place(tables, id, hostId))
  const isBound = async () =>
    (await store.cloudPorts.ofContainer(id)).every((row) => row.kind !== 'port' || row.boundTo)
  while (!(await isBound())) await new Promise((resolve) => setImmediate(resolve))
  await process.step()
  await remote.leave(id, nics)
  await process.step()
  await forget(store, ports)
  while ((await store.cloudPorts.list()).length > 0) await new Promise((resolve) => setImmediate(resolve))
}

const request = () => ({ containerId: id, nets: [], groups: null, exposedPorts: [] })

const forget = (store: Store, ports: ReturnType<typeof provider>) =>
  store.transaction(async (tables) => {
    await tables.containers.remove(id)
    await ports.release(tables, id)
  })

async function aStore(): Promise<Store & AsyncDisposable> {
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const facts = { hostname: 'one', engine: {}, labels: {}, runtimes: [] } as never
  await store.hosts.upsert({ id: hostId, name: 'one', availabilityZone: 'nova', facts, at: 1 })
  return { ...store, [Symbol.asyncDispose]: () => db.destroy() }
}

function whatIsLeft(neutron: SmallNeutron) {
  const ports = neutron.things('ports').filter(({ device_owner: owner }) => owner !== 'network:router_interface')
  return {
    ports: ports.map((port) => [port.id, port['device_id'], port['device_owner'], port['security_groups']]),
    groups: neutron.things('security-groups').map(({ name }) => name),
    addresses: neutron.things('floatingips').length,
  }
}

/** How many calls and steps a whole life takes. */
async function lengthOfLife(): Promise<number> {
  await using store = await aStore()
  const { neutron, given } = aNeutron()
  const process = neutron.process(Number.POSITIVE_INFINITY, 'before')
  let calls = 0
  const counted: Process = {
    ...process,
    session: { ...process.session, ask: (...args) => ((calls += 1), process.session.ask(...args)) },
    step: () => ((calls += 1), process.step()),
  }
  await life(store, counted, given)
  expect(whatIsLeft(neutron)).toEqual({ ports: [[given, '', '', []]], groups: ['default'], addresses: 0 })
  return calls
}

/** Each is a life and a half, on a store of its own. */
const patience = { timeout: 120_000 }

test(
  'a server that dies between any two calls leaves nothing at Neutron that its successor does not find',
  patience,
  async () => {
    const length = await lengthOfLife()
    expect(length).toBeGreaterThan(20)
    for (let dieAt = 1; dieAt <= length; dieAt += 1) {
      for (const when of ['before', 'after'] as const) {
        await using store = await aStore()
        const { neutron, given } = aNeutron()
        const first = neutron.process(dieAt, when)
        await Promise.race([life(store, first, given), first.death])
        // Whatever of it was not waiting for Neutron comes to its end.
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))

        const ports = provider(store, neutron.process(Number.POSITIVE_INFINITY, 'before'))
        await ports.start()
        // Its user deletes what is there of it.
        if (await store.containers.get(id)) await forget(store, ports)
        await expect
          .poll(() => whatIsLeft(neutron), { message: `died ${when} ${dieAt}`, interval: 2, timeout: 5000 })
          .toEqual({ ports: [[given, '', '', []]], groups: ['default'], addresses: 0 })
        await expect.poll(() => store.cloudPorts.list(), { interval: 2 }).toEqual([])
        await ports[Symbol.asyncDispose]()
      }
    }
  },
)

function aContainer(nics: readonly Nic[]): Container {
  return {
    id,
    projectId: ann.projectId,
    userId: ann.userId,
    name: 'web',
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
