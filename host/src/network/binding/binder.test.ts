import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Vif } from '@gantry/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { netTools } from '../run-in.ts'
import { type Binder, type BoundPort, binder, containerEnd, unplugAll } from './binder.ts'

/** In a namespace of the kernel; what Neutron's agent does there, the tests do by its own commands. */

const tools = netTools()
const run = promisify(execFile)
const path = process.env['PATH']
const portId = '01234567-89ab-4cde-8f01-23456789abcd'
const [tap, end, early] = ['tap01234567-89', containerEnd(portId), 'gh0123456789a']
const bridge = 'brqaaaaaaaa-bb'
const log = { debug() {}, info() {}, warn() {}, error() {} }

let name: string
let space: string
let folder: string
let own: Binder
beforeEach(async () => {
  name = `gt-${randomBytes(4).toString('hex')}`
  space = `/run/netns/${name}`
  await run('ip', ['netns', 'add', name])
  folder = await mkdtemp(join(tmpdir(), 'gantry-binder-'))
  own = binder({ tools, engineSpace: space, log, mark: 'gantry-test' })
})
afterEach(async () => {
  process.env['PATH'] = path
  own.close()
  await run('ip', ['netns', 'del', name])
  await rm(folder, { recursive: true })
})

const onBridge: Vif = { kind: 'bridge', bridge, filters: true }
const port = (vif: Vif = onBridge, filtered = true): BoundPort => ({
  portId,
  networkId: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
  mac: 'fa:16:3e:00:00:01',
  mtu: 1450,
  vif,
  filtered,
})
const inSpace = (script: string) => tools.sh(space, script)
const link = (of: string) => inSpace(`ip -d link show ${of} 2>/dev/null || true`)
const soon = () => AbortSignal.timeout(15_000)

/** The agent's steps in its order; `arp` is the last one. */
const agent = {
  filter: () => inSpace('iptables -N neutron-linuxbri-i01234567-8; ip6tables -N neutron-linuxbri-i01234567-8'),
  mac: () =>
    inSpace(`ebtables -t nat -N neutronMAC-${tap}; ebtables -t nat -I PREROUTING -i ${tap} -j neutronMAC-${tap}`),
  arp: () =>
    inSpace(
      `ebtables -t nat -N neutronARP-${tap}; ebtables -t nat -A PREROUTING -i ${tap} -j neutronARP-${tap} -p ARP`,
    ),
  forget: () =>
    inSpace(
      'iptables -X neutron-linuxbri-i01234567-8; ip6tables -X neutron-linuxbri-i01234567-8; ebtables -t nat -F; ebtables -t nat -X',
    ),
}
const allRules = async () => {
  await agent.filter()
  await agent.mac()
  await agent.arp()
}
/** Longer than the binder takes for several looks. */
const looks = () => new Promise((resolve) => setTimeout(resolve, 500))

test('a port joins its bridge when the last of its rules is in force, and not before', async () => {
  await own.plug(port())
  expect(await link(tap)).toMatch(/mtu 1450 .*fe:16:3e:00:00:01.*alias gantry-test\/01234567-/s)
  expect(await link(end)).toMatch(/mtu 1450 .*fa:16:3e:00:00:01/s)
  expect(await link(bridge)).toMatch(/state .*forward_delay 0 .*stp_state 0/s)
  for (const step of [() => Promise.resolve(), agent.filter, agent.mac]) {
    await step()
    await looks()
    expect(await link(tap)).not.toContain('master')
  }
  await agent.arp()
  await own.whenReady(portId, soon())
  expect(await link(tap)).toContain(`master ${bridge}`)
})

test('whoever waits for the rules may give up', async () => {
  await own.plug(port())
  await expect(own.whenReady(portId, AbortSignal.timeout(50))).rejects.toThrow()
  await allRules()
  await own.whenReady(portId, soon())
})

test.each<[string, BoundPort]>([
  ['without port security', port(onBridge, false)],
  ['whose agent has no filter', port({ ...onBridge, filters: false })],
])('a port %s joins at once', async (_name, each) => {
  await own.plug(each)
  expect(await link(tap)).toContain(`master ${bridge}`)
  await own.whenReady(portId, soon())
})

test('the agent does not see a new port before it has forgotten the old one', async () => {
  await allRules()
  await own.plug(port())
  await looks()
  expect(await link(tap)).toBe('')
  expect(await link(early)).not.toContain('master')
  expect(await link(end)).not.toBe('')
  await agent.forget()
  await expect.poll(() => link(tap), { timeout: 10_000 }).toContain('UP')
  expect(await link(tap)).not.toContain('master')
  await allRules()
  await own.whenReady(portId, soon())
  expect(await link(tap)).toContain(`master ${bridge}`)
})

test('plugging again keeps what waits, and makes anew what has gone with its container', async () => {
  await own.plug(port())
  const first = await link(end)
  await own.plug(port())
  expect(await link(end)).toBe(first)
  await inSpace(`ip netns add ${name}-c && ip link set ${end} netns ${name}-c`)
  try {
    await own.prepare(port())
    // It may be in use.
    expect(await inSpace(`ip -n ${name}-c link show ${end}`)).toContain('fa:16:3e:00:00:01')
    await own.plug(port())
    expect(await link(end)).toContain('fa:16:3e:00:00:01')
    expect(await inSpace(`ip -n ${name}-c link show ${end} 2>/dev/null || true`)).toBe('')
  } finally {
    await run('ip', ['netns', 'del', `${name}-c`])
  }
})

test('a port whose network turns out to be on another bridge goes there', async () => {
  await own.plug(port())
  await allRules()
  await own.whenReady(portId, soon())
  await own.prepare(port({ ...onBridge, bridge: 'br-flat' }))
  await own.whenReady(portId, soon())
  expect(await link(tap)).toContain('master br-flat')
})

test('only links of the same mark are known and taken down', async () => {
  await inSpace('ip link add tapffffffff-ff type veth peer name other')
  await own.plug(port())
  expect(await own.links()).toEqual([portId])
  expect(await own.loose()).toEqual([portId])
  const other = binder({ tools, engineSpace: space, log, mark: 'gantry-other' })
  expect(await other.links()).toEqual([])
  await unplugAll(tools, space, 'gantry-other')
  expect(await own.links()).toEqual([portId])
  await unplugAll(tools, space, 'gantry-test')
  expect(await own.links()).toEqual([])
  expect(await link('tapffffffff-ff')).not.toBe('')
})

test('unplugging ends the wait, takes down both ends, and may be repeated', async () => {
  await own.plug(port())
  const waiting = own.whenReady(portId, soon())
  await Promise.all([expect(waiting).rejects.toThrow('not plugged any more'), own.unplug({ portId })])
  expect(await link(tap)).toBe('')
  expect(await link(end)).toBe('')
  await own.unplug({ portId })
})

test('behind the port of a VM a container has an interface of the VM’s own one', async () => {
  await inSpace('ip link add eth0 type veth peer name outside && ip link set eth0 up')
  await own.plug(port({ kind: 'macvlan', parent: 'eth0' }))
  await own.plug(port({ kind: 'macvlan', parent: 'eth0' }))
  expect(await link(end)).toMatch(/@eth0.*mtu 1450.*fa:16:3e:00:00:01.*macvlan mode bridge/s)
  expect(await own.links()).toEqual([portId])
  await own.unplug({ portId })
  expect(await link(end)).toBe('')
})

test('an interface that Neutron’s agent takes up by itself is only made', async () => {
  await own.plug(port({ kind: 'tap' }))
  expect(await link(tap)).toContain('UP')
  expect(await link(bridge)).toBe('')
})

/** This kernel need not have Open vSwitch: what its program is told is looked at. */
const told = async () => (await readFile(join(folder, 'told'), 'utf8')).trim().split('\n')
const pretend = async () => {
  const file = join(folder, 'ovs-vsctl')
  await writeFile(file, `#!/bin/sh\necho "$*" >> ${folder}/told\n`)
  await chmod(file, 0o755)
  process.env['PATH'] = `${folder}:${path}`
}
const ids = [
  `external-ids:iface-id=${portId}`,
  'external-ids:iface-status=active',
  'external-ids:attached-mac=fa:16:3e:00:00:01',
  `external-ids:vm-uuid=${portId}`,
  'external-ids:owner=gantry',
].join(' ')

test('Open vSwitch is told whose a port is, and leads it nowhere until its agent has wired it', async () => {
  await pretend()
  await own.plug(port({ kind: 'ovs', bridge: 'br-int', hybrid: false }))
  expect(await told()).toEqual([
    `--timeout=10 -- --may-exist add-port br-int ${tap} tag=4095 vlan_mode=trunk trunks=4095 -- set Interface ${tap} ${ids}`,
  ])
  expect(await link(tap)).toContain('UP')
  await own.unplug({ portId })
  expect((await told()).at(-1)).toBe(
    `--timeout=5 -- --if-exists del-port ${tap} -- --if-exists del-port qvo01234567-89`,
  )
  expect(await link(tap)).toBe('')
})

test('for its hybrid form a Linux bridge stands between', async () => {
  await pretend()
  await own.plug(port({ kind: 'ovs', bridge: 'br-int', hybrid: true }))
  expect((await told())[0]).toContain('add-port br-int qvo01234567-89 ')
  expect(await link(tap)).toContain('master qbr01234567-89')
  expect(await link('qvb01234567-89')).toContain('master qbr01234567-89')
  expect(await link('qvo01234567-89')).toContain('UP')
  expect(await own.links()).toEqual([portId])
  await own.unplug({ portId })
  expect(await inSpace('ip -br link')).not.toMatch(/01234567-89|gc0123456789a/)
})

test('what is no id, name or address does not get into a command', async () => {
  await expect(own.plug({ ...port(), portId: '01234567-89ab; reboot' })).rejects.toThrow('not the id of a port')
  await expect(own.plug(port({ ...onBridge, bridge: 'a b' }))).rejects.toThrow('not the name of an interface')
  await expect(own.plug({ ...port(), mac: 'fa' })).rejects.toThrow('not a MAC address')
})
