import { expect, test } from 'vitest'
import { aCloud, admin, ann, aNetwork, bob } from './testing/a-cloud.ts'

test('a project sees its own, shared and external networks, and changes only its own', async () => {
  await using world = await aCloud()
  const { networks } = world.cloud
  const mine = await networks.create(ann, { name: 'mine', shared: false, external: false })
  const shared = await networks.create(admin, { name: 'all', shared: true, external: false })
  const names = async (caller = ann) => (await networks.list(caller)).map(({ name }) => name).toSorted()
  expect(await names()).toEqual(['all', 'mine', 'public'])
  expect(await names(bob)).toEqual(['all', 'public'])
  expect((await networks.list(admin, { allProjects: true })).length).toBe(3)
  await expect(networks.list(ann, { allProjects: true })).rejects.toMatchObject({ code: 'policy.forbidden' })

  await expect(networks.get(bob, mine.id)).rejects.toMatchObject({ code: 'network.not-found' })
  await expect(networks.delete(bob, mine.id)).rejects.toMatchObject({ code: 'network.not-found' })
  await expect(networks.delete(bob, shared.id)).rejects.toMatchObject({ code: 'policy.forbidden' })
  await expect(networks.rename(ann, 'public', 'x')).rejects.toMatchObject({ code: 'policy.forbidden' })
  expect(await networks.rename(admin, mine.id, 'renamed')).toMatchObject({ name: 'renamed', projectId: 'ann' })
  await networks.delete(ann, 'renamed')
  await expect(networks.get(ann, mine.id)).rejects.toMatchObject({ code: 'network.not-found' })
})

test('a name that two networks have is ambiguous; an empty one means none', async () => {
  await using world = await aCloud()
  await aNetwork(world, ann, 'twin')
  const second = await aNetwork(world, ann, 'twin')
  await aNetwork(world, ann, '')
  await expect(world.cloud.networks.get(ann, 'twin')).rejects.toMatchObject({ code: 'network.ambiguous' })
  await expect(world.cloud.networks.get(ann, '')).rejects.toMatchObject({ code: 'network.not-found' })
  expect((await world.cloud.networks.get(ann, second)).id).toBe(second)
})

test.each([
  ['shared', { shared: true, external: false }],
  ['external', { shared: false, external: true }],
])('only an administrator makes a network %s', async (_what, flags) => {
  await using world = await aCloud()
  await expect(world.cloud.networks.create(ann, { name: 'x', ...flags })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
})

test('a network in use stays, and says what uses it', async () => {
  await using world = await aCloud()
  const id = await aNetwork(world, ann, 'net', '10.0.0.0/24')
  const { id: container } = await world.run(ann, { nets: [{ network: id, addresses: [] }] })
  await expect(world.cloud.networks.delete(ann, id)).rejects.toThrow('port of a container (1)')
  await expect(
    world.cloud.subnets.delete(ann, (await world.cloud.subnets.list(ann, { network: id }))[0]?.id ?? ''),
  ).rejects.toMatchObject({ code: 'network.in-use' })
  await world.forget(container)
  await world.cloud.networks.delete(ann, id)
  expect(await world.store.subnets.countOf(ann.projectId)).toBe(0)
})

test('a subnet is canonical, has a gateway and pools without it', async () => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net')
  const { subnets } = world.cloud
  expect(await subnets.create(ann, { network, name: 'a', cidr: '10.0.0.0/24' })).toMatchObject({
    version: 4,
    gateway: '10.0.0.1',
    pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
  })
  const v6 = await subnets.create(ann, { network, name: 'b', cidr: 'FD00:0:0:1::/64', gateway: null })
  expect(v6).toMatchObject({ version: 6, cidr: 'fd00:0:0:1::/64', gateway: null })
  expect(v6.pools).toEqual([{ start: 'fd00:0:0:1::1', end: 'fd00::1:ffff:ffff:ffff:ffff' }])
  const middle = await subnets.create(ann, { network, name: 'c', cidr: '10.0.1.0/29', gateway: '10.0.1.3' })
  expect(middle.pools).toEqual([
    { start: '10.0.1.1', end: '10.0.1.2' },
    { start: '10.0.1.4', end: '10.0.1.6' },
  ])
  await expect(subnets.create(bob, { network, name: 'x', cidr: '10.9.0.0/24' })).rejects.toMatchObject({
    code: 'network.not-found',
  })
  await expect(subnets.create(ann, { network: 'public', name: 'x', cidr: '10.9.0.0/24' })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
})

test.each([
  [{ cidr: '10.0.0.1/24' }, 'the subnet is 10.0.0.0/24'],
  [{ cidr: '10.0.0.0' }, 'not a subnet like'],
  [{ cidr: 'ten' }, 'not a subnet like'],
  [{ cidr: '10.0.0.0/31' }, '/8 to /30'],
  [{ cidr: '0.0.0.0/0' }, '/8 to /30'],
  [{ cidr: '127.0.0.0/8' }, 'set aside (loopback)'],
  [{ cidr: '224.0.0.0/24' }, 'set aside (multicast)'],
  [{ cidr: 'fe80::/64' }, 'set aside (linkLocal)'],
  [{ cidr: '10.0.0.0/24', gateway: '10.0.1.1' }, 'Gateway 10.0.1.1'],
  [{ cidr: '10.0.0.0/24', gateway: '10.0.0.255' }, 'Gateway 10.0.0.255'],
  [{ cidr: '10.0.0.0/24', pools: [{ start: '10.0.0.9', end: '10.0.0.3' }] }, 'not a range'],
  [{ cidr: '10.0.0.0/24', pools: [{ start: '10.0.0.2', end: '10.0.1.3' }] }, 'not a range'],
  [{ cidr: '10.0.0.0/24', pools: [{ start: '10.0.0.1', end: '10.0.0.3' }] }, 'lies in a pool'],
  [
    {
      cidr: '10.0.0.0/24',
      pools: [
        { start: '10.0.0.5', end: '10.0.0.9' },
        { start: '10.0.0.2', end: '10.0.0.5' },
      ],
    },
    'overlap',
  ],
  [{ cidr: '10.0.0.0/24', dnsServers: ['dns.example'] }, 'DNS server'],
  [{ cidr: '192.168.0.128/25' }, 'overlaps with subnet 192.168.0.0/24'],
])('the subnet %j is refused with a sentence', async (input, sentence) => {
  await using world = await aCloud()
  const network = await aNetwork(world, ann, 'net', '192.168.0.0/24')
  const refused = world.cloud.subnets.create(ann, { network, name: '', ...input })
  await expect(refused).rejects.toThrow(sentence)
  await expect(refused).rejects.not.toMatchObject({ kind: 'internal' })
})

test('limits are those of the project, and name what they limit', async () => {
  await using world = await aCloud({ limits: { networks: 1, ports: 2, groups: 1 } })
  const id = await aNetwork(world, ann, 'net', '10.0.0.0/24')
  await expect(aNetwork(world, ann, 'more')).rejects.toThrow('Quota exceeded for networks: 1 of 1 used, 1 more')
  await aNetwork(world, bob, 'other')
  await world.run(ann, { nets: [{ network: id, addresses: [] }] })
  await world.run(ann, { nets: [{ network: id, addresses: [] }] })
  const third = world.run(ann, { nets: [{ network: id, addresses: [] }] })
  await expect(third).rejects.toMatchObject({ code: 'quota.exceeded', details: { limit: 2, used: 2, asked: 1 } })
})

test('the public network is made once, for the administrators’ project', async () => {
  await using world = await aCloud()
  const again = await world.cloud.ensurePublic(admin.projectId)
  expect((await world.store.networks.visible(null)).map(({ id }) => id)).toEqual([again.id])
  expect(again).toMatchObject({ name: 'public', external: true, shared: false, projectId: 'admins' })
  expect(await world.cloud.subnets.list(ann, { network: 'public' })).toMatchObject([{ gateway: '172.24.4.1' }])
})
