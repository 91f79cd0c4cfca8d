import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Network, networkService, type NetworkService } from '@gantry/openstack'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Session } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, testCloud, type TestProject } from './fixtures/test-cloud.ts'

const run = promisify(execFile)

let cloud: TestCloud
let gantry: GantryOnCloud
let project: TestProject
let member: Session
let neutron: NetworkService
let here: Network
let there: Network

beforeAll(async () => {
  cloud = await testCloud()
  gantry = await gantryOnCloud(cloud)
  project = await cloud.newProject()
  member = await gantry.as(project.member)
  neutron = networkService(cloud.session(project.member))
  here = await aNetwork('here', '10.21.0.0/24')
  there = await aNetwork('there', '10.21.1.0/24')
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})

async function aNetwork(name: string, cidr: string): Promise<Network> {
  const network = await neutron.networks.create({ name }, cloud.context())
  await neutron.subnets.create({ network_id: network.id, ip_version: 4, cidr, enable_dhcp: false }, cloud.context())
  return network
}

interface Running {
  readonly id: string
  readonly address: string
  readonly port: string
}

async function started(name: string, nets: object[], more: object = {}): Promise<Running> {
  const body = { name, image: gantry.busyboxId, command: ['sleep', '100000'], memory: '32', nets, ...more }
  const made = await member.zun('POST', '/containers?run=true', body)
  expect(made.status, made.text).toBe(202)
  const shown = await member.waitFor(name, ({ status }) => status !== 'Creating')
  expect(shown.status, (await member.zun('GET', `/containers/${name}`)).text).toBe('Running')
  const { json } = await member.zun('GET', `/containers/${name}`)
  const { addresses } = json as unknown as { addresses: Record<string, { addr: string; port: string }[]> }
  const [first] = Object.values(addresses).flat()
  return { id: made.json.uuid, address: first?.addr ?? '', port: first?.port ?? '' }
}

async function pings(from: string, address: string): Promise<boolean> {
  const command = encodeURIComponent(`ping -c1 -W1 ${address}`)
  const { json } = await member.zun('POST', `/containers/${from}/execute?command=${command}&run=true`)
  return (json as unknown as { exit_code: number }).exit_code === 0
}

const answers = (from: string, address: string) =>
  eventually(`${address} to answer ${from}`, () => pings(from, address))
const isSilent = (from: string, address: string) =>
  eventually(`${address} not to answer ${from}`, async () => !(await pings(from, address)))

/** In the last version of the API that has it; later clients change the port at Neutron. */
function regroup(verb: 'add' | 'remove') {
  const path = `/containers/one/${verb}_security_group?name=pingable`
  return member.zun('POST', path, undefined, { 'openstack-api-version': 'container 1.14' })
}

async function removed(name: string): Promise<void> {
  await member.zun('DELETE', `/containers/${name}?stop=true`)
  await eventually(`${name} to be gone`, async () => (await member.zun('GET', `/containers/${name}`)).status === 404)
}

async function portOf(id: string) {
  for await (const port of neutron.ports.list({ id }, cloud.context())) return port
  return null
}

describe('containers on a tenant’s networks', () => {
  let one: Running
  let two: Running

  test('of Glance’s image run with a port of Neutron’s, bound and ACTIVE, and reach each other', async () => {
    one = await started('one', [{ network: 'here' }])
    two = await started('two', [{ network: here.id, 'v4-fixed-ip': '10.21.0.77' }])
    expect(two.address).toBe('10.21.0.77')
    await answers('one', two.address)
    const port = await eventually('the port to be ACTIVE', async () => {
      const seen = await networkService(cloud.adminSession).ports.show(one.port, cloud.context())
      return seen.status === 'ACTIVE' && seen
    })
    expect(port).toMatchObject({
      device_owner: 'compute:kuryr',
      device_id: one.id,
      'binding:host_id': cloud.hostName,
      'binding:vif_type': 'bridge',
    })
  })

  test('are not reached from another network, until a router joins them', async () => {
    // Members of the group `default` let each other pass, wherever they are.
    await neutron.securityGroups.create({ name: 'strict' }, cloud.context())
    await started('three', [{ network: 'there' }], { security_groups: ['strict'] })
    expect(await pings('three', one.address)).toBe(false)
    const router = await neutron.routers.create({ name: 'joins' }, cloud.context())
    for (const { id } of [here, there]) {
      const subnet = await firstSubnet(id)
      await neutron.addInterface(router.id, { subnet_id: subnet }, cloud.context())
    }
    const group = await neutron.securityGroups.create({ name: 'pingable' }, cloud.context())
    await neutron.securityGroupRules.create(
      { security_group_id: group.id, direction: 'ingress', protocol: 'icmp' },
      cloud.context(),
    )
    const added = await regroup('add')
    expect(added.status, added.text).toBe(202)
    await answers('three', one.address)
  })

  test('are filtered by their security groups as these are by now', async () => {
    const taken = await regroup('remove')
    expect(taken.status, taken.text).toBe(202)
    await isSilent('three', one.address)
    await regroup('add')
    await answers('three', one.address)
    const port = await portOf(one.port)
    expect(port?.security_groups).toHaveLength(2)
  })

  test('are reached from outside by a floating IP', async () => {
    const [outside] = await Array.fromAsync(neutron.networks.list({ name: 'public' }, cloud.context()))
    const [router] = await Array.fromAsync(neutron.routers.list({ name: 'joins' }, cloud.context()))
    const external = { external_gateway_info: { network_id: outside?.id ?? '' } }
    await neutron.routers.update(router?.id ?? '', external, cloud.context())
    const body = { floating_network_id: outside?.id ?? '', port_id: one.port }
    const { floating_ip_address: address } = await neutron.floatingIps.create(body, cloud.context())
    await eventually(`${address} to answer`, async () => {
      await run('ping', ['-c1', '-W1', address])
      return true
    })
  })

  test('gain and lose a network while they run', async () => {
    const attached = await member.zun('POST', '/containers/two/network_attach?network=there')
    expect(attached.status, attached.text).toBe(200)
    const nets = await eventually('two interfaces', async () => {
      const { json } = await member.zun('GET', '/containers/two/network_list')
      const list = (json as unknown as { networks: { net_id: string; port_id: string }[] }).networks
      return list.length === 2 && list
    })
    const added = nets.find(({ net_id }) => net_id === there.id)
    await answers('two', '10.21.1.1')
    const detached = await member.zun('POST', '/containers/two/network_detach?network=there')
    expect(detached.status, detached.text).toBe(202)
    await eventually('the port to be gone', async () => (await portOf(added?.port_id ?? '')) === null)
  })

  test('keep their ports and addresses over a stop and a start', async () => {
    await member.zun('POST', '/containers/one/stop?timeout=0')
    await member.waitFor('one', ({ status }) => status === 'Stopped')
    await member.zun('POST', '/containers/one/start')
    await member.waitFor('one', ({ status }) => status === 'Running')
    expect((await portOf(one.port))?.fixed_ips[0]?.ip_address).toBe(one.address)
    await answers('two', one.address)
  })

  test('take their ports with them, and leave those that were given', async () => {
    const given = await neutron.ports.create({ network_id: here.id, name: 'given' }, cloud.context())
    const four = await started('four', [{ port: given.id }])
    expect(four.port).toBe(given.id)
    await answers('two', four.address)
    await removed('four')
    const kept = await networkService(cloud.adminSession).ports.show(given.id, cloud.context())
    expect(kept).toMatchObject({ device_id: '', device_owner: '', 'binding:host_id': '' })
    await removed('one')
    // Not a moment later: who has waited for the container to be gone may delete its network.
    expect(await portOf(one.port)).toBeNull()
  })

  test('that are all gone leave nothing in the way of their network’s end', async () => {
    await removed('three')
    const [router] = await Array.fromAsync(neutron.routers.list({ name: 'joins' }, cloud.context()))
    await neutron.removeInterface(router?.id ?? '', { subnet_id: await firstSubnet(there.id) }, cloud.context())
    expect(await neutron.networks.remove(there.id, cloud.context())).toBe(true)
  })
})

test('what cannot be had is refused at once, in the API’s words', async () => {
  const body = { image: gantry.busyboxId, command: ['true'] }
  const missing = await member.zun('POST', '/containers?run=true', { ...body, nets: [{ network: 'nowhere' }] })
  expect(missing.status, missing.text).toBe(404)
  const taken = await member.zun('POST', '/containers?run=true', {
    ...body,
    nets: [{ network: 'here', 'v4-fixed-ip': '10.21.0.77' }],
  })
  expect(taken.status, taken.text).toBe(409)
})

test('a second network of the same addresses is another world', async () => {
  const twin = await aNetwork('twin', '10.21.0.0/24')
  await started('five', [{ network: twin.id }])
  expect(await pings('five', '10.21.0.77')).toBe(false)
  await removed('five')
})

async function firstSubnet(networkId: string): Promise<string> {
  for await (const { id } of neutron.subnets.list({ network_id: networkId }, cloud.context())) return id
  throw new Error('The network has no subnet.')
}
