import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BoundPorts, boundPorts, newBinder } from './fixtures/bound-ports.ts'
import { eventually, type TestCloud, testCloud } from './fixtures/test-cloud.ts'

/** What the host plugs, and what Neutron's agent makes of it. */

let cloud: TestCloud
let ports: BoundPorts
const context = () => cloud.context()
/** The safety net of a busy machine; nothing is measured by it. */
const soon = () => AbortSignal.timeout(90_000)

beforeAll(async () => {
  cloud = await testCloud()
  ports = await boundPorts(cloud, await cloud.newProject())
})
afterAll(async () => {
  await ports?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})

const tap = (portId: string) => `tap${portId.slice(0, 11)}`
const onBridge = async (portId: string) =>
  (await ports.tools.sh(null, `ip link show ${tap(portId)}`)).includes('master')

/** Looks at the kernel as fast as it can until `end`: how often the port was on a bridge without its rules. */
async function unfiltered(portId: string, end: Promise<unknown>): Promise<{ looks: number; holes: number }> {
  const seen = { looks: 0, holes: 0 }
  let over = false
  const finish = () => (over = true)
  end.then(finish, finish)
  // In this order: rules that come after the first look do not count.
  const look = `
rules=$(iptables-save -t filter | grep -c '^:neutron-linuxbri-i${portId.slice(0, 10)} ' || true)
ip link show ${tap(portId)} 2>/dev/null | grep -q master && echo "on $rules" || echo off
rules=$(iptables-save -t filter | grep -c '^:neutron-linuxbri-i${portId.slice(0, 10)} ' || true)
echo $rules`
  while (!over) {
    // The machine has others to serve, the agent above all.
    await new Promise((resolve) => setTimeout(resolve, 20))
    const told = await ports.tools.sh(null, look)
    seen.looks += 1
    // Gone for good, or only just come: not if either look shows them.
    if (told === 'on 0\n0\n') seen.holes += 1
  }
  return seen
}

describe('two containers on a network', () => {
  test('reach each other as their security group lets them, and nothing passes before it does', async () => {
    const network = await ports.newNetwork('10.31.0.0/24')
    const group = await ports.newGroup()
    const rule = { security_group_id: group.id, direction: 'ingress' as const, ethertype: 'IPv4' as const }
    const [first, second] = await Promise.all([
      ports.newPort(network, { security_groups: [group.id] }),
      ports.newPort(network, { security_groups: [group.id] }),
    ])
    const [one, two] = await Promise.all([ports.newContainer(first), ports.newContainer(second)])
    const began = performance.now()
    const ready = Promise.all([first, second].map(({ id }) => ports.binder.whenReady(id, soon())))
    expect(await unfiltered(first.id, ready)).toMatchObject({ holes: 0 })
    await ready
    console.info(`ready after ${Math.round(performance.now() - began)} ms`)
    expect(await onBridge(first.id)).toBe(true)
    expect(await one.pings(second)).toBe(false)

    const { id: icmp } = await ports.network.securityGroupRules.create({ ...rule, protocol: 'icmp' }, context())
    await eventually('the rule to act', () => one.pings(second))
    expect(await two.pings(first)).toBe(true)
    await ports.network.securityGroupRules.remove(icmp, context())
    await eventually('the rule to act no more', async () => !(await one.pings(second)))
    await eventually(
      'Neutron to see them',
      async () => (await ports.network.ports.show(first.id, context())).status === 'ACTIVE',
    )
  })

  test('have the network’s MTU, IPv4 and IPv6, and no address but their own', async () => {
    const network = await ports.newNetwork('10.32.0.0/24', 'fd32::/64')
    const [first, second] = await Promise.all([ports.newPort(network), ports.newPort(network)])
    const [one, two] = await Promise.all([ports.newContainer(first), ports.newContainer(second)])
    await Promise.all([first, second].map(({ id }) => ports.binder.whenReady(id, soon())))
    // The default group: members reach each other.
    await eventually('IPv4', () => one.pings(second))
    const [v6] = second.fixed_ips.filter(({ ip_address }) => ip_address.includes(':'))
    await eventually('IPv6', () => one.pings(v6?.ip_address ?? ''))
    expect(await one.pings(second, 1450 - 28)).toBe(true)
    expect(await one.pings(second, 1450 - 27)).toBe(false)
    expect(await ports.tools.sh(two.space, 'ip link show eth0')).toContain('mtu 1450')

    await ports.tools.ip(one.space, ['addr flush dev eth0', 'addr add 10.32.0.250/24 dev eth0'])
    expect(await one.pings(second)).toBe(false)
  })

  test('are not reached from another network of the same addresses', async () => {
    const [network, twin] = await Promise.all([ports.newNetwork('10.33.0.0/24'), ports.newNetwork('10.33.0.0/24')])
    const [first, third, stranger] = await Promise.all([
      ports.newPort(network),
      ports.newPort(network, { fixed_ips: [{ ip_address: '10.33.0.77' }] }),
      ports.newPort(twin),
    ])
    const [one, , other] = await Promise.all([first, third, stranger].map((each) => ports.newContainer(each)))
    await Promise.all([first, third, stranger].map(({ id }) => ports.binder.whenReady(id, soon())))
    await eventually('its own network', async () => one?.pings(third))
    expect(await other?.pings(third)).toBe(false)
    expect(await one?.pings(third)).toBe(true)
  })

  test('pass at once where the port has no security', async () => {
    const network = await ports.newNetwork('10.34.0.0/24')
    const open = { port_security_enabled: false, security_groups: [] }
    const [first, second] = await Promise.all([ports.newPort(network, open), ports.newPort(network, open)])
    const one = await ports.newContainer(first)
    await ports.newContainer(second)
    expect(await onBridge(first.id)).toBe(true)
    await eventually('an answer', () => one.pings(second))
  })
})

test('a port that is plugged anew before the agent has noticed is off its bridge until the old rules have gone', async () => {
  const network = await ports.newNetwork('10.35.0.0/24')
  const [first, second] = await Promise.all([ports.newPort(network), ports.newPort(network)])
  const one = await ports.newContainer(first)
  await ports.newContainer(second)
  await Promise.all([first, second].map(({ id }) => ports.binder.whenReady(id, soon())))
  await eventually('an answer', () => one.pings(second))

  // Its namespace ends with the container, and both ends with it.
  await ports.tools.sh(one.space, 'ip link del eth0')
  await ports.binder.plug(ports.bound(first))
  await one.take()
  const ready = ports.binder.whenReady(first.id, soon())
  expect(await unfiltered(first.id, ready)).toMatchObject({ holes: 0 })
  await ready
  await eventually('an answer again', () => one.pings(second))
})

test('what an agent that was killed had begun is gone on with by the next, and removed if nobody wants it', async () => {
  const mark = 'gantry-killed'
  const [before, after] = [newBinder(mark), newBinder(mark)]
  const network = await ports.newNetwork('10.36.0.0/24')
  const port = await ports.newPort(network)
  await before.plug(ports.bound(port))
  before.close()
  expect(await after.links()).toEqual([port.id])
  expect(await after.loose()).toEqual([port.id])
  await after.prepare(ports.bound(port))
  await after.whenReady(port.id, soon())
  expect(await onBridge(port.id)).toBe(true)
  expect(await after.loose()).toEqual([])
  expect(await newBinder('gantry-other').links()).toEqual([])
  await after.unplug({ portId: port.id })
  expect(await after.links()).toEqual([])
  after.close()
})
