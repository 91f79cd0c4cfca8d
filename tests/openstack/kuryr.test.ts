import { allOf } from '@gantry/openstack'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { drivers, type KuryrWorld, kuryrWorld } from './fixtures/kuryr-world.ts'
import { eventually } from './fixtures/test-cloud.ts'

/** `gantry kuryr` as Docker's users know it, on engines that know nothing of Gantry and a real Neutron. */

let world: KuryrWorld
beforeAll(async () => {
  world = await kuryrWorld()
})
afterAll(() => world?.end())
afterEach(() => world?.clear())

describe('the decks', () => {
  test('docker network create makes network, subnet and pool; docker run a port that is ACTIVE and answers its peer', async () => {
    const {
      cloud,
      engine,
      neutron,
      context,
      networksNow,
      subnetsNow,
      poolsNow,
      portOf,
      nothingLeft,
      create,
      box,
      addressOf,
      pings,
    } = world
    const id = await create('--subnet', '10.10.0.0/16', '--gateway', '10.10.0.1', 'foo')
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    const [network] = await networksNow()
    expect(network).toMatchObject({ name: `kuryr-net-${id.slice(0, 8)}` })
    expect(network?.tags).toEqual(
      expect.arrayContaining([`kuryr.net.uuid.lh:${id.slice(0, 32)}`, `kuryr.net.uuid.uh:${id.slice(32)}`]),
    )
    const [subnet] = await subnetsNow()
    const [pool] = await poolsNow()
    expect(subnet).toMatchObject({ cidr: '10.10.0.0/16', gateway_ip: '10.10.0.1', subnetpool_id: pool?.id })
    expect(pool).toMatchObject({
      name: expect.stringMatching(/^kuryrPool-10\.10\.0\.0\/16/),
      prefixes: ['10.10.0.0/16'],
    })

    await box(engine, 'one', '--net=foo')
    await box(engine, 'two', '--net=foo')
    const [one, two] = [await portOf(engine, 'one'), await portOf(engine, 'two')]
    const [address, mac] = [
      await addressOf(engine, 'one'),
      await engine.docker('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}}', 'one'),
    ]
    expect(one).toMatchObject({ device_owner: 'compute:kuryr', 'binding:host_id': cloud.hostName, mac_address: mac })
    expect(one.fixed_ips).toMatchObject([{ ip_address: address }])
    const shown = await engine.docker('exec', 'one', 'ip', 'addr', 'show', 'eth0')
    expect(shown).toContain(`${address}/16`)
    expect(shown).toContain(`mtu ${network?.mtu}`)
    expect(await engine.docker('exec', 'one', 'ip', 'route')).toContain('default via 10.10.0.1')
    await eventually('ACTIVE', async () => (await neutron.ports.show(two.id, context())).status === 'ACTIVE')
    await eventually('a ping', () => pings(engine, 'one', two.fixed_ips[0]?.ip_address ?? ''))

    // Its security group filters: without the rule for its members nothing comes in.
    const [group] = two.security_groups ?? []
    const rules = await allOf(
      neutron.securityGroupRules.list({ security_group_id: group ?? '', direction: 'ingress' }, context()),
    )
    for (const rule of rules) await neutron.securityGroupRules.remove(rule.id, context())
    await eventually('no ping', async () => !(await pings(engine, 'one', two.fixed_ips[0]?.ip_address ?? '')))
    for (const { direction, ethertype } of rules) {
      const family = ethertype === 'IPv6' ? 'IPv6' : 'IPv4'
      await neutron.securityGroupRules.create(
        { security_group_id: group ?? '', direction, ethertype: family, remote_group_id: group ?? '' },
        context(),
      )
    }

    await engine.docker('rm', '-f', 'one', 'two')
    await engine.docker('network', 'rm', 'foo')
    await nothingLeft()
  })

  test('a container that is stopped and started has a port again', async () => {
    const { engine, portsNow, portOf, create, box } = world
    await create('--subnet', '10.11.0.0/24', 'bar')
    await box(engine, 'one', '--net=bar')
    const first = await portOf(engine, 'one')
    await engine.docker('stop', '-t', '0', 'one')
    await eventually('no port', async () => (await portsNow()).length === 0)
    await engine.docker('start', 'one')
    expect((await portOf(engine, 'one')).id).not.toBe(first.id)
  })
})

describe('what is there already', () => {
  test('a network, by name or id, is used and stays; its subnet with these addresses too', async () => {
    const {
      engine,
      other,
      neutron,
      context,
      networksNow,
      subnetsNow,
      portOf,
      ready,
      nothingLeft,
      create,
      box,
      addressOf,
      pings,
    } = world
    const { network, subnet } = await ready('10.20.0.0/24')
    await create(
      '-o',
      'neutron.net.name=mine',
      '--ipam-opt',
      'neutron.net.name=mine',
      '--subnet',
      '10.20.0.0/24',
      'mine',
    )
    await box(engine, 'one', '--net=mine')
    expect((await portOf(engine, 'one')).network_id).toBe(network.id)
    // The other engine is on the same network, by another name.
    await other.docker(
      'network',
      'create',
      ...drivers,
      '-o',
      `neutron.net.uuid=${network.id}`,
      '--subnet',
      '10.20.0.0/24',
      'theirs',
    )
    await box(other, 'two', '--net=theirs')
    const address = await addressOf(other, 'two')
    await eventually('a ping between two engines', () => pings(engine, 'one', address))
    await engine.docker('rm', '-f', 'one')
    await engine.docker('network', 'rm', 'mine')
    expect(await pings(other, 'two', address)).toBe(true)
    await other.docker('rm', '-f', 'two')
    await other.docker('network', 'rm', 'theirs')
    expect(await networksNow()).toMatchObject([{ id: network.id, tags: [] }])
    expect(await subnetsNow()).toMatchObject([{ id: subnet.id, tags: [] }])
    await neutron.networks.remove(network.id, context())
    await nothingLeft()
  })

  test('a network that Docker made goes with the last engine that uses it', async () => {
    const { engine, other, networksNow, nothingLeft, create, box } = world
    await create('--subnet', '10.21.0.0/24', 'first')
    const [made] = await networksNow()
    const same = ['-o', `neutron.net.uuid=${made?.id}`, '--ipam-opt', `neutron.net.uuid=${made?.id}`]
    await other.docker('network', 'create', ...drivers, ...same, '--subnet', '10.21.0.0/24', 'second')
    await engine.docker('network', 'rm', 'first')
    expect(await networksNow()).toMatchObject([{ id: made?.id }])
    await box(other, 'one', '--net=second')
    await other.docker('rm', '-f', 'one')
    await other.docker('network', 'rm', 'second')
    await nothingLeft()
  })

  test('a pool and a subnet are used and stay', async () => {
    const { own, engine, neutron, context, subnetsNow, poolsNow, portOf, ready, nothingLeft, create, box, addressOf } =
      world
    const pool = await neutron.subnetPools.create(
      { ...own(), name: 'corp', prefixes: ['10.22.0.0/16'], default_prefixlen: 24 },
      context(),
    )
    const named = ['-o', 'neutron.pool.name=corp', '--ipam-opt', 'neutron.pool.name=corp']
    await create(...named, '--subnet', '10.22.3.0/24', 'pooled')
    expect(await subnetsNow()).toMatchObject([{ subnetpool_id: pool.id }])
    await box(engine, 'one', '--net=pooled')
    expect(await addressOf(engine, 'one')).toMatch(/^10\.22\.3\./)
    await engine.docker('rm', '-f', 'one')
    await engine.docker('network', 'rm', 'pooled')
    expect(await poolsNow()).toMatchObject([{ id: pool.id, tags: [] }])

    const { network, subnet } = await ready('10.22.4.0/24', pool.id)
    const wish = ['neutron.net.uuid=' + network.id, 'neutron.subnet.uuid=' + subnet.id]
    await create(...wish.flatMap((each) => ['-o', each, '--ipam-opt', each]), '--subnet', '10.22.4.0/24', 'subnetted')
    await box(engine, 'one', '--net=subnetted')
    expect((await portOf(engine, 'one')).fixed_ips).toMatchObject([{ subnet_id: subnet.id }])
    await engine.docker('rm', '-f', 'one')
    await engine.docker('network', 'rm', 'subnetted')
    expect(await subnetsNow()).toMatchObject([{ id: subnet.id, tags: [] }])
    await neutron.networks.remove(network.id, context())
    await neutron.subnetPools.remove(pool.id, context())
    await nothingLeft()
  })

  test('what is missing, ambiguous, misspelt or in conflict is told and leaves nothing', async () => {
    const { own, neutron, context, networksNow, poolsNow, ready, create } = world
    const { network } = await ready('10.23.0.0/24')
    const second = await neutron.networks.create({ ...own(), name: 'mine' }, context())
    const refused = async (sentence: string, ...args: string[]) => {
      await expect(create(...args, 'refused')).rejects.toThrow(sentence)
    }
    await refused('no network with name nobody', '-o', 'neutron.net.name=nobody', '--subnet', '10.24.0.0/24')
    await refused('2 networks are named mine', '-o', 'neutron.net.name=mine', '--subnet', '10.24.0.0/24')
    await refused('no option neutron.net.nam;', '-o', 'neutron.net.nam=mine', '--subnet', '10.24.0.0/24')
    await refused(
      'is not shared',
      '-o',
      `neutron.net.uuid=${network.id}`,
      '-o',
      'neutron.net.shared=true',
      '--subnet',
      '10.24.0.0/24',
    )
    await refused(
      'has the gateway 10.23.0.1',
      '-o',
      `neutron.net.uuid=${network.id}`,
      '--subnet',
      '10.23.0.0/24',
      '--gateway',
      '10.23.0.9',
    )
    await refused('no subnet pool with name kuryr')
    await eventually('no traces', async () => {
      const [networks, pools] = [await networksNow(), await poolsNow()]
      return pools.length === 0 && networks.length === 2 && networks.every(({ tags = [] }) => tags.length === 0)
    })
    await neutron.networks.remove(second.id, context())
    await neutron.networks.remove(network.id, context())
  })

  test('--ip takes the port that has it, and gives it back as it was; another one is never stolen', async () => {
    const { own, cloud, engine, neutron, context, portsNow, portOf, ready, nothingLeft, create, box, pings } = world
    const { network, subnet } = await ready('10.25.0.0/24')
    const fixed = (ip_address: string) => ({
      ...own(),
      network_id: network.id,
      fixed_ips: [{ subnet_id: subnet.id, ip_address }],
    })
    const mine = await neutron.ports.create(fixed('10.25.0.50'), context())
    const theirs = await neutron.ports.create({ ...fixed('10.25.0.60'), device_id: 'a-server' }, context())
    await create(
      '-o',
      `neutron.net.uuid=${network.id}`,
      '--ipam-opt',
      `neutron.net.uuid=${network.id}`,
      '--subnet',
      '10.25.0.0/24',
      'mine',
    )
    await box(engine, 'one', '--net=mine', '--ip', '10.25.0.50')
    const used = await portOf(engine, 'one')
    expect(used).toMatchObject({ id: mine.id, device_owner: 'compute:kuryr', 'binding:host_id': cloud.hostName })
    await box(engine, 'two', '--net=mine')
    await eventually('a ping', () => pings(engine, 'two', '10.25.0.50'))
    await expect(box(engine, 'three', '--net=mine', '--ip', '10.25.0.60')).rejects.toThrow(
      'Address 10.25.0.60 is in use',
    )
    await engine.docker('rm', '-f', 'one', 'two')
    await eventually('the port as it was', async () => {
      const port = await neutron.ports.show(mine.id, context())
      return (
        port.device_id === '' &&
        port['binding:host_id'] === '' &&
        port.mac_address === mine.mac_address &&
        port.tags?.length === 0
      )
    })
    expect(await neutron.ports.show(theirs.id, context())).toMatchObject({ device_id: 'a-server', tags: [] })
    // An address of its own can be had again at once.
    await box(engine, 'four', '--net=mine', '--ip', '10.25.0.70')
    await engine.docker('rm', '-f', 'four')
    await box(engine, 'five', '--net=mine', '--ip', '10.25.0.70')
    await engine.docker('rm', '-f', 'five')
    await engine.docker('rm', '-f', 'three')
    await engine.docker('network', 'rm', 'mine')
    await eventually('only those', async () => (await portsNow()).length === 2)
    await neutron.ports.remove(mine.id, context())
    await neutron.ports.remove(theirs.id, context())
    await neutron.networks.remove(network.id, context())
    await nothingLeft()
  })
})

describe('options of docker run and network create', () => {
  test('--expose opens the ports, neighbours as one rule, and the group goes with the container', async () => {
    const { engine, neutron, context, groupsNow, portOf, nothingLeft, create, box } = world
    await create('--subnet', '10.30.0.0/24', 'open')
    await box(engine, 'one', '--net=open', '--expose', '1234-1238/udp', '--expose', '80')
    const port = await portOf(engine, 'one')
    const [group] = await groupsNow()
    expect(group?.name).toBe(`${port.id}-exposed_ports`)
    expect(port.security_groups).toContain(group?.id)
    const rules = await allOf(
      neutron.securityGroupRules.list({ security_group_id: group?.id ?? '', direction: 'ingress' }, context()),
    )
    const opened = rules.map(({ protocol, port_range_min: min, port_range_max: max }) => `${protocol} ${min}-${max}`)
    expect(new Set(opened)).toEqual(new Set(['tcp 80-80', 'udp 1234-1238']))
    await engine.docker('rm', '-f', 'one')
    await engine.docker('network', 'rm', 'open')
    await nothingLeft()
  })

  test('--ipv6: one port with an address of each family, both answer', async () => {
    const { engine, portsNow, portOf, nothingLeft, create, box, pings } = world
    await create('--subnet', '10.31.0.0/24', '--ipv6', '--subnet', 'fd00:31::/64', 'dual')
    await box(engine, 'one', '--net=dual')
    await box(engine, 'two', '--net=dual')
    const two = await portOf(engine, 'two')
    expect(two.fixed_ips.filter(({ ip_address }) => ip_address.includes(':'))).toHaveLength(1)
    expect(two.fixed_ips).toHaveLength(2)
    expect(await portsNow()).toHaveLength(2)
    for (const { ip_address } of two.fixed_ips) {
      const family = ip_address.includes(':') ? ['-6'] : []
      await eventually(`a ping of ${ip_address}`, () => pings(engine, 'one', ip_address, ...family))
    }
    await engine.docker('rm', '-f', 'one', 'two')
    await engine.docker('network', 'rm', 'dual')
    await nothingLeft()
  })

  test('--ip-range and --aux-address limit what is handed out; --internal has no gateway', async () => {
    const { engine, subnetsNow, create, box, addressOf } = world
    await create(
      '--subnet',
      '10.32.0.0/24',
      '--ip-range',
      '10.32.0.16/30',
      '--aux-address',
      'printer=10.32.0.17',
      '--internal',
      'tight',
    )
    const [subnet] = await subnetsNow()
    expect(subnet?.gateway_ip).toBeNull()
    // Neutron tells them in any order.
    expect(subnet?.allocation_pools?.toSorted((one, other) => one.start.localeCompare(other.start))).toEqual([
      { start: '10.32.0.16', end: '10.32.0.16' },
      { start: '10.32.0.18', end: '10.32.0.19' },
    ])
    await box(engine, 'one', '--net=tight')
    expect(await addressOf(engine, 'one')).toMatch(/^10\.32\.0\.1[689]$/)
    expect(await engine.docker('exec', 'one', 'ip', 'route')).not.toContain('default')
  })

  test('two networks with the same addresses are apart', async () => {
    const { engine, portOf, create, box } = world
    await create('--subnet', '10.33.0.0/24', 'left')
    await create('--subnet', '10.33.0.0/24', 'right')
    await box(engine, 'one', '--net=left', '--ip', '10.33.0.5')
    await box(engine, 'two', '--net=right', '--ip', '10.33.0.5')
    await box(engine, 'three', '--net=left')
    expect((await portOf(engine, 'one')).network_id).not.toBe((await portOf(engine, 'two')).network_id)
    await engine.docker('rm', '-f', 'one')
    expect(await portOf(engine, 'two')).toMatchObject({ status: expect.any(String) })
  })

  test('docker network connect and disconnect on a running container', async () => {
    const { engine, portsNow, create, box } = world
    await create('--subnet', '10.34.0.0/24', 'early')
    await create('--subnet', '10.35.0.0/24', 'late')
    await box(engine, 'one', '--net=early')
    await engine.docker('network', 'connect', 'late', 'one')
    expect(await engine.docker('exec', 'one', 'ip', 'addr')).toContain('10.35.0.')
    await engine.docker('network', 'disconnect', 'late', 'one')
    expect(await engine.docker('exec', 'one', 'ip', 'addr')).not.toContain('10.35.0.')
    await eventually('one port', async () => (await portsNow()).length === 1)
  })
})
