import { expect, test } from 'vitest'
import { aCloud, admin, ann, aNetwork, bob } from './testing/a-cloud.ts'

const tcp = { protocol: 'tcp', internalPort: 80 } as const

test('a floating IP leads to a container’s address through the project’s router', async () => {
  await using world = await aCloud()
  const { floatingIps, routers } = world.cloud
  const { id, nics } = await world.run(ann)
  const port = nics[0]?.portId ?? ''
  const ip = await floatingIps.create(ann, {})
  expect(ip).toMatchObject({ address: '172.24.4.3', portId: null, fixedAddress: null, routerId: null })
  const [router] = await routers.list(ann)
  expect(await floatingIps.associate(ann, ip.address, port)).toMatchObject({
    portId: port,
    fixedAddress: '10.100.0.2',
    routerId: router?.id,
  })
  await expect(routers.setGateway(ann, 'router', null)).rejects.toThrow('lead them elsewhere first: 172.24.4.3')
  const { subnetId: subnet = '' } = router?.interfaces[0] ?? {}
  await expect(routers.removeInterface(ann, 'router', { subnet })).rejects.toThrow('172.24.4.3')
  const second = await floatingIps.create(ann, {})
  await expect(floatingIps.associate(ann, second.id, port)).rejects.toThrow('has floating IP 172.24.4.3 already')
  await world.forget(id)
  expect(await floatingIps.get(ann, ip.id)).toMatchObject({ portId: null, fixedAddress: null, routerId: null })
  await routers.setGateway(ann, 'router', null)
  await floatingIps.delete(ann, ip.address)
  await floatingIps.delete(ann, second.address)
  expect((await world.store.ports.list(null)).map(({ deviceOwner }) => deviceOwner)).toEqual([
    'network:router_interface',
  ])
})

test('one that a router does not reach is refused with a remedy, and nothing is left', async () => {
  await using world = await aCloud()
  const { floatingIps, ports } = world.cloud
  const network = await aNetwork(world, ann, 'apart', '10.0.0.0/24', 'fd00::/64')
  const { id: port } = await ports.create(ann, { network, name: 'p' })
  await expect(floatingIps.create(ann, { port })).rejects.toThrow('Connect the subnet to such a router.')
  expect(await floatingIps.list(ann)).toEqual([])
  await expect(floatingIps.create(ann, { port, fixedAddress: 'fd00::2' })).rejects.toThrow('an IPv4 address')
  await expect(floatingIps.create(ann, { port, fixedAddress: '10.0.0.99' })).rejects.toThrow('has no address 10.0.0.99')
  await expect(floatingIps.create(ann, { network })).rejects.toThrow('is not external')
})

test('an asked address is one of the outside, and free', async () => {
  await using world = await aCloud()
  const { floatingIps } = world.cloud
  expect(await floatingIps.create(ann, { address: '172.24.4.77' })).toMatchObject({ address: '172.24.4.77' })
  for (const address of ['172.24.4.77', '172.24.4.1']) {
    await expect(floatingIps.create(bob, { address })).rejects.toMatchObject({ code: 'address.in-use' })
  }
  for (const address of ['10.0.0.1', '172.24.4.0', 'x', 'fd00::1']) {
    await expect(floatingIps.create(bob, { address })).rejects.toMatchObject({ code: 'request.invalid' })
  }
  await expect(floatingIps.get(bob, '172.24.4.77')).rejects.toMatchObject({ details: { type: 'floating IP' } })
  expect(await floatingIps.list(bob)).toEqual([])
  expect(await floatingIps.list(admin, { allProjects: true })).toHaveLength(1)
})

test('single ports are forwarded from one that leads nowhere as a whole', async () => {
  await using world = await aCloud()
  const { floatingIps } = world.cloud
  const { id, nics } = await world.run(ann)
  const port = nics[0]?.portId ?? ''
  const { id: ip } = await floatingIps.create(ann, {})
  const made = await floatingIps.addForwarding(ann, ip, { ...tcp, externalPort: 8080, port })
  expect(made).toMatchObject({ protocol: 'tcp', externalPort: 8080, portId: port, address: '10.100.0.2' })
  await expect(floatingIps.addForwarding(ann, ip, { ...tcp, externalPort: 8080, port })).rejects.toThrow('already')
  await floatingIps.addForwarding(ann, ip, { ...tcp, protocol: 'udp', externalPort: 8080, port })
  await expect(floatingIps.associate(ann, ip, port)).rejects.toThrow('remove its port forwardings first')
  for (const wrong of [{ externalPort: 0 }, { externalPort: 1, internalPort: 70_000 }]) {
    await expect(floatingIps.addForwarding(ann, ip, { ...tcp, port, ...wrong })).rejects.toThrow('1 to 65535')
  }
  await floatingIps.removeForwarding(ann, ip, made.id)
  await expect(floatingIps.removeForwarding(ann, ip, made.id)).rejects.toMatchObject({ code: 'network.not-found' })
  expect((await floatingIps.get(ann, ip)).routerId).not.toBeNull()
  await world.forget(id)
  expect(await floatingIps.get(ann, ip)).toMatchObject({ forwardings: [], routerId: null })

  const { nics: next } = await world.run(ann)
  await floatingIps.associate(ann, ip, next[0]?.portId ?? '')
  const more = floatingIps.addForwarding(ann, ip, { ...tcp, externalPort: 1, port: next[0]?.portId ?? '' })
  await expect(more).rejects.toThrow('leads to a port as a whole')
})

test('a port of somebody else is not found', async () => {
  await using world = await aCloud()
  const { nics } = await world.run(ann)
  const port = nics[0]?.portId ?? ''
  const { id } = await world.cloud.floatingIps.create(bob, {})
  for (const refused of [
    world.cloud.floatingIps.associate(bob, id, port),
    world.cloud.floatingIps.addForwarding(bob, id, { ...tcp, externalPort: 80, port }),
  ]) {
    await expect(refused).rejects.toMatchObject({ code: 'network.not-found', details: { type: 'port' } })
  }
})
