import { expect, test } from 'vitest'
import { aCloud, admin, ann, aNetwork, bob, type Cloud } from './testing/a-cloud.ts'

async function subnetOf({ cloud }: Cloud, network: string, index = 0): Promise<string> {
  return (await cloud.subnets.list(admin, { network }))[index]?.id ?? ''
}

test('a router has the gateway address of its subnets and one of the outside', async () => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/24')
  const { routers, ports } = world.cloud
  await routers.create(ann, { name: 'r' })
  const subnet = await subnetOf(world, network)
  const { interfaces } = await routers.addInterface(ann, 'r', { subnet })
  expect(interfaces).toMatchObject([{ address: '10.0.0.1', subnetId: subnet, networkId: network }])
  expect(await ports.list(ann, { network })).toMatchObject([
    { deviceOwner: 'network:router_interface', filtered: false, groups: [] },
  ])
  const { gateway } = await routers.setGateway(ann, 'r', { network: 'public', snat: true })
  expect(gateway).toMatchObject({ address: '172.24.4.2', snat: true })
  expect(await routers.setGateway(ann, 'r', { network: 'public', snat: true })).toMatchObject({ gateway })
  await expect(routers.setGateway(ann, 'r', { network: 'public', snat: false })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
  await expect(routers.setGateway(ann, 'r', { network, snat: true })).rejects.toThrow('not external')
  await expect(routers.delete(ann, 'r')).rejects.toMatchObject({ code: 'network.in-use' })
  expect((await routers.removeInterface(ann, 'r', { subnet })).interfaces).toEqual([])
  await routers.delete(ann, 'r')
  expect(await world.store.ports.list(null)).toEqual([])
})

test('a port of the network can be the interface instead', async () => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/24', 'fd00::/64')
  const { routers, ports } = world.cloud
  await routers.create(ann, { name: 'r' })
  await ports.create(ann, { network, name: 'two' })
  await expect(routers.addInterface(ann, 'r', { port: 'two' })).rejects.toThrow('must have one address')
  await ports.create(ann, { network, name: 'one', fixedIps: [{ address: '10.0.0.254' }] })
  expect((await routers.addInterface(ann, 'r', { port: 'one' })).interfaces).toMatchObject([{ address: '10.0.0.254' }])
  await expect(routers.addInterface(ann, 'r', { port: 'one' })).rejects.toMatchObject({ code: 'network.in-use' })
  expect((await routers.removeInterface(ann, 'r', { port: 'one' })).interfaces).toEqual([])
  await expect(routers.removeInterface(ann, 'r', { subnet: await subnetOf(world, network) })).rejects.toMatchObject({
    code: 'network.not-found',
  })
})

test('what does not go together on one router is refused', async () => {
  await using world = await aCloud()
  const { routers, networks, subnets } = world.cloud
  const one = await subnetOf(world, await aNetwork(world, ann, 'one', '10.0.0.0/24'))
  const same = await subnetOf(world, await aNetwork(world, ann, 'same', '10.0.0.128/25'))
  const outside = await subnetOf(world, await aNetwork(world, ann, 'outside', '172.24.0.0/16'))
  await routers.create(ann, { name: 'r' })
  await routers.addInterface(ann, 'r', { subnet: one })
  for (const subnet of [one, same]) {
    await expect(routers.addInterface(ann, 'r', { subnet })).rejects.toThrow('overlaps with 10.0.0.0/24')
  }
  await routers.setGateway(ann, 'r', { network: 'public', snat: true })
  await expect(routers.addInterface(ann, 'r', { subnet: outside })).rejects.toThrow('overlaps with 172.24.4.0/24')
  await routers.create(ann, { name: 'second' })
  await expect(routers.addInterface(ann, 'second', { subnet: one })).rejects.toThrow('is in use')
  await routers.addInterface(ann, 'second', { subnet: outside })
  const gateway = routers.setGateway(ann, 'second', { network: 'public', snat: true })
  await expect(gateway).rejects.toThrow('overlaps')
  const publicSubnet = await subnetOf(world, (await networks.get(ann, 'public')).id)
  await expect(routers.addInterface(ann, 'r', { subnet: publicSubnet })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
  await expect(routers.addInterface(admin, (await routers.get(ann, 'r')).id, { subnet: publicSubnet })).rejects.toThrow(
    'is external',
  )
  const { id } = await networks.get(ann, 'one')
  const closed = await subnets.create(ann, { network: id, name: 'closed', cidr: '10.5.0.0/24', gateway: null })
  await expect(routers.addInterface(ann, 'r', { subnet: closed.id })).rejects.toThrow('no gateway address')
})

test('nobody connects a router to a network of somebody else', async () => {
  await using world = await aCloud()
  const { routers, networks, subnets, ports } = world.cloud
  const { id: network } = await networks.create(admin, { name: 'all', shared: true, external: false })
  const { id: subnet } = await subnets.create(admin, { network, name: 'all', cidr: '10.0.0.0/24' })
  await routers.create(ann, { name: 'r' })
  await expect(routers.addInterface(ann, 'r', { subnet })).rejects.toMatchObject({ code: 'policy.forbidden' })
  await ports.create(ann, { network, name: 'p' })
  await expect(routers.addInterface(ann, 'r', { port: 'p' })).rejects.toMatchObject({ code: 'policy.forbidden' })
  await expect(routers.get(bob, (await routers.get(ann, 'r')).id)).rejects.toMatchObject({
    details: { type: 'router' },
  })
})
