import type { PortId } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCloud, admin, ann, aNetwork, bob } from './testing/a-cloud.ts'

test('a port has an address of each version, a MAC address and the default group', async () => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/24', 'fd00::/64')
  const { ports, groups } = world.cloud
  const first = await ports.create(ann, { network, name: 'a' })
  const second = await ports.create(ann, { network, name: 'b' })
  expect(first.fixedIps.map(({ address }) => address)).toEqual(['10.0.0.2', 'fd00::2'])
  expect(second.fixedIps.map(({ address }) => address)).toEqual(['10.0.0.3', 'fd00::3'])
  expect(first.mac).toMatch(/^fa:16:3e(:[0-9a-f]{2}){3}$/)
  expect(first.groups).toEqual([(await groups.get(ann, 'default')).id])
  expect(first).toMatchObject({ deviceId: null, deviceOwner: '', preserve: true, filtered: true })
  await ports.delete(ann, 'a')
  const third = await ports.create(ann, { network, name: 'c' })
  expect(third.fixedIps.map(({ address }) => address)).toEqual(['10.0.0.2', 'fd00::2'])
})

test('asked addresses are honoured, and only they', async () => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/24', '10.0.1.0/24', 'fd00::/64')
  const { ports } = world.cloud
  const addresses = async (...fixedIps: { subnet?: string; address?: string }[]) =>
    (await ports.create(ann, { network, name: '', fixedIps })).fixedIps.map(({ address }) => address)
  expect(await addresses({ address: '10.0.1.77' })).toEqual(['10.0.1.77'])
  expect(await addresses({ address: 'FD00::0009' }, { address: '10.0.0.9' })).toEqual(['fd00::9', '10.0.0.9'])
  const [, second] = await world.cloud.subnets.list(ann, { network })
  expect(await addresses({ subnet: second?.id ?? '' }, { subnet: second?.id ?? '' })).toEqual(['10.0.1.2', '10.0.1.3'])
  expect(await addresses()).toEqual([])
  await expect(addresses({ address: '10.0.1.77' })).rejects.toMatchObject({ code: 'address.in-use' })
  for (const wrong of ['10.0.2.1', '10.0.0.0', '10.0.0.255', 'nine']) {
    await expect(addresses({ address: wrong })).rejects.toMatchObject({ code: 'request.invalid' })
  }
  await expect(addresses({ address: '10.0.0.50' }, { address: '10.0.0.50' })).rejects.toThrow('twice')
  await expect(addresses({ subnet: 'elsewhere' })).rejects.toThrow('There is no subnet elsewhere')
})

test('a subnet that is full sends to the next one, and the last says that none is left', async () => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/30', '10.0.1.0/30')
  const { ports } = world.cloud
  const next = async () => (await ports.create(ann, { network, name: '' })).fixedIps[0]?.address
  expect([await next(), await next()]).toEqual(['10.0.0.2', '10.0.1.2'])
  await expect(next()).rejects.toThrow('No free address is left on subnet 10.0.0.0/30 and subnet 10.0.1.0/30.')
})

test('MAC addresses are those of one interface, and unique', async () => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/24')
  const { ports } = world.cloud
  const withMac = (mac: string) => ports.create(ann, { network, name: '', mac })
  expect((await withMac('02:00:00:00:00:AA')).mac).toBe('02:00:00:00:00:aa')
  await expect(withMac('02:00:00:00:00:aa')).rejects.toMatchObject({ code: 'network.conflict' })
  for (const wrong of ['01:00:00:00:00:01', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00', '02-00-00-00-00-01', 'mac']) {
    await expect(withMac(wrong)).rejects.toMatchObject({ code: 'request.invalid' })
  }
})

test('guests of a shared network cannot pass for somebody else there', async () => {
  await using world = await aCloud()
  const { networks, subnets, ports } = world.cloud
  const { id: network } = await networks.create(admin, { name: 'all', shared: true, external: false })
  await subnets.create(admin, { network, name: '', cidr: '10.0.0.0/24' })
  const wrongs = [{ filtered: false }, { mac: '02:00:00:00:00:01' }, { fixedIps: [{ address: '10.0.0.1' }] }]
  for (const wrong of wrongs) {
    await expect(ports.create(ann, { network, name: '', ...wrong })).rejects.toMatchObject({ code: 'policy.forbidden' })
  }
  const port = await ports.create(ann, { network, name: 'mine' })
  await expect(ports.update(ann, 'mine', { filtered: false, groups: [] })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
  const gateway = world.run(ann, { nets: [{ network, addresses: ['10.0.0.1'] }] })
  await expect(gateway).rejects.toMatchObject({ code: 'policy.forbidden' })
  await expect(ports.get(bob, port.id)).rejects.toMatchObject({ code: 'network.not-found' })
  await expect(ports.create(ann, { network: 'public', name: '' })).rejects.toMatchObject({ code: 'policy.forbidden' })
})

test('groups and filtering of a port go together', async () => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/24')
  const { ports, groups } = world.cloud
  const web = await groups.create(ann, { name: 'web', description: '' })
  await ports.create(ann, { network, name: 'p', groups: ['web', web.id] })
  expect((await ports.get(ann, 'p')).groups).toEqual([web.id])
  await expect(ports.update(ann, 'p', { filtered: false })).rejects.toMatchObject({ code: 'network.conflict' })
  expect(await ports.update(ann, 'p', { filtered: false, groups: [] })).toMatchObject({ filtered: false, groups: [] })
  await expect(ports.update(ann, 'p', { groups: ['web'] })).rejects.toMatchObject({ code: 'network.conflict' })
  const foreign = await groups.create(bob, { name: 'theirs', description: '' })
  const named = ports.update(ann, 'p', { filtered: true, groups: [foreign.id] })
  await expect(named).rejects.toMatchObject({ code: 'network.not-found', details: { type: 'security group' } })
  expect(await ports.update(ann, 'p', { name: 'q', filtered: true, groups: ['default'] })).toMatchObject({ name: 'q' })
})

test('ports that something uses are listed but not deleted by hand', async () => {
  await using world = await aCloud()
  const { id, nics } = await world.run(ann)
  const { ports, routers } = world.cloud
  expect(await ports.list(ann, { device: id })).toMatchObject([{ id: nics[0]?.portId, deviceOwner: 'compute:kuryr' }])
  expect(await ports.list(bob, { device: id })).toEqual([])
  await expect(ports.delete(ann, nics[0]?.portId ?? '')).rejects.toMatchObject({ code: 'network.in-use' })
  const [router] = await routers.list(ann)
  for (const portId of [router?.interfaces[0]?.portId, router?.gateway?.portId]) {
    await expect(ports.delete(admin, portId ?? '')).rejects.toMatchObject({ code: 'network.in-use' })
  }
  await expect(ports.get(ann, router?.gateway?.portId ?? '')).rejects.toMatchObject({ code: 'network.not-found' })
  expect(await world.store.ports.get(nics[0]?.portId as PortId)).toBeDefined()
  expect((await ports.list(ann)).length).toBe(2)
  expect((await ports.list(admin, { allProjects: true })).length).toBe(3)
})
