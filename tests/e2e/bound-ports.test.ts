import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import type { Assignment, Nic, NicBinding } from '@gantry/model'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, startHost } from '../fixtures/host-bench.ts'
import { aGroup, aNetwork, aRule } from '../fixtures/net-plans.ts'
import { startPodman } from '../fixtures/podman.ts'

/**
 * Containers on ports that Neutron made, as their host sees them: by their nics alone. There is no Neutron here and its agent filters
 * nothing; tests/openstack/binding.test.ts has both.
 */
const run = promisify(execFile)
const bridge = 'brqaaaaaaaa-bb'
const vif: NicBinding['vif'] = { kind: 'bridge', bridge, filters: false }
const networkId = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' as Nic['networkId']

describe.each([
  ['Docker', startEngine],
  ['Podman', startPodman],
])('with %s', (kind, start) => {
  let engine: TestEngine
  let bench: HostBench
  beforeAll(async () => {
    engine = await start()
    await loadBusybox(engine.socket)
    // What Neutron's agent does for a port that it does not filter; Docker lets nothing pass that it does not know.
    await outside('iptables', '-I', 'FORWARD', '-m', 'physdev', '--physdev-is-bridged', '-j', 'ACCEPT')
    await outside('ip6tables', '-I', 'FORWARD', '-m', 'physdev', '--physdev-is-bridged', '-j', 'ACCEPT')
  })
  afterAll(() => engine.stop())
  beforeEach(() => {
    bench = startHost(engine)
  })
  afterEach(() => bench.close())

  const outside = async (...command: string[]) => {
    const { stdout } = await run('nsenter', [`--net=${engine.netns}`, ...command])
    return stdout
  }
  const inside = (from: Assignment, ...command: string[]) => engine.docker('exec', `gantry-${from.id}`, ...command)
  const pings = (from: Assignment, to: string) =>
    inside(from, 'ping', '-c', '1', '-W', '1', to).then(
      () => true,
      () => false,
    )
  const taps = async () => (await outside('ip', '-br', 'link')).match(/^tap[0-9a-f-]+/gm) ?? []
  const tapOf = ({ portId }: Nic) => `tap${portId.slice(0, 11)}`
  const nicOf = (addresses: readonly string[], binding: Partial<NicBinding> = {}): Nic => ({
    portId: randomUUID() as Nic['portId'],
    networkId,
    mac: `fa:16:3e:00:00:0${addresses[0]?.split('.')[3]}`,
    addresses: addresses.map((address) => {
      const version = address.includes(':') ? (6 as const) : (4 as const)
      const [prefix, gateway] = version === 4 ? [24, '10.61.1.1'] : [64, 'fd61::1']
      return { address, prefix, version, gateway, subnetId: address as Nic['addresses'][number]['subnetId'] }
    }),
    groups: [],
    filtered: true,
    preserve: false,
    binding: { mtu: 1420, dnsServers: ['192.0.2.53'], routes: [], vif, ...binding },
  })
  const remove = async (...all: Assignment[]) => {
    for (const each of all) bench.assign(next(each, { gone: { graceSeconds: 0 } }))
    for (const each of all) expect((await bench.settled(next(each, {}))).gone).toBe(true)
  }

  test('a container has all of its port: addresses, MTU, routes, name servers; and of our own networks besides', async () => {
    const open = aGroup(aRule('egress'), aRule('ingress'))
    const net = aNetwork('10.62.0.0/24')
    bench.fabric({ networks: [net.plan], groups: [open] })
    const routes = [{ destination: '10.99.0.0/16', nextHop: '10.61.1.3' }]
    const first = nicOf(['10.61.1.5', 'fd61::5', '10.61.1.6', 'fd61::6'], { routes })
    const a = anAssignment({}, { name: 'a', nics: [first, net.nic('10.62.0.5', [open.id])] })
    const b = anAssignment({}, { name: 'b', nics: [nicOf(['10.61.1.7', 'fd61::7'])] })
    bench.assign(a)
    bench.assign(b)
    for (const each of [a, b]) expect(await bench.settled(each)).toMatchObject({ failure: null })
    await expect.poll(() => inside(a, 'ip', 'address', 'show', 'eth0'), { timeout: 10_000 }).toContain('fd61::6/64')
    const shown = await inside(a, 'ip', 'address', 'show', 'eth0')
    for (const part of ['mtu 1420', first.mac, '10.61.1.5/24', 'fd61::5/64', '10.61.1.6/24'])
      expect(shown).toContain(part)
    const table = await inside(a, 'ip', 'route')
    expect(table).toContain('default via 10.61.1.1 dev eth0')
    expect(table).toContain('10.99.0.0/16 via 10.61.1.3 dev eth0')
    expect(await inside(a, 'ip', 'address')).toContain('10.62.0.5/24')
    if (kind === 'Podman') expect(await inside(a, 'cat', '/etc/resolv.conf')).toContain('192.0.2.53')
    else expect(await engine.docker('inspect', '-f', '{{.HostConfig.DNS}}', `gantry-${a.id}`)).toContain('192.0.2.53')
    for (const to of ['10.61.1.5', '10.61.1.6']) expect(await pings(b, to)).toBe(true)
    await expect.poll(() => pings(b, 'fd61::6'), { timeout: 10_000 }).toBe(true)
    await remove(a, b)
    await expect.poll(taps).toEqual([])
  })

  test('a start waits until it is known how the port is bound; one that cannot be bound fails with the reason', async () => {
    const later = nicOf(['10.61.1.5'], { vif: null })
    const a = anAssignment({}, { nics: [later] })
    const problem = 'Neutron could not bind the port: is its agent running?'
    const b = anAssignment({}, { nics: [nicOf(['10.61.1.6'], { vif: null, problem })] })
    bench.assign(a)
    bench.assign(b)
    const failed = await bench.message((m) => m.kind === 'observed' && m.id === b.id && m.observed.failure !== null)
    expect(JSON.stringify(failed)).toContain(problem)
    expect(bench.messages.some((m) => m.kind === 'observed' && m.id === a.id && m.observed.settled > 0)).toBe(false)
    bench.assign({ ...a, nics: [nicLike(later, vif)] })
    expect(await bench.settled(a)).toMatchObject({ failure: null, engine: { state: 'running' } })
    await remove(a, b)
  })

  test('a stop keeps the port plugged; what another plugged is left alone, what nobody wants any more goes', async () => {
    await outside('ip', 'link', 'add', 'tap12345678-12', 'type', 'veth', 'peer', 'name', 'novas')
    const nic = nicOf(['10.61.1.5'])
    let a = anAssignment({}, { nics: [nic] })
    const b = anAssignment({}, { nics: [nicOf(['10.61.1.6'])] })
    for (const each of [a, b]) bench.assign(each)
    for (const each of [a, b]) await bench.settled(each)
    bench.synced()
    a = next(a, { power: { kind: 'stopped', graceSeconds: 0 } })
    bench.assign(a)
    const stopped = await bench.settled(a)
    expect(await taps()).toContain(tapOf(nic))
    a = next(a, {
      power: { kind: 'running', since: stopped.engine?.startedAt ?? null, bounce: false, graceSeconds: 0 },
    })
    bench.assign(a)
    await bench.settled(a)
    await expect.poll(() => pings(a, '10.61.1.6'), { timeout: 10_000 }).toBe(true)

    // The next agent is told of one of them only.
    await bench.close()
    bench = startHost(engine)
    bench.assign(a)
    bench.synced()
    await expect.poll(taps, { timeout: 20_000 }).toHaveLength(2)
    expect((await taps()).toSorted()).toEqual(['tap12345678-12', tapOf(nic)].toSorted())
    expect(await inside(a, 'ip', 'address', 'show', 'eth0')).toContain('10.61.1.5')
    await remove(a)
    await outside('ip', 'link', 'del', 'tap12345678-12')
  })

  test('a start that is to wait for its traffic waits for the last rule of Neutron’s agent', async () => {
    await bench.close()
    bench = startHost(engine, { portWaitMs: 60_000 })
    const nic = nicOf(['10.61.1.5'], { vif: { kind: 'bridge', bridge, filters: true } })
    const a = anAssignment({}, { nics: [nic] })
    bench.assign(a)
    await expect.poll(taps, { timeout: 20_000 }).toEqual([tapOf(nic)])
    const chain = `neutron-linuxbri-i${nic.portId.slice(0, 10)}`
    const ebtables = (...line: string[]) => outside('ebtables', '-t', 'nat', ...line)
    await outside('iptables', '-N', chain)
    for (const layer of ['MAC', 'ARP']) {
      expect(bench.messages.some((m) => m.kind === 'observed' && m.id === a.id && m.observed.settled > 0)).toBe(false)
      expect(await outside('ip', 'link', 'show', tapOf(nic))).not.toContain('master')
      await ebtables('-N', `neutron${layer}-${tapOf(nic)}`, '-P', 'RETURN')
      await ebtables('-A', 'PREROUTING', '-i', tapOf(nic), '-j', `neutron${layer}-${tapOf(nic)}`)
    }
    expect(await bench.settled(a)).toMatchObject({ failure: null, engine: { state: 'running' } })
    expect(await outside('ip', 'link', 'show', tapOf(nic))).toContain(`master ${bridge}`)
    await remove(a)
  })

  test('a running container gets a port and gives it back', async () => {
    const nic = nicOf(['10.61.1.5'])
    let a = anAssignment({}, { nics: [] })
    bench.assign(a)
    await bench.settled(a)
    a = { ...next(a, {}), nics: [nic] }
    bench.assign(a)
    expect((await bench.settled(a)).engine?.nics).toEqual([nic.portId])
    expect(await inside(a, 'ip', 'address')).toContain('10.61.1.5/24')
    a = { ...next(a, {}), nics: [] }
    bench.assign(a)
    expect((await bench.settled(a)).engine?.nics).toEqual([])
    await expect.poll(taps).toEqual([])
    await remove(a)
  })
})

function nicLike(nic: Nic, vif: NicBinding['vif']): Nic {
  return { ...nic, ...(nic.binding && { binding: { ...nic.binding, vif } }) }
}
