/** Long because each case is a life of ports on one world that takes long to make. */
import type { PublishRequest } from '@gantry/control'
import { Fault, randomIds } from '@gantry/kernel'
import type { Caller, ContainerId, Nic } from '@gantry/model'
import { allOf, type Network, type NetworkService, networkService, type Port, type Subnet } from '@gantry/openstack'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'
import { hostId, type PortsWorld, portsWorld, request } from './ports-world.ts'

/** Ports of containers at a real Neutron, as the use cases ask for them; no engine takes part. */

let cloud: TestCloud
let project: TestProject
let world: PortsWorld
/** Neutron with the member's rights, and with the administrator's. */
let neutron: NetworkService
let all: NetworkService
let ann: Caller
let network: Network
let subnet: Subnet
const context = () => cloud.context()

beforeAll(async () => {
  cloud = await testCloud()
  project = await cloud.newProject()
  world = await portsWorld(cloud)
  ann = await world.callerOf(project.member)
  neutron = networkService(cloud.session(project.member))
  all = networkService(cloud.adminSession)
  network = await neutron.networks.create({ name: 'private' }, context())
  subnet = await neutron.subnets.create(
    {
      network_id: network.id,
      ip_version: 4,
      cidr: '10.77.0.0/24',
      enable_dhcp: false,
      dns_nameservers: ['9.9.9.9'],
      host_routes: [{ destination: '10.99.0.0/16', nexthop: '10.77.0.9' }],
    },
    context(),
  )
  // As the first of the project, so that no test's own listing makes it anew.
  await allOf(neutron.securityGroups.list({}, context()))
})
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  world.heard.splice(0)
  await world.host()
})

const portOf = async (id: string): Promise<Port | undefined> => (await allOf(all.ports.list({ id }, context())))[0]
const portsOf = (id: ContainerId) => allOf(all.ports.list({ device_id: id }, context()))
const gone = (id: string) => eventually('the end of a port', async () => !(await portOf(id)))
const rowsOf = (id: ContainerId) => world.store.cloudPorts.ofContainer(id)
const nothingLeft = (id: ContainerId) =>
  eventually('the end of all rows', async () => (await rowsOf(id)).length === 0 && (await portsOf(id)).length === 0)
const boundTo = (id: string, host: string) =>
  eventually('the bind', async () => (await portOf(id))?.['binding:host_id'] === host)
const newId = () => randomIds.uuid() as ContainerId
const onPrivate = () => [{ network: network.id, addresses: [] }]

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Fault)
  return (error as Fault).code
}

describe('one port', () => {
  test('is the container’s at Neutron, is bound where the container goes, and goes with it', async () => {
    const { id, nics } = await world.run(ann, [{ network: 'private', addresses: [] }])
    const [nic] = nics as [Nic]
    expect(nic).toMatchObject({
      networkId: network.id,
      filtered: true,
      preserve: false,
      addresses: [{ prefix: 24, version: 4, subnetId: subnet.id, gateway: '10.77.0.1' }],
      binding: {
        mtu: network.mtu,
        dnsServers: ['9.9.9.9'],
        routes: [{ destination: '10.99.0.0/16', nextHop: '10.77.0.9' }],
        // This cloud's agents are of one sort, so nobody need wait for the bind.
        vif: { kind: 'bridge', bridge: `brq${network.id.slice(0, 11)}`, filters: true },
      },
    })
    const port = await portOf(nic.portId)
    expect(port).toMatchObject({
      project_id: project.id,
      device_id: id,
      device_owner: 'compute:kuryr',
      mac_address: nic.mac,
      fixed_ips: [{ ip_address: nic.addresses[0]?.address }],
    })
    expect(port?.description).toMatch(/^gantry /)
    await boundTo(nic.portId, cloud.hostName)
    await eventually('the row', async () => (await rowsOf(id))[0]?.boundTo === hostId)
    // It was expected so: no second assignment for its host.
    expect(world.heard).toEqual([])

    await world.ports().remote.leave(id, nics)
    expect(await portOf(nic.portId)).toBeUndefined()
    await world.forget(id)
    await nothingLeft(id)
  })

  test('without a network named: the project’s oldest', async () => {
    const { id, nics } = await world.run(ann, [])
    expect(nics.map(({ networkId }) => networkId)).toEqual([network.id])
    await world.forget(id)
    await nothingLeft(id)
  })

  test('on a host without Neutron’s agent it tells the container why; an agent that comes later gets it', async () => {
    await world.host({ neutronHost: 'nowhere' })
    const { id, nics } = await world.run(ann, onPrivate())
    const told = await eventually('the problem', async () => (await world.nicsOf(id))[0]?.binding?.problem)
    expect(told).toBe(
      `Neutron could not bind port ${nics[0]?.portId} on host nowhere: is its network agent running there?`,
    )
    expect(world.heard.at(-1)?.nics[0]?.binding?.vif).toBeNull()
    await world.host()
    const vif = await eventually('the vif', async () => (await world.nicsOf(id))[0]?.binding?.vif)
    expect(vif).toMatchObject({ kind: 'bridge' })
    expect((await world.nicsOf(id))[0]?.binding?.problem).toBeUndefined()
    await world.forget(id)
    await nothingLeft(id)
  })

  test('that its user deletes at Neutron is noted', async () => {
    const { id, nics } = await world.run(ann, onPrivate())
    const portId = nics[0]?.portId ?? ''
    await boundTo(portId, cloud.hostName)
    await eventually('the row', async () => (await rowsOf(id))[0]?.boundTo === hostId)
    await neutron.ports.remove(portId, context())
    await world.restart()
    const told = await eventually('the note', async () => (await world.nicsOf(id))[0]?.binding?.problem)
    expect(told).toContain(`Port ${portId} was deleted at Neutron`)
    await world.forget(id)
    await nothingLeft(id)
  })
})

describe('what a container may ask for', () => {
  test('two networks, addresses of both versions, a MAC address, groups by name, exposed ports', async () => {
    const second = await neutron.networks.create({ name: 'dual' }, context())
    const old = { network_id: second.id, ip_version: 4, cidr: '10.78.0.0/24', enable_dhcp: false } as const
    await neutron.subnets.create(old, context())
    const fresh = { network_id: second.id, ip_version: 6, cidr: 'fd00:78::/64', enable_dhcp: false } as const
    await neutron.subnets.create(fresh, context())
    const web = await neutron.securityGroups.create({ name: 'web' }, context())
    const { id, nics } = await world.run(
      ann,
      [
        { network: network.id, addresses: ['10.77.0.77'], mac: 'fa:16:3e:00:77:77' },
        { network: 'dual', addresses: ['10.78.0.78', 'fd00:78::78'] },
      ],
      { groups: ['web'], exposedPorts: ['80/tcp', '81', '53/udp'] },
    )
    expect(nics.map(({ mac, addresses }) => [mac, addresses.map((one) => one.address)])).toEqual([
      ['fa:16:3e:00:77:77', ['10.77.0.77']],
      [expect.any(String), ['10.78.0.78', 'fd00:78::78']],
    ])
    const exposed = nics[0]?.groups.find((group) => group !== web.id) ?? ''
    for (const { groups } of nics) expect(groups.toSorted()).toEqual([web.id, exposed].toSorted())
    const { name, security_group_rules: rules = [] } = await neutron.securityGroups.show(exposed, context())
    expect(name).toBe(`gantry-exposed-${id}`)
    expect(
      rules
        .filter(({ direction }) => direction === 'ingress')
        .map((rule) => `${rule.ethertype} ${rule.protocol} ${rule.port_range_min}-${rule.port_range_max}`)
        .toSorted(),
    ).toEqual(['IPv4 tcp 80-81', 'IPv4 udp 53-53', 'IPv6 tcp 80-81', 'IPv6 udp 53-53'])
    await world.forget(id)
    await nothingLeft(id)
    expect(await allOf(all.securityGroups.list({ id: exposed }, context()))).toEqual([])
    expect((await neutron.securityGroups.show(web.id, context())).name).toBe('web')
  })

  test('a port of its own: kept, and free again afterwards, without the group of the exposed ports', async () => {
    const given = await neutron.ports.create({ network_id: network.id, name: 'mine' }, context())
    const { id, nics } = await world.run(ann, [{ port: 'mine' }], { exposedPorts: ['80/tcp'] })
    expect(nics[0]).toMatchObject({ portId: given.id, preserve: true, mac: given.mac_address })
    expect(nics[0]?.groups).toHaveLength(2)
    expect(await faultOf(world.run(ann, [{ port: given.id }]))).toBe('network.in-use')
    await boundTo(given.id, cloud.hostName)
    await world.ports().remote.leave(id, nics)
    expect(await portOf(given.id)).toMatchObject({
      device_id: '',
      device_owner: '',
      'binding:host_id': '',
      security_groups: given.security_groups,
    })
    await world.forget(id)
    await nothingLeft(id)
    const again = await world.run(ann, [{ port: given.id }])
    await world.forget(again.id)
    await nothingLeft(again.id)
  })

  test('what cannot be had is said in our words, and nothing is left of it', async () => {
    const stranger = await cloud.newProject()
    const bob = await world.callerOf(stranger.member)
    const asked: ContainerId[] = []
    const refusal = (caller: Caller, nets: Parameters<PortsWorld['run']>[1], more = {}) => {
      const id = newId()
      asked.push(id)
      return faultOf(world.ports().remote.make(caller, { ...request(id, nets), ...more }))
    }
    const taken = await neutron.ports.create({ network_id: network.id }, context())
    const [address = ''] = taken.fixed_ips.map(({ ip_address }) => ip_address)
    const [outside] = await allOf(all.networks.list({ 'router:external': true }, context()))

    expect(await refusal(bob, [{ network: network.id, addresses: [] }])).toBe('network.not-found')
    expect(await refusal(bob, [{ network: 'private', addresses: [] }])).toBe('network.not-found')
    expect(await refusal(bob, [{ port: taken.id }])).toBe('network.not-found')
    expect(await refusal(ann, [{ network: network.id, addresses: [address] }])).toBe('address.in-use')
    expect(await refusal(ann, [{ network: network.id, addresses: ['192.0.2.1'] }])).toBe('request.invalid')
    expect(await refusal(ann, [{ network: network.id, addresses: [], mac: taken.mac_address }])).toBe('network.in-use')
    expect(await refusal(ann, [{ network: outside?.id ?? '', addresses: [] }])).toBe('policy.forbidden')
    expect(await refusal(ann, [...onPrivate(), ...onPrivate()])).toBe('request.invalid')
    expect(await refusal(ann, onPrivate(), { groups: ['nobody'] })).toBe('network.not-found')
    expect(await refusal(ann, onPrivate(), { groups: [newId()] })).toBe('network.not-found')
    expect(await refusal(ann, onPrivate(), { exposedPorts: ['99999/tcp'] })).toBe('request.invalid')

    const small = await neutron.networks.create({ name: 'small' }, context())
    expect(await refusal(ann, [{ network: 'small', addresses: [] }])).toBe('network.conflict')
    const tiny = { network_id: small.id, ip_version: 4, cidr: '10.79.0.0/30', enable_dhcp: false } as const
    await neutron.subnets.create(tiny, context())
    await neutron.ports.create({ network_id: small.id }, context())
    // The first of the two is made, and goes again.
    const both = [...onPrivate(), { network: small.id, addresses: [] }]
    expect(await refusal(ann, both, { exposedPorts: ['80'] })).toBe('address.none-left')

    await all.setQuota(project.id, { port: 1 }, context())
    expect(await refusal(ann, onPrivate(), { exposedPorts: ['80'] })).toBe('service.over-quota')
    await all.setQuota(project.id, { port: 100 }, context())
    for (const id of asked) await nothingLeft(id)
    const groups = await allOf(neutron.securityGroups.list({}, context()))
    expect(groups.filter(({ name }) => name.startsWith('gantry-exposed-'))).toEqual([])
  })

  test('a network that changed a moment ago is seen as it is', async () => {
    const changing = await neutron.networks.create({ name: 'changing' }, context())
    const first = { network_id: changing.id, ip_version: 4, cidr: '10.80.0.0/30', enable_dhcp: false } as const
    await neutron.subnets.create(first, context())
    const one = await world.run(ann, [{ network: changing.id, addresses: [] }])
    const more = { network_id: changing.id, ip_version: 4, cidr: '10.81.0.0/20', enable_dhcp: false } as const
    await neutron.subnets.create(more, context())
    const two = await world.run(ann, [{ network: changing.id, addresses: [] }])
    expect(two.nics[0]?.addresses).toMatchObject([{ prefix: 20, gateway: '10.81.0.1' }])
    for (const { id } of [one, two]) await world.forget(id)
    for (const { id } of [one, two]) await nothingLeft(id)
  })
})

describe('a container that is there', () => {
  test('gets a further port in the groups of its others, loses it, and changes its groups', async () => {
    const { id, nics } = await world.run(ann, onPrivate())
    const extra = await neutron.networks.create({ name: 'extra' }, context())
    const range = { network_id: extra.id, ip_version: 4, cidr: '10.82.0.0/24', enable_dhcp: false } as const
    await neutron.subnets.create(range, context())
    const ports = world.ports()
    const { remote } = ports
    const net = { network: 'extra', addresses: [] }
    const more = await remote.makeOne(ann, id, nics, net)
    await world.store.transaction(async (tables) => {
      const nic = await ports.attach(tables, ann, id, nics, net, more)
      await tables.containers.update(id, { nics: [...nics, nic] })
      await ports.place(tables, id, hostId)
    })
    expect(more.groups).toEqual(nics[0]?.groups)
    await boundTo(more.portId, cloud.hostName)
    expect(await faultOf(remote.makeOne(ann, id, [...nics, more], net))).toBe('network.attached')

    const group = await neutron.securityGroups.create({ name: 'late' }, context())
    const regrouped = await remote.regroup(ann, [...nics, more], { add: 'late' })
    for (const nic of regrouped) {
      expect(nic.groups).toContain(group.id)
      expect((await portOf(nic.portId))?.security_groups).toContain(group.id)
    }
    expect(await faultOf(remote.regroup(ann, regrouped, { add: group.id }))).toBe('group.present')
    const less = await remote.regroup(ann, regrouped, { remove: 'late' })
    expect(await faultOf(remote.regroup(ann, less, { remove: 'late' }))).toBe('group.absent')

    const opened = await remote.expose(ann, id, less, ['8080/tcp'])
    const [exposed] = opened[0]?.groups.filter((one) => !less[0]?.groups.includes(one)) ?? []
    expect((await portOf(more.portId))?.security_groups).toContain(exposed)

    await world.store.transaction(async (tables) => {
      await ports.detach(tables, id, [more])
      await tables.containers.update(id, { nics })
    })
    await gone(more.portId)
    expect(await portsOf(id)).toHaveLength(1)
    await world.forget(id)
    await nothingLeft(id)
    expect(await allOf(all.securityGroups.list({ id: exposed ?? '' }, context()))).toEqual([])
  })
})

describe('published ports', () => {
  const publication = (
    { id, nics }: { id: ContainerId; nics: readonly Nic[] },
    publicPort: number | null,
    more: Partial<PublishRequest> & { address?: string } = {},
  ): PublishRequest => ({
    containerId: id,
    name: 'web',
    nics,
    ports: [{ protocol: 'tcp', containerPort: 80, publicPort, address: more.address ?? null }],
    yields: more.yields ?? (async () => false),
  })
  const addresses = () => allOf(neutron.floatingIps.list({}, context()))

  test('share a floating IP, which comes with the first and goes with the last', async () => {
    const { remote } = world.ports()
    const lonely = await world.run(ann, onPrivate())
    await remote.publish(ann, publication(lonely, 8080))
    expect(await addresses()).toEqual([])

    const [outside] = await allOf(all.networks.list({ 'router:external': true }, context()))
    const gateway = { network_id: outside?.id ?? '' }
    const router = await neutron.routers.create({ name: 'r', external_gateway_info: gateway }, context())
    await neutron.addInterface(router.id, { subnet_id: subnet.id }, context())
    const given = await neutron.ports.create({ network_id: network.id }, context())
    const kept = await world.run(ann, [{ port: given.id }])
    await Promise.all([remote.publish(ann, publication(lonely, 8080)), remote.publish(ann, publication(kept, null))])
    const [ip, ...more] = await addresses()
    expect(more).toEqual([])
    const shown = () => neutron.floatingIps.show(ip?.id ?? '', context())
    const ports = async () => (await shown()).port_forwardings?.map((each) => each.external_port).toSorted()
    expect(await ports()).toHaveLength(2)
    expect(await ports()).toContain(8080)
    // What leads there already stays.
    await remote.publish(ann, publication(lonely, 8080))
    expect(await ports()).toHaveLength(2)

    const third = await world.run(ann, onPrivate())
    expect(await faultOf(remote.publish(ann, publication(third, 8080)))).toBe('port.allocated')
    await remote.publish(ann, publication(third, 8080, { yields: async (id) => id === lonely.id }))
    expect((await shown()).port_forwardings?.find((each) => each.external_port === 8080)?.internal_port_id).toBe(
      third.nics[0]?.portId,
    )
    expect(await faultOf(remote.publish(ann, publication(third, 9090)))).toBe('request.unsupported')
    expect(await faultOf(remote.publish(ann, publication(lonely, 1, { address: '192.0.2.9' })))).toBe(
      'network.not-found',
    )

    // A restart looks whether all is still in use.
    await world.restart()
    for (const { id } of [lonely, third]) await world.forget(id)
    for (const { id } of [lonely, third]) await nothingLeft(id)
    expect(await ports()).toHaveLength(1)
    await world.forget(kept.id)
    await nothingLeft(kept.id)
    await eventually('the end of the floating IP', async () => (await addresses()).length === 0)
    expect(await portOf(given.id)).toMatchObject({ device_id: '' })
  })
})

describe('a host that is a VM', () => {
  const vm = () => neutron.ports.create({ network_id: network.id, device_owner: 'compute:nova' }, context())

  test('carries ports as sub-ports of its trunk', async () => {
    const parent = await vm()
    const trunk = await neutron.trunks.create({ port_id: parent.id }, context())
    await world.host({ nested: { kind: 'vlan', link: 'eth0', mac: parent.mac_address } })
    const made = await Promise.all([world.run(ann, onPrivate()), world.run(ann, onPrivate())])
    const vlans = await eventually('both VLANs', async () => {
      const nics = (await Promise.all(made.map(({ id }) => world.nicsOf(id)))).flat()
      const vifs = nics.flatMap(({ binding }) => (binding?.vif?.kind === 'vlan' ? binding.vif : []))
      return vifs.length === 2 && vifs.map(({ vlan, parent: link }) => `${link} ${vlan}`)
    })
    expect(vlans.toSorted()).toEqual(['eth0 1', 'eth0 2'])
    for (const { id, nics } of made) expect(await portOf(nics[0]?.portId ?? '')).toMatchObject({ device_id: id })
    for (const { id } of made) await world.forget(id)
    for (const { id } of made) await nothingLeft(id)
    expect((await neutron.trunks.show(trunk.id, context())).sub_ports).toEqual([])
    await neutron.trunks.remove(trunk.id, context())
    await neutron.ports.remove(parent.id, context())
  })

  test('lets the addresses of ports behind its own pass', async () => {
    const parent = await vm()
    await world.host({ nested: { kind: 'macvlan', link: 'eth0', mac: parent.mac_address } })
    const made = await Promise.all([world.run(ann, onPrivate()), world.run(ann, onPrivate())])
    const pairs = async () => (await neutron.ports.show(parent.id, context())).allowed_address_pairs ?? []
    await eventually('both pairs', async () => (await pairs()).length === 2)
    expect((await pairs()).map((pair) => `${pair.ip_address} ${pair.mac_address}`).toSorted()).toEqual(
      made.map(({ nics: [nic] }) => `${nic?.addresses[0]?.address} ${nic?.mac}`).toSorted(),
    )
    for (const { id } of made) await world.forget(id)
    for (const { id } of made) await nothingLeft(id)
    expect(await pairs()).toEqual([])
    await neutron.ports.remove(parent.id, context())
  })
})

describe('what somebody who dies leaves behind', () => {
  test('ports that were made for a container which was never written go, and given ones are free', async () => {
    const other = await neutron.networks.create({ name: 'other' }, context())
    const range = { network_id: other.id, ip_version: 4, cidr: '10.83.0.0/24', enable_dhcp: false } as const
    await neutron.subnets.create(range, context())
    const given = await neutron.ports.create({ network_id: other.id }, context())
    const lost = newId()
    const both = [...onPrivate(), { port: given.id }]
    await world.ports().remote.make(ann, { ...request(lost, both), exposedPorts: ['80'] })
    // Died before even the rows were written.
    const { id: kept, nics } = await world.run(ann, onPrivate())
    const unnoted = await world.run(ann, onPrivate())
    await world.store.transaction(async (tables) => {
      await tables.containers.remove(unnoted.id)
      await tables.cloudPorts.remove(unnoted.nics[0]?.portId ?? '')
    })
    await world.restart()
    await nothingLeft(lost)
    await gone(unnoted.nics[0]?.portId ?? '')
    await eventually('the port to be free', async () => (await portOf(given.id))?.device_id === '')
    const groups = await allOf(neutron.securityGroups.list({ name: `gantry-exposed-${lost}` }, context()))
    expect(groups).toEqual([])
    expect(await portOf(nics[0]?.portId ?? '')).toMatchObject({ device_id: kept })
    await world.forget(kept)
    await nothingLeft(kept)
  })

  test('a Neutron that is away loses nothing', async () => {
    const { id, nics } = await world.run(ann, onPrivate())
    await boundTo(nics[0]?.portId ?? '', cloud.hostName)
    await cloud.kill9('neutron-server')
    await world.forget(id)
    expect(await faultOf(world.run(ann, onPrivate()))).toBe('service.unavailable')
    await cloud.start('neutron-server')
    await nothingLeft(id)
  })
})
