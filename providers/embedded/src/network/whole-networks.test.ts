import { expect, test } from 'vitest'
import { aCloud, ann, aNetwork, bob, type Cloud } from './testing/a-cloud.ts'

const plain = { labels: {}, subnets: [], internal: false, ipv6: false }

async function cidrsOf({ cloud }: Pick<Cloud, 'cloud'>, network: string) {
  return (await cloud.subnets.list(ann, { network })).map(({ cidr, gateway }) => [cidr, gateway])
}

test('the usual network is made once, and is where containers go that name none', async () => {
  await using world = await aCloud()
  const { networks } = world.cloud
  const usual = await networks.ensureUsual(ann)
  expect(await networks.ensureUsual(ann)).toEqual(usual)
  expect(usual).toMatchObject({ name: 'private', usual: true })
  const { nics } = await world.run(ann)
  expect(nics.map(({ networkId }) => networkId)).toEqual([usual.id])
  expect((await networks.ensureUsual(bob)).id).not.toBe(usual.id)
})

test('what containers were on before is settled as the usual one', async () => {
  await using world = await aCloud()
  const { nics } = await world.run(ann)
  expect((await world.cloud.networks.ensureUsual(ann)).id).toBe(nics[0]?.networkId)
})

test('one without a way out is not settled, unless it is called bridge', async () => {
  await using world = await aCloud()
  const apart = await aNetwork(world, ann, 'apart', '10.100.0.0/20')
  const usual = await world.cloud.networks.ensureUsual(ann)
  expect(usual.id).not.toBe(apart)
  expect(await cidrsOf(world, usual.id)).toEqual([['10.101.0.0/20', '10.101.0.1']])
  const bridge = await aNetwork(world, bob, 'bridge', '10.0.0.0/24')
  expect((await world.cloud.networks.ensureUsual(bob)).id).toBe(bridge)
})

test('a whole network has a subnet and the router of the usual one, and goes with both', async () => {
  await using world = await aCloud()
  const { networks, routers } = world.cloud
  const net = await networks.createWhole(ann, { ...plain, name: 'web', labels: { a: 'b' } })
  expect(net).toMatchObject({ name: 'web', labels: { a: 'b' } })
  expect(await cidrsOf(world, net.id)).toEqual([['10.200.0.0/24', '10.200.0.1']])
  const [router, none] = await routers.list(ann)
  expect(router?.interfaces.map(({ address }) => address)).toEqual(['10.100.0.1', '10.200.0.1'])
  expect(none).toBeUndefined()
  await expect(networks.createWhole(ann, { ...plain, name: 'web' })).rejects.toMatchObject({
    code: 'network.name-taken',
  })
  const second = await networks.createWhole(ann, { ...plain, name: 'next', ipv6: true })
  expect((await cidrsOf(world, second.id)).map(([cidr]) => cidr)).toEqual([
    '10.200.1.0/24',
    expect.stringMatching(/^fd[0-9a-f:]+\/64$/),
  ])
  await networks.deleteWhole(ann, 'web')
  await networks.deleteWhole(ann, second.id)
  expect((await routers.list(ann))[0]?.interfaces).toHaveLength(1)
  expect((await networks.list(ann)).map(({ name }) => name)).toEqual(['public', 'private'])
})

test('an internal one has no way out', async () => {
  await using world = await aCloud()
  const net = await world.cloud.networks.createWhole(ann, { ...plain, name: 'inner', internal: true })
  expect(await cidrsOf(world, net.id)).toEqual([['10.200.0.0/24', null]])
  expect(await world.cloud.routers.list(ann)).toEqual([])
  await world.cloud.networks.deleteWhole(ann, net.id)
})

test('one with a container on it, or the usual one, stays', async () => {
  await using world = await aCloud()
  const { networks } = world.cloud
  const net = await networks.createWhole(ann, { ...plain, name: 'web' })
  const { id } = await world.run(ann, { nets: [{ network: net.id, addresses: [] }] })
  await expect(networks.deleteWhole(ann, 'web')).rejects.toThrow('port of a container (1)')
  await expect(networks.deleteWhole(bob, net.id)).rejects.toMatchObject({ code: 'network.not-found' })
  await world.forget(id)
  await networks.deleteWhole(ann, 'web')
  const usual = await networks.ensureUsual(ann)
  await expect(networks.deleteWhole(ann, usual.id)).rejects.toMatchObject({ code: 'policy.forbidden' })
})

test('what leads to a container of it goes first, with the container', async () => {
  await using world = await aCloud()
  const { networks, floatingIps } = world.cloud
  const net = await networks.createWhole(ann, { ...plain, name: 'web' })
  const { id, nics } = await world.run(ann, { nets: [{ network: net.id, addresses: [] }] })
  const ip = await floatingIps.create(ann, {})
  const forwarding = { protocol: 'tcp', externalPort: 80, internalPort: 80, port: nics[0]?.portId ?? '' } as const
  await floatingIps.addForwarding(ann, ip.id, forwarding)
  await world.forget(id)
  await networks.deleteWhole(ann, 'web')
  expect((await floatingIps.get(ann, ip.id)).forwardings).toEqual([])
})

test('subnets are as asked for, with what is not given out', async () => {
  await using world = await aCloud()
  const subnet = {
    cidr: '10.9.0.0/24',
    gateway: '10.9.0.254',
    range: '10.9.0.8/30',
    reserved: ['10.9.0.9'],
  }
  const net = await world.cloud.networks.createWhole(ann, { ...plain, name: 'web', subnets: [subnet] })
  const [made] = await world.cloud.subnets.list(ann, { network: net.id })
  expect(made).toMatchObject({
    gateway: '10.9.0.254',
    pools: [
      { start: '10.9.0.8', end: '10.9.0.8' },
      { start: '10.9.0.10', end: '10.9.0.11' },
    ],
  })
})

test.each([
  [[{ cidr: '10.100.4.0/24', reserved: [] }], 'network.overlap'],
  [[{ cidr: '10.1.0/24', reserved: [] }], 'request.invalid'],
  [[{ cidr: '10.1.0.0/24', range: '10.2.0.0/28', reserved: [] }], 'request.invalid'],
  [[{ cidr: '10.1.0.0/24', range: '10.0.0.0/8', reserved: [] }], 'request.invalid'],
  [[{ cidr: '10.1.0.0/24', reserved: ['10.3.0.1'] }], 'request.invalid'],
  [[{ cidr: '10.1.0.0/24', gateway: '10.4.0.1', reserved: [] }], 'request.invalid'],
  [
    [
      { cidr: '10.1.0.0/24', reserved: [] },
      { cidr: '10.2.0.0/24', reserved: [] },
    ],
    'request.invalid',
  ],
])('%j is %s, and nothing is left of it', async (subnets, code) => {
  await using world = await aCloud()
  const { networks, subnets: all } = world.cloud
  await networks.ensureUsual(ann)
  await expect(networks.createWhole(ann, { ...plain, name: 'x', subnets })).rejects.toMatchObject({ code })
  expect((await networks.list(ann)).map(({ name }) => name)).toEqual(['public', 'private'])
  expect((await all.list(ann)).map(({ name }) => name)).toEqual(['public', 'private'])
})
