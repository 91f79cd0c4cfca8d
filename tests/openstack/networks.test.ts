import type { NetworkVerbs } from '@gantry/control'
import type { Caller } from '@gantry/model'
import { allOf, type NetworkService, networkService } from '@gantry/openstack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, type TestCloud, testCloud, type TestProject } from './fixtures/test-cloud.ts'
import { type VerbsWorld, verbsWorld } from './verbs-world.ts'

let cloud: TestCloud
let world: VerbsWorld
let verbs: NetworkVerbs
let project: TestProject
let member: Caller
let admin: Caller
let stranger: Caller
/** With the member's own token, past Gantry. */
let neutron: NetworkService

beforeAll(async () => {
  cloud = await testCloud()
  world = await verbsWorld(cloud)
  verbs = world.verbs
  project = await cloud.newProject()
  const other = await cloud.newProject()
  member = await world.callerOf(project.member)
  admin = await world.callerOf(project.admin, true)
  stranger = await world.callerOf(other.member)
  neutron = networkService(cloud.session(project.member))
}, 120_000)

afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
}, 120_000)

const fault = (code: string) => expect.objectContaining({ code })
const plain = { shared: false, external: false }
const docker = { labels: {}, subnets: [], ipv6: false, internal: false }

test('a network is made, seen, renamed and deleted; what another project has is not found', async () => {
  const made = await verbs.networks.create(member, { name: 'shop', ...plain })
  expect(made).toMatchObject({ name: 'shop', projectId: member.projectId, shared: false, external: false })
  expect(made.createdAt).toBeGreaterThan(Date.now() - 600_000)
  expect(await verbs.networks.get(member, 'shop')).toEqual(made)
  expect(await verbs.networks.get(member, made.id)).toEqual(made)
  await expect(verbs.networks.get(stranger, made.id)).rejects.toEqual(fault('network.not-found'))
  await expect(verbs.networks.get(stranger, 'shop')).rejects.toEqual(fault('network.not-found'))
  await expect(verbs.networks.delete(stranger, made.id)).rejects.toEqual(fault('network.not-found'))
  expect((await verbs.networks.list(stranger)).map(({ id }) => id)).not.toContain(made.id)
  expect((await verbs.networks.rename(member, 'shop', 'store')).name).toBe('store')
  expect((await verbs.networks.list(member)).map(({ name }) => name)).toContain('store')
  const twin = await verbs.networks.create(member, { name: 'store', ...plain })
  await expect(verbs.networks.get(member, 'store')).rejects.toEqual(fault('network.ambiguous'))
  await verbs.networks.delete(member, twin.id)
  await verbs.networks.delete(member, 'store')
  await expect(verbs.networks.get(member, made.id)).rejects.toEqual(fault('network.not-found'))
})

test('an administrator reaches a network by id, and by name only in her own sight', async () => {
  const { id } = await verbs.networks.create(stranger, { name: 'hidden', ...plain })
  expect((await verbs.networks.get(admin, id)).projectId).toBe(stranger.projectId)
  await expect(verbs.networks.get(admin, 'hidden')).rejects.toEqual(fault('network.not-found'))
  expect((await verbs.networks.list(admin)).map((each) => each.id)).not.toContain(id)
  expect((await verbs.networks.list(admin, { allProjects: true })).map((each) => each.id)).toContain(id)
  await expect(verbs.networks.list(member, { allProjects: true })).rejects.toEqual(fault('policy.forbidden'))
  await expect(verbs.networks.create(member, { name: 'x', shared: true, external: false })).rejects.toEqual(
    fault('policy.forbidden'),
  )
  await verbs.networks.delete(stranger, id)
})

test('subnets of both versions, with pools, servers of names and without a gateway', async () => {
  const { id } = await verbs.networks.create(member, { name: 'wide', ...plain })
  const four = await verbs.subnets.create(member, {
    network: 'wide',
    name: 'four',
    cidr: '10.71.0.0/24',
    gateway: '10.71.0.254',
    pools: [{ start: '10.71.0.10', end: '10.71.0.20' }],
    dnsServers: ['9.9.9.9'],
  })
  expect(four).toMatchObject({
    networkId: id,
    version: 4,
    gateway: '10.71.0.254',
    pools: [{ start: '10.71.0.10', end: '10.71.0.20' }],
    dnsServers: ['9.9.9.9'],
  })
  const six = await verbs.subnets.create(member, { network: id, name: 'six', cidr: 'fd71::/64', gateway: null })
  expect(six).toMatchObject({ version: 6, cidr: 'fd71::/64', gateway: null })
  const listed = await verbs.subnets.list(member, { network: 'wide' })
  expect(listed.map(({ name }) => name).toSorted()).toEqual(['four', 'six'])
  expect((await verbs.subnets.list(member)).map(({ name }) => name)).toEqual(expect.arrayContaining(['four', 'six']))
  expect((await verbs.subnets.list(admin)).map((each) => each.id)).toEqual(expect.arrayContaining([four.id, six.id]))
  expect(await verbs.subnets.get(member, 'six')).toEqual(six)
  await expect(verbs.subnets.get(stranger, four.id)).rejects.toEqual(fault('network.not-found'))
  for (const cidr of ['10.71.0.0/25', 'nonsense', '10.0.0.0/64', '']) {
    const made = verbs.subnets.create(member, { network: id, name: '', cidr })
    await expect(made, cidr).rejects.toMatchObject({ code: expect.stringMatching(/^(request|service)\.invalid$/) })
  }
  const port = await verbs.ports.create(member, { network: id, name: 'p', fixedIps: [{ subnet: 'six' }, {}] })
  expect(port.fixedIps.map(({ subnetId }) => subnetId)).toEqual(expect.arrayContaining([six.id, four.id]))
  await expect(verbs.subnets.delete(member, 'four')).rejects.toEqual(fault('network.in-use'))
  await expect(verbs.networks.delete(member, id)).rejects.toMatchObject({
    code: 'network.in-use',
    message: expect.stringContaining('free port (1)'),
  })
  await verbs.ports.delete(member, port.id)
  await verbs.subnets.delete(member, 'six')
  await verbs.networks.delete(member, id)
})

test('ports: addresses, groups, filters; what is in use is said', async () => {
  const { id } = await verbs.networks.create(member, { name: 'small', ...plain })
  await verbs.subnets.create(member, {
    network: id,
    name: '',
    cidr: '10.72.0.0/24',
    pools: [{ start: '10.72.0.4', end: '10.72.0.6' }],
  })
  const group = await verbs.groups.create(member, { name: 'web', description: 'of the web' })
  const asked = {
    network: 'small',
    name: 'p1',
    groups: ['web'],
    fixedIps: [{ address: '10.72.0.9' }],
    mac: '02:00:00:00:72:01',
  }
  const port = await verbs.ports.create(member, asked)
  expect(port).toMatchObject({
    name: 'p1',
    mac: '02:00:00:00:72:01',
    groups: [group.id],
    filtered: true,
    deviceId: null,
    deviceOwner: '',
    preserve: true,
  })
  expect(port.fixedIps.map(({ address }) => address)).toEqual(['10.72.0.9'])
  expect(await verbs.ports.get(member, 'p1')).toEqual(port)
  expect(await verbs.ports.list(member, { network: 'small' })).toEqual(expect.arrayContaining([port]))
  expect(await verbs.ports.list(member, { device: 'nobody' })).toEqual([])
  await expect(verbs.ports.get(stranger, port.id)).rejects.toEqual(fault('network.not-found'))
  const again = { network: id, name: '', fixedIps: [{ address: '10.72.0.9' }] }
  await expect(verbs.ports.create(member, again)).rejects.toEqual(fault('address.in-use'))
  const foreign = { network: id, name: '', fixedIps: [{ address: '10.99.0.9' }] }
  await expect(verbs.ports.create(member, foreign)).rejects.toEqual(fault('request.invalid'))
  await expect(verbs.groups.delete(member, 'web')).rejects.toEqual(fault('network.in-use'))
  const open = await verbs.ports.update(member, 'p1', { groups: [], filtered: false, name: 'p2' })
  expect(open).toMatchObject({ name: 'p2', groups: [], filtered: false })
  const taken: string[] = []
  for (;;) {
    const made = await verbs.ports.create(member, { network: id, name: '' }).catch((error: unknown) => error)
    if (made instanceof Error) {
      expect(made).toEqual(fault('address.none-left'))
      break
    }
    taken.push((made as { id: string }).id)
  }
  expect(taken.length).toBeGreaterThan(0)
  for (const one of [...taken, open.id]) await verbs.ports.delete(member, one)
  await verbs.groups.delete(member, 'web')
  await verbs.networks.delete(member, id)
})

test('a port that a container has is not deleted under it', async () => {
  const { id } = await verbs.networks.create(member, { name: 'held', ...plain })
  const body = { network_id: id, device_id: 'some-container', device_owner: 'compute:kuryr' }
  const port = await neutron.ports.create(body, cloud.context())
  await expect(verbs.ports.delete(member, port.id)).rejects.toEqual(fault('network.in-use'))
  await expect(verbs.networks.delete(member, 'held')).rejects.toMatchObject({
    code: 'network.in-use',
    message: expect.stringContaining('port of a container (1)'),
  })
  await neutron.ports.remove(port.id, cloud.context())
  await verbs.networks.delete(member, 'held')
})

test('security groups and their rules', async () => {
  expect((await verbs.groups.list(member)).map(({ name }) => name)).toContain('default')
  const made = await verbs.groups.create(member, { name: 'db', description: '' })
  expect(made.rules.map(({ direction, version }) => `${direction} ${version}`).toSorted()).toEqual([
    'egress 4',
    'egress 6',
  ])
  const any = { protocol: null, portMin: null, portMax: null, remotePrefix: null, remoteGroup: null }
  const rule = await verbs.groups.addRule(member, 'db', {
    ...any,
    direction: 'ingress',
    protocol: 'tcp',
    portMin: 5432,
    remotePrefix: '10.0.0.0/8',
  })
  expect(rule).toMatchObject({ version: 4, protocol: 'tcp', portMin: 5432, portMax: 5432, remotePrefix: '10.0.0.0/8' })
  const ping = await verbs.groups.addRule(member, 'db', { ...any, direction: 'ingress', protocol: 'icmp', version: 6 })
  expect(ping).toMatchObject({ version: 6, protocol: 'icmpv6' })
  const own = await verbs.groups.addRule(member, 'db', { ...any, direction: 'ingress', remoteGroup: 'default' })
  const { id: defaultId } = await verbs.groups.get(member, 'default')
  expect(own.remoteGroupId).toBe(defaultId)
  const twice = { ...any, direction: 'ingress', remoteGroup: 'default' } as const
  await expect(verbs.groups.addRule(member, 'db', twice)).rejects.toEqual(fault('service.conflict'))
  const bad = { ...any, direction: 'ingress', protocol: 'tcp', portMin: 99_999 } as const
  await expect(verbs.groups.addRule(member, 'db', bad)).rejects.toMatchObject({
    code: expect.stringMatching(/^(request|service)\.invalid$/),
  })
  await expect(verbs.groups.addRule(stranger, made.id, { ...any, direction: 'ingress' })).rejects.toEqual(
    fault('network.not-found'),
  )
  await verbs.groups.removeRule(member, rule.id)
  await expect(verbs.groups.removeRule(member, rule.id)).rejects.toEqual(fault('network.not-found'))
  expect((await verbs.groups.get(member, 'db')).rules).toHaveLength(4)
  await expect(verbs.groups.delete(member, 'default')).rejects.toMatchObject({
    code: expect.stringMatching(/conflict$|in-use$/),
  })
  await verbs.groups.delete(member, 'db')
})

test('a router, its way out, its interfaces; floating IPs and port forwardings behind it', async () => {
  const outside = (await verbs.networks.list(member)).find(({ external }) => external)
  if (!outside) throw new Error('the cloud has an external network')
  const { id } = await verbs.networks.create(member, { name: 'routed', ...plain })
  const subnet = await verbs.subnets.create(member, { network: id, name: 'routed', cidr: '10.73.0.0/24' })
  const port = await verbs.ports.create(member, { network: id, name: 'inner' })
  const inner = port.fixedIps[0]?.address
  await verbs.routers.create(member, { name: 'r' })
  await expect(verbs.floatingIps.create(member, { port: 'inner' })).rejects.toEqual(fault('network.conflict'))
  const router = await verbs.routers.setGateway(member, 'r', { network: outside.name, snat: true })
  expect(router.gateway).toMatchObject({ networkId: outside.id, snat: true })
  expect(router.gateway?.address).toMatch(/^\d+\./)
  await expect(verbs.routers.setGateway(member, 'r', { network: id, snat: true })).rejects.toEqual(
    fault('request.invalid'),
  )
  const wired = await verbs.routers.addInterface(member, 'r', { subnet: 'routed' })
  expect(wired.interfaces).toEqual([
    { portId: expect.any(String), networkId: id, subnetId: subnet.id, address: '10.73.0.1' },
  ])
  expect(await verbs.routers.list(member)).toEqual([wired])
  expect(await verbs.routers.get(member, 'r')).toEqual(wired)
  await expect(verbs.routers.get(stranger, wired.id)).rejects.toEqual(fault('network.not-found'))
  await expect(verbs.routers.delete(member, 'r')).rejects.toEqual(fault('network.in-use'))

  const ip = await verbs.floatingIps.create(member, {})
  expect(ip).toMatchObject({ networkId: outside.id, portId: null, forwardings: [] })
  const led = await verbs.floatingIps.associate(member, ip.address, 'inner')
  expect(led).toMatchObject({ portId: port.id, fixedAddress: inner, routerId: wired.id })
  await expect(verbs.routers.removeInterface(member, 'r', { subnet: 'routed' })).rejects.toEqual(
    fault('network.in-use'),
  )
  const way = { protocol: 'tcp', externalPort: 8080, port: 'inner', internalPort: 80 } as const
  await expect(verbs.floatingIps.addForwarding(member, ip.id, way)).rejects.toEqual(fault('network.conflict'))
  expect(await verbs.floatingIps.associate(member, ip.id, null)).toMatchObject({ portId: null })

  const forwarding = await verbs.floatingIps.addForwarding(member, ip.address, way)
  expect(forwarding).toMatchObject({
    protocol: 'tcp',
    externalPort: 8080,
    internalPort: 80,
    portId: port.id,
    address: inner,
  })
  await expect(verbs.floatingIps.addForwarding(member, ip.id, way)).rejects.toMatchObject({
    code: expect.stringMatching(/conflict$|in-use$|invalid$/),
  })
  await expect(verbs.floatingIps.associate(member, ip.id, 'inner')).rejects.toEqual(fault('network.conflict'))
  expect((await verbs.floatingIps.list(member)).find((each) => each.id === ip.id)?.forwardings).toEqual([forwarding])
  await expect(verbs.floatingIps.get(stranger, ip.address)).rejects.toEqual(fault('network.not-found'))
  const container = { id: 'c1', projectId: member.projectId, nics: [{ portId: port.id }] }
  const published = await verbs.publishedOf(member, [container] as unknown as Parameters<
    NetworkVerbs['publishedOf']
  >[1])
  expect([...published]).toEqual([
    ['c1', [{ containerPort: 80, protocol: 'tcp', address: ip.address, publicPort: 8080 }]],
  ])
  await verbs.floatingIps.removeForwarding(member, ip.id, forwarding.id)
  await expect(verbs.floatingIps.removeForwarding(member, ip.id, forwarding.id)).rejects.toEqual(
    fault('network.not-found'),
  )
  await verbs.floatingIps.delete(member, ip.address)
  expect((await verbs.routers.removeInterface(member, 'r', { subnet: subnet.id })).interfaces).toEqual([])
  await expect(verbs.routers.removeInterface(member, 'r', { subnet: subnet.id })).rejects.toEqual(
    fault('network.not-found'),
  )
  expect((await verbs.routers.setGateway(member, 'r', null)).gateway).toBeNull()
  await verbs.routers.delete(member, 'r')
  await verbs.ports.delete(member, 'inner')
  await verbs.networks.delete(member, 'routed')
})

test('a quota of Neutron’s is said to be used up', async () => {
  const { projectId } = stranger
  const operator = networkService(cloud.adminSession)
  try {
    await operator.setQuota(projectId, { network: 0 }, cloud.context())
    await expect(verbs.networks.create(stranger, { name: 'x', ...plain })).rejects.toEqual(fault('service.over-quota'))
    await operator.setQuota(projectId, { network: 100, router: 0 }, cloud.context())
    await expect(verbs.networks.createWhole(stranger, { name: 'half', ...docker })).rejects.toEqual(
      fault('service.over-quota'),
    )
  } finally {
    await operator.setQuota(projectId, { network: 100, router: 10 }, cloud.context())
  }
  const left = await allOf(operator.networks.list({ project_id: projectId }, cloud.context()))
  expect(left).toEqual([])
  expect(await world.store.cloudNetworks.ofProject(projectId)).toEqual([])
})

test('the usual network is made once for all who ask at the same time, with a way out', async () => {
  const [one, other] = await Promise.all([verbs.networks.ensureUsual(stranger), verbs.networks.ensureUsual(stranger)])
  expect(one).toMatchObject({ name: 'private', usual: true })
  expect(other.id).toBe(one.id)
  expect((await world.begin().networks.ensureUsual(stranger)).id).toBe(one.id)
  const listed = await verbs.networks.list(stranger)
  expect(listed.filter(({ projectId }) => projectId === stranger.projectId)).toEqual([one])
  const [router, second] = await verbs.routers.list(stranger)
  expect(second).toBeUndefined()
  expect(router?.gateway).not.toBeNull()
  expect(router?.interfaces.map(({ networkId }) => networkId)).toEqual([one.id])
  await expect(verbs.networks.deleteWhole(stranger, one.id)).rejects.toEqual(fault('policy.forbidden'))
})

test('Docker’s networks: whole, labelled, apart from each other, gone with all that was made', async () => {
  const labels = { 'com.docker.compose.network': 'front', 'com.docker.compose.config-hash': 'a'.repeat(64) }
  const names = ['front', 'back', 'third']
  const made = await Promise.all(
    names.map((name) => verbs.networks.createWhole(stranger, { ...docker, name, labels, ipv6: name === 'front' })),
  )
  const subnets = await verbs.subnets.list(stranger)
  const cidrs = subnets.filter(({ version }) => version === 4).map(({ cidr }) => cidr)
  expect(new Set(cidrs).size).toBe(4)
  expect(await verbs.networks.get(stranger, 'front')).toMatchObject({ labels })
  expect(
    subnets
      .filter(({ networkId }) => networkId === made[0]?.id)
      .map(({ version }) => version)
      .toSorted((one, other) => one - other),
  ).toEqual([4, 6])
  const [router, second] = await verbs.routers.list(stranger)
  expect(second).toBeUndefined()
  expect(router?.interfaces).toHaveLength(5)
  await expect(verbs.networks.createWhole(stranger, { ...docker, name: 'back' })).rejects.toEqual(
    fault('network.name-taken'),
  )
  const same = { ...docker, name: 'same', subnets: [{ cidr: cidrs[0] ?? '', reserved: [] }] }
  await expect(verbs.networks.createWhole(stranger, same)).rejects.toEqual(fault('network.overlap'))
  const twins = await Promise.allSettled(
    [1, 2].map(() => verbs.networks.createWhole(stranger, { ...docker, name: 'twin' })),
  )
  expect(twins.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])

  const bounded = await verbs.networks.createWhole(stranger, {
    ...docker,
    name: 'bounded',
    internal: true,
    subnets: [{ cidr: '10.74.0.0/24', range: '10.74.0.128/25', reserved: ['10.74.0.200'] }],
  })
  const [inside] = await verbs.subnets.list(stranger, { network: bounded.id })
  expect(inside).toMatchObject({
    gateway: null,
    pools: [
      { start: '10.74.0.128', end: '10.74.0.199' },
      { start: '10.74.0.201', end: '10.74.0.254' },
    ],
  })
  const port = await verbs.ports.create(stranger, { network: 'front', name: 'used' })
  await expect(verbs.networks.deleteWhole(stranger, 'front')).rejects.toEqual(fault('network.in-use'))
  expect((await verbs.routers.list(stranger))[0]?.interfaces).toHaveLength(6)
  await verbs.ports.delete(stranger, port.id)
  for (const name of [...names, 'twin', 'bounded']) await verbs.networks.deleteWhole(stranger, name)
  const left = (await verbs.networks.list(stranger)).filter(({ projectId }) => projectId === stranger.projectId)
  expect(left.map(({ name }) => name)).toEqual(['private'])
  expect((await verbs.routers.list(stranger))[0]?.interfaces).toHaveLength(1)
})

test('what a dead server has half made goes at the next start; networks of other clients are left alone', async () => {
  const operator = networkService(cloud.adminSession)
  const mine = await verbs.networks.create(member, { name: 'mine', ...plain })
  const row = { id: 'row-1', networkId: null, projectId: member.projectId, usual: false, labels: {} }
  const ago = Date.now() - 3_600_000
  await world.store.cloudNetworks.insert({ ...row, createdAt: ago })
  const description = `gantry ${world.deployment}: network row-1`
  const half = await neutron.networks.create({ name: 'half', description }, cloud.context())
  const subnet = { network_id: half.id, ip_version: 4, cidr: '10.75.0.0/24' } as const
  const { id: subnet_id } = await neutron.subnets.create(subnet, cloud.context())
  const router = await neutron.routers.create({ name: 'left' }, cloud.context())
  await neutron.addInterface(router.id, { subnet_id }, cloud.context())
  using next = world.begin()
  next.start()
  await eventually('the half of a network is gone', async () => {
    const found = await allOf(operator.networks.list({ project_id: member.projectId }, cloud.context()))
    return (
      found.every(({ id }) => id !== half.id) &&
      (await world.store.cloudNetworks.list()).every(({ id }) => id !== 'row-1')
    )
  })
  expect(await verbs.networks.get(member, mine.id)).toEqual(mine)
  await neutron.routers.remove(router.id, cloud.context())
  await verbs.networks.delete(member, mine.id)
})
