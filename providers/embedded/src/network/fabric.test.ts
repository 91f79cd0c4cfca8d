import type { FabricChange, NewRule } from '@gantry/control'
import { emptyFabric, type FabricPlan, type HostId } from '@gantry/model'
import { expect, test, vi } from 'vitest'
import { inPieces } from './fabric.ts'
import { aCloud, admin, ann, aNetwork, bob, type Cloud, hostId } from './testing/a-cloud.ts'

const other = 'h2' as HostId
const rule: NewRule = {
  direction: 'ingress',
  protocol: 'tcp',
  portMin: 80,
  portMax: 80,
  remotePrefix: null,
  remoteGroup: null,
}

function fabricOf({ cloud }: Cloud) {
  if (!cloud.fabric) throw new Error('the embedded provider has a fabric')
  return cloud.fabric
}

const sorted = (...ids: readonly (string | undefined)[]) => ids.map(String).toSorted()

const ids = ({ networks, groups, routers, gone }: FabricPlan) => ({
  networks: networks.map(({ id }) => id).toSorted(),
  groups: groups.map(({ id }) => id).toSorted(),
  routers: routers.map(({ id }) => id).toSorted(),
  gone: gone.toSorted(),
})

test('a host hears of its containers’ networks, their groups and routers, and where those lead', async () => {
  await using world = await aCloud()
  const { nics } = await world.run(ann)
  await aNetwork(world, ann, 'idle', '10.7.0.0/24')
  const behind = await aNetwork(world, ann, 'behind', '10.8.0.0/24')
  const [subnet] = await world.cloud.subnets.list(ann, { network: behind })
  await world.cloud.routers.addInterface(ann, 'router', { subnet: subnet?.id ?? '' })
  const [router] = await world.cloud.routers.list(ann)
  const { id: outside } = await world.cloud.networks.get(ann, 'public')
  const [plan, ...more] = await fabricOf(world).ofHost(hostId)
  expect(more).toEqual([])
  expect(ids(plan ?? emptyFabric)).toEqual({
    networks: sorted(nics[0]?.networkId, outside, behind),
    groups: nics[0]?.groups,
    routers: [router?.id],
    gone: [],
  })
  expect(plan?.routers[0]).toMatchObject({
    interfaces: [
      { address: '10.100.0.1', prefix: 20, version: 4, mac: expect.stringMatching(/^fa:16:3e/) },
      { address: '10.8.0.1' },
    ],
    external: { networkId: outside, address: '172.24.4.2', prefix: 24, gateway: '172.24.4.1', snat: true },
    floatingIps: [],
  })
  expect(await fabricOf(world).ofNics(nics)).toEqual(plan)
  expect(await fabricOf(world).ofHost(other)).toEqual([])
})

test('groups come with those that their rules name, however far', async () => {
  await using world = await aCloud()
  const { groups } = world.cloud
  const made = []
  for (const name of ['a', 'b', 'c', 'd']) made.push(await groups.create(ann, { name, description: '' }))
  await groups.addRule(ann, 'a', { ...rule, remoteGroup: 'b' })
  await groups.addRule(ann, 'b', { ...rule, remoteGroup: 'c' })
  await groups.addRule(ann, 'c', { ...rule, remoteGroup: 'a' })
  const { nics } = await world.run(ann, { groups: ['a'] })
  const known = made.slice(0, 3).map(({ id }) => id)
  expect(ids(await fabricOf(world).ofNics(nics)).groups).toEqual(known.toSorted())

  world.changes.length = 0
  await groups.addRule(ann, 'c', { ...rule, remoteGroup: 'd' })
  const [change] = world.changes as [FabricChange]
  expect(await fabricOf(world).hostsOf(change)).toEqual([hostId])
  const plan = await fabricOf(world).ofChange(hostId, change)
  expect(ids(plan).groups).toEqual(sorted(made[0]?.id, made[2]?.id, made[3]?.id))
})

test('floating IPs change the router on the hosts that have it, also when a container ends', async () => {
  await using world = await aCloud()
  const { floatingIps } = world.cloud
  const { id, nics } = await world.run(ann)
  await world.run(bob)
  world.changes.length = 0
  const ip = await floatingIps.create(ann, {})
  expect(world.changes).toEqual([])
  const { routerId } = await floatingIps.associate(ann, ip.id, nics[0]?.portId ?? '')
  const change: FabricChange = { networks: [], groups: [], routers: [routerId ?? ''] }
  expect(world.changes).toEqual([change])
  expect(await fabricOf(world).hostsOf(change)).toEqual([hostId])
  const plan = await fabricOf(world).ofChange(hostId, change)
  expect(plan.routers).toMatchObject([
    { id: routerId, floatingIps: [{ address: '172.24.4.4', fixedAddress: '10.100.0.2' }] },
  ])
  expect(plan.networks).toHaveLength(2)
  expect((await fabricOf(world).ofChange(other, change)).gone).toEqual([routerId])

  await world.forget(id)
  await vi.waitFor(() => expect(world.changes).toEqual([change, change]))
  expect((await fabricOf(world).ofNics(nics)).routers).toMatchObject([{ id: routerId, floatingIps: [] }])
})

test('what is no more is gone for every host', async () => {
  await using world = await aCloud()
  await world.store.hosts.upsert({ id: hostId, name: 'one', availabilityZone: 'nova', facts: {} as never, at: 1 })
  await world.store.hosts.upsert({ id: other, name: 'two', availabilityZone: 'nova', facts: {} as never, at: 1 })
  const id = await aNetwork(world, ann, 'net', '10.0.0.0/24')
  world.changes.length = 0
  await world.cloud.networks.delete(ann, id)
  expect(world.changes).toEqual([{ networks: [id], groups: [], routers: [] }])
  const [change] = world.changes as [FabricChange]
  expect((await fabricOf(world).hostsOf(change)).toSorted()).toEqual([hostId, other])
  expect(await fabricOf(world).ofChange(other, change)).toEqual({ ...emptyFabric, gone: [id] })
})

test('a router that leaves a network takes what it led to from the hosts there', async () => {
  await using world = await aCloud()
  const { routers } = world.cloud
  const { nics } = await world.run(ann)
  const [router] = await routers.list(ann)
  const { id: outside } = await world.cloud.networks.get(ann, 'public')
  world.changes.length = 0
  await routers.removeInterface(ann, 'router', { subnet: router?.interfaces[0]?.subnetId ?? '' })
  const [change] = world.changes as [FabricChange]
  expect(await fabricOf(world).hostsOf(change)).toEqual([hostId])
  expect(ids(await fabricOf(world).ofChange(hostId, change))).toMatchObject({
    networks: [nics[0]?.networkId],
    routers: [],
    gone: sorted(router?.id, outside),
  })
})

test('a new subnet outside concerns the hosts whose routers lead there', async () => {
  await using world = await aCloud()
  await world.run(ann)
  world.changes.length = 0
  await world.cloud.subnets.create(admin, { network: 'public', name: 'more', cidr: '203.0.113.0/24' })
  expect(await fabricOf(world).hostsOf(world.changes[0] as FabricChange)).toEqual([hostId])
  const plan = await fabricOf(world).ofChange(hostId, world.changes[0] as FabricChange)
  expect(plan.networks).toMatchObject([{ external: true, subnets: [{}, { cidr: '203.0.113.0/24' }] }])
})

test('pieces are bounded, whole, and name networks before what stands on them', () => {
  const group = (number: number) => ({ id: `g${number}` as never, rules: [] })
  const network = { id: 'n' as never, projectId: 'p' as never, external: false, mtu: 1500, subnets: [] }
  const plan = { ...emptyFabric, networks: [network], groups: Array.from({ length: 100 }, (_, at) => group(at)) }
  const pieces = inPieces(plan, 500)
  expect(pieces.length).toBeGreaterThan(5)
  for (const piece of pieces) expect(JSON.stringify(piece).length).toBeLessThan(600)
  expect(pieces[0]?.networks).toEqual([network])
  expect(pieces.flatMap(({ groups }) => groups)).toEqual(plan.groups)
  expect(inPieces(emptyFabric)).toEqual([])
})
