import type { NetRequest } from '@gantry/control'
import type { ContainerId, Nic } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCloud, admin, ann, aNetwork, bob, type Cloud, hostId } from './testing/a-cloud.ts'

const on = (network: string, ...addresses: string[]): NetRequest => ({ network, addresses })

function groupNames({ cloud }: Cloud, { groups }: Nic) {
  return Promise.all(groups.map(async (id) => (await cloud.groups.get(admin, id)).name))
}

test('a project’s first container brings a network, a subnet and a router to the outside', async () => {
  await using world = await aCloud()
  const { nics } = await world.run(ann)
  const { networks, routers } = world.cloud
  const network = await networks.get(ann, 'private')
  expect(nics).toMatchObject([
    {
      networkId: network.id,
      filtered: true,
      preserve: false,
      addresses: [{ address: '10.100.0.2', prefix: 20, gateway: '10.100.0.1', version: 4 }],
    },
  ])
  expect(await groupNames(world, nics[0] as Nic)).toEqual(['default'])
  expect(await routers.list(ann)).toMatchObject([
    { name: 'router', gateway: { address: '172.24.4.2', snat: true }, interfaces: [{ address: '10.100.0.1' }] },
  ])
  const { nics: theirs } = await world.run(bob)
  expect(theirs[0]?.networkId).not.toBe(network.id)
  expect(theirs[0]?.addresses[0]?.address).toBe('10.100.0.2')
})

test('sixteen first containers at once make it once, and get sixteen addresses', async () => {
  await using world = await aCloud()
  const made = await Promise.all(Array.from({ length: 16 }, () => world.run(ann)))
  const nics = made.flatMap((container) => container.nics)
  expect(new Set(nics.map(({ networkId }) => networkId)).size).toBe(1)
  expect(new Set(nics.map(({ addresses }) => addresses[0]?.address)).size).toBe(16)
  expect(new Set(nics.map(({ mac }) => mac)).size).toBe(16)
  expect(await world.store.routers.countOf(ann.projectId)).toBe(1)
})

test('without a wish the oldest own network is taken, else the oldest shared one', async () => {
  await using world = await aCloud()
  const { networks, subnets } = world.cloud
  const { id: shared } = await networks.create(admin, { name: 'all', shared: true, external: false })
  expect((await world.run(bob)).nics[0]?.networkId).not.toBe(shared)
  await subnets.create(admin, { network: shared, name: '', cidr: '10.0.0.0/24' })
  expect((await world.run(ann)).nics[0]?.networkId).toBe(shared)
  await aNetwork(world, ann, 'without subnet')
  const own = await aNetwork(world, ann, 'own', '10.0.0.0/24')
  await aNetwork(world, ann, 'younger', '10.0.0.0/24')
  expect((await world.run(ann)).nics[0]?.networkId).toBe(own)
})

test('networks come in the order asked for, with the addresses asked for', async () => {
  await using world = await aCloud()
  const one = await aNetwork(world, ann, 'one', '10.0.0.0/24', 'fd00::/64')
  const two = await aNetwork(world, ann, 'two', '10.0.0.0/24')
  const { nics } = await world.run(ann, { nets: [on('two', '10.0.0.200'), on(one)] })
  expect(nics.map(({ networkId }) => networkId)).toEqual([two, one])
  expect(nics.map(({ addresses }) => addresses.map(({ address }) => address))).toEqual([
    ['10.0.0.200'],
    ['10.0.0.2', 'fd00::2'],
  ])
  await expect(world.run(ann, { nets: [on('two', '10.0.0.200')] })).rejects.toMatchObject({ code: 'address.in-use' })
  await expect(world.run(ann, { nets: [on('one'), on(one)] })).rejects.toThrow('Network one is asked for twice')
  await expect(world.run(bob, { nets: [on(one)] })).rejects.toMatchObject({ code: 'network.not-found' })
  await aNetwork(world, ann, 'bare')
  await expect(world.run(ann, { nets: [on('bare')] })).rejects.toThrow('has no subnet')
  expect((await world.cloud.ports.list(ann)).length).toBe(2)
})

test('only administrators plug containers into the outside', async () => {
  await using world = await aCloud()
  await expect(world.run(ann, { nets: [on('public')] })).rejects.toMatchObject({ code: 'policy.forbidden' })
  const { nics } = await world.run(admin, { nets: [on('public')] })
  expect(nics[0]?.addresses[0]).toMatchObject({ address: '172.24.4.2', gateway: '172.24.4.1' })
  await expect(world.run(admin, { nets: [on('public', '172.24.4.1')] })).rejects.toMatchObject({
    code: 'address.in-use',
  })
})

test('a given port is used, kept, and free again', async () => {
  await using world = await aCloud()
  const { ports, groups } = world.cloud
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/24')
  await groups.create(ann, { name: 'web', description: '' })
  const given = await ports.create(ann, { network, name: 'p', groups: ['web'], fixedIps: [{ address: '10.0.0.9' }] })
  await expect(world.run(bob, { nets: [{ port: given.id }] })).rejects.toMatchObject({ details: { type: 'port' } })
  const { id, nics } = await world.run(ann, { nets: [{ port: 'p' }], exposedPorts: ['80/tcp'] })
  expect(nics[0]).toMatchObject({ portId: given.id, mac: given.mac, preserve: true })
  expect(await groupNames(world, nics[0] as Nic)).toEqual(['web', `zun-${id}`])
  expect(await ports.get(ann, 'p')).toMatchObject({ deviceId: id, deviceOwner: 'compute:kuryr', hostId })
  await expect(world.run(ann, { nets: [{ port: 'p' }] })).rejects.toMatchObject({ code: 'network.in-use' })
  await world.forget(id)
  expect(await ports.get(ann, 'p')).toEqual(given)
})

test('exposed ports are opened over IPv4 and IPv6 by a group that goes with the container', async () => {
  await using world = await aCloud()
  const { id, nics } = await world.run(ann, { exposedPorts: ['80/tcp', '53/udp', '80'] })
  expect(await groupNames(world, nics[0] as Nic)).toEqual(['default', `zun-${id}`])
  const { rules } = await world.cloud.groups.get(ann, `zun-${id}`)
  expect(rules.map(({ direction, version, protocol, portMin }) => [direction, version, protocol, portMin])).toEqual([
    ['ingress', 4, 'tcp', 80],
    ['ingress', 6, 'tcp', 80],
    ['ingress', 4, 'udp', 53],
    ['ingress', 6, 'udp', 53],
  ])
  await world.forget(id)
  await world.forget(id)
  expect((await world.cloud.groups.list(ann)).map(({ name }) => name)).toEqual(['default'])
  for (const wrong of ['0/tcp', '80/icmp', 'http', '65536']) {
    await expect(world.run(ann, { exposedPorts: [wrong] })).rejects.toMatchObject({ code: 'request.invalid' })
  }
})

test('a group of exposed ports stays while another port is in it', async () => {
  await using world = await aCloud()
  const { groups, ports } = world.cloud
  const { id } = await world.run(ann, { exposedPorts: ['80'] })
  await ports.create(ann, { network: 'private', name: 'p', groups: [`zun-${id}`] })
  await world.forget(id)
  await ports.delete(ann, 'p')
  await groups.delete(ann, `zun-${id}`)
})

test('a container is plugged into more networks, and out of them', async () => {
  await using world = await aCloud()
  const { cloud, store } = world
  await aNetwork(world, ann, 'two', '10.0.0.0/24')
  const { id, nics } = await world.run(ann, { nets: [on('two')], groups: [], exposedPorts: ['80'] })
  const attach = (net: NetRequest) => store.transaction((tables) => cloud.attach(tables, ann, id, nics, net))
  await expect(attach(on('two'))).rejects.toMatchObject({ code: 'network.attached' })
  await aNetwork(world, ann, 'three', '10.0.0.0/24')
  const nic = await attach(on('three'))
  expect(nic.groups).toEqual(nics[0]?.groups)
  const { id: port } = await cloud.ports.create(ann, { network: 'three', name: 'mine' })
  await store.transaction((tables) => cloud.detach(tables, id, [nic]))
  const given = await attach({ port })
  expect(given).toMatchObject({ portId: port, preserve: true })
  await store.transaction((tables) => cloud.detach(tables, id, [given, ...nics]))
  expect((await cloud.ports.list(ann)).map(({ name, deviceId, groups }) => [name, deviceId, groups.length])).toEqual([
    ['mine', null, 1],
  ])
})

test('a group is added to and taken from all filtered ports of a container', async () => {
  await using world = await aCloud()
  const { cloud, store } = world
  await aNetwork(world, ann, 'one', '10.0.0.0/24')
  await aNetwork(world, ann, 'two', '10.0.0.0/24')
  const { id: open } = await cloud.ports.create(ann, { network: 'two', name: 'open', filtered: false })
  const { nics } = await world.run(ann, { nets: [on('one'), { port: open }] })
  const web = await cloud.groups.create(ann, { name: 'web', description: '' })
  const regroup = (now: readonly Nic[], change: { add: string } | { remove: string }) =>
    store.transaction((tables) => cloud.regroup(tables, ann, now, change))
  const grouped = await regroup(nics, { add: 'web' })
  expect(grouped.map(({ groups }) => groups.includes(web.id))).toEqual([true, false])
  expect((await cloud.ports.get(ann, grouped[0]?.portId ?? '')).groups).toEqual(grouped[0]?.groups)
  await expect(regroup(grouped, { add: 'web' })).rejects.toMatchObject({ code: 'group.present' })
  expect(await regroup(grouped, { remove: 'web' })).toEqual(nics)
  await expect(regroup(nics, { remove: 'web' })).rejects.toMatchObject({ code: 'group.absent' })
  const theirs = await cloud.groups.create(bob, { name: 'theirs', description: '' })
  await expect(regroup(nics, { add: theirs.id })).rejects.toMatchObject({ code: 'network.not-found' })
})

test('the sweep frees what containers left that do not exist any more, and nothing else', async () => {
  await using world = await aCloud()
  const { id: alive } = await world.run(ann, { exposedPorts: ['80'] })
  const { id: dead } = await world.run(ann, { exposedPorts: ['80'] })
  await world.store.containers.remove(dead)
  await world.cloud.sweep()
  const used = (await world.cloud.ports.list(ann)).flatMap(({ deviceOwner, deviceId }) =>
    deviceOwner === 'compute:kuryr' ? deviceId : [],
  )
  expect(used).toEqual([alive])
  expect((await world.cloud.groups.list(ann)).map(({ name }) => name).toSorted()).toEqual(['default', `zun-${alive}`])
})

test('a reservation that is rolled back leaves nothing', async () => {
  await using world = await aCloud()
  const request = { containerId: 'c1' as ContainerId, nets: [], groups: null, exposedPorts: ['80'] }
  const failing = world.store.transaction(async (tables) => {
    await world.cloud.reserve(tables, ann, request)
    throw new Error('later')
  })
  await expect(failing).rejects.toThrow('later')
  expect(await world.store.ports.list(null)).toEqual([])
  expect(await world.cloud.networks.list(ann)).toMatchObject([{ name: 'public' }])
})
