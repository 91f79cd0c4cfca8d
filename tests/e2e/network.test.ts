import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Assignment, Nic } from '@gantry/model'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, runningPower, startHost } from '../fixtures/host-bench.ts'
import { aGroup, aNetwork, aRouter, aRule, defaultGroup, wayOut } from '../fixtures/net-plans.ts'

/** Networks as containers meet them: every statement is made with packets. */
const run = promisify(execFile)
let engine: TestEngine
let bench: HostBench

beforeAll(async () => {
  engine = await startEngine()
  await loadBusybox(engine.socket)
})
afterAll(() => engine.stop())
afterEach(async () => {
  // While the network driver is there: the engine asks it about each.
  const ids = await engine.docker('ps', '-aq')
  if (ids !== '') await engine.docker('rm', '-f', ...ids.split('\n'))
  await bench.close()
})

/** Runs a container that answers every connection to port 80 with its name; resolves when it runs. */
async function box(name: string, nics: readonly Nic[], more: Partial<Assignment> = {}): Promise<Assignment> {
  const command = ['sh', '-c', `while true; do nc -l -p 80 -e echo ${name}; done`]
  const wish = anAssignment({ command }, { name, nics: [...nics], ...more })
  bench.assign(wish)
  const { engine: seen, failure } = await bench.settled(wish)
  expect(failure).toBe(null)
  expect(seen?.nics.toSorted()).toEqual(nics.map(({ portId }) => portId as string).toSorted())
  return wish
}

const inside = (from: Assignment, ...command: string[]) => engine.docker('exec', `gantry-${from.id}`, ...command)

/** Runs a command in a container's network namespace, with all rights over it, as no container has them. */
async function change(of: Assignment, ...command: string[]): Promise<void> {
  const pid = await engine.docker('inspect', '-f', '{{.State.Pid}}', `gantry-${of.id}`)
  await run('nsenter', [`--net=/proc/${pid}/ns/net`, ...command])
}

/** What answers at port 80 of `to`; empty if nothing does. */
const ask = (from: Assignment, to: string) => inside(from, 'nc', '-w', '1', to, '80').catch(() => '')

const pings = (from: Assignment, to: string, ...options: string[]) =>
  inside(from, 'ping', '-c', '1', '-W', '1', ...options, to).then(
    () => true,
    () => false,
  )

/** Runs a command where the engine's bridges are: outside, for the containers. */
async function outside(...command: string[]): Promise<string> {
  const { stdout } = await run('nsenter', [`--net=${engine.netns}`, ...command])
  return stdout.trim()
}

const askFromOutside = (address: string, port = '80') =>
  outside('busybox', 'nc', '-w', '1', address, port).catch(() => '')

const slow = { timeout: 15_000 }
const out = aRule('egress')
const open = aGroup(out, aRule('ingress'), aRule('egress', { version: 6 }), aRule('ingress', { version: 6 }))

describe('one network', () => {
  test('its containers reach each other by address and by name, in both versions of IP', async () => {
    bench = startHost(engine)
    const group = defaultGroup()
    const net = aNetwork(['10.20.0.0/24', 'fd20::/64'])
    bench.fabric({ networks: [net.plan], groups: [group] })
    const a = await box('alpha', [net.nic(['10.20.0.5', 'fd20::5'], [group.id])])
    await box('beta', [net.nic(['10.20.0.6', 'fd20::6'], [group.id])])
    expect(await ask(a, '10.20.0.6')).toBe('beta')
    expect(await ask(a, 'fd20::6')).toBe('beta')
    expect(await ask(a, 'beta')).toBe('beta')
    expect(await inside(a, 'ip', 'address', 'show', 'eth0')).toMatch(/10\.20\.0\.5\/24[^]*fd20::5\/64/)
  })

  test('a rule opens a port and its removal closes it; the default group lets only its members in', async () => {
    bench = startHost(engine)
    const [group, other] = [defaultGroup(), aGroup(out, aRule('egress', { version: 6 }))]
    const net = aNetwork(['10.20.0.0/24', 'fd20::/64'])
    bench.fabric({ networks: [net.plan], groups: [group, other] })
    const member = await box('member', [net.nic(['10.20.0.5', 'fd20::5'], [group.id])])
    const stranger = await box('stranger', [net.nic(['10.20.0.6', 'fd20::6'], [other.id])])
    const target = '10.20.0.5'
    expect([await ask(stranger, target), await ask(stranger, 'fd20::5')]).toEqual(['', ''])
    expect(await pings(stranger, target)).toBe(false)

    const rules = [
      ...group.rules,
      aRule('ingress', { protocol: 'tcp', portMin: 79, portMax: 81, remotePrefix: '10.20.0.0/28' }),
      aRule('ingress', { protocol: 'tcp', portMin: 80, portMax: 80, version: 6 }),
    ]
    bench.fabric({ groups: [{ ...group, rules }] })
    await expect.poll(() => ask(stranger, target), slow).toBe('member')
    expect(await ask(stranger, 'fd20::5')).toBe('member')
    expect(await pings(stranger, target)).toBe(false)
    expect(await ask(member, '10.20.0.6')).toBe('')

    bench.fabric({ groups: [group] })
    await expect.poll(() => ask(stranger, target), slow).toBe('')
    expect(await ask(stranger, 'fd20::5')).toBe('')

    const nics = stranger.nics.map((nic) => ({ ...nic, groups: [group.id] }))
    bench.assign({ ...next(stranger, {}), nics })
    await expect.poll(() => ask(stranger, target), slow).toBe('member')
    expect(await pings(stranger, target)).toBe(true)
  })

  test('without a rule for it nothing goes out, and answers always come back', async () => {
    bench = startHost(engine)
    const shut = aGroup(aRule('ingress', { protocol: 'tcp', portMin: 80, portMax: 80 }))
    const net = aNetwork('10.20.0.0/24')
    bench.fabric({ networks: [net.plan], groups: [open, shut] })
    const free = await box('free', [net.nic('10.20.0.5', [open.id])])
    const mute = await box('mute', [net.nic('10.20.0.6', [shut.id])])
    expect(await ask(mute, '10.20.0.5')).toBe('')
    expect(await ask(free, '10.20.0.6')).toBe('mute')
  })

  test('nobody can speak under the address of another, unless the port is not filtered', async () => {
    bench = startHost(engine)
    const net = aNetwork('10.20.0.0/24')
    bench.fabric({ networks: [net.plan], groups: [open] })
    const target = await box('target', [net.nic('10.20.0.5', [open.id])])
    const liar = await box('liar', [net.nic('10.20.0.6', [open.id])])
    const trusted = await box('trusted', [net.nic('10.20.0.7', [open.id], { filtered: false })])
    for (const each of [liar, trusted]) await change(each, 'ip', 'address', 'add', '10.20.0.66/24', 'dev', 'eth0')
    expect(await pings(liar, '10.20.0.5')).toBe(true)
    expect(await pings(liar, '10.20.0.5', '-I', '10.20.0.66')).toBe(false)
    expect(await inside(target, 'cat', '/proc/net/arp')).not.toContain('10.20.0.66')
    expect(await pings(trusted, '10.20.0.5', '-I', '10.20.0.66')).toBe(true)
    await change(liar, 'ip', 'link', 'set', 'eth0', 'address', 'fa:16:3e:00:00:01')
    expect(await pings(liar, '10.20.0.5')).toBe(false)
  })

  test('interfaces come and go while it runs and while it does not, the last one too', async () => {
    bench = startHost(engine)
    const [one, two] = [aNetwork('10.20.0.0/24'), aNetwork('10.30.0.0/24')]
    bench.fabric({ networks: [one.plan, two.plan], groups: [open] })
    const peer = await box('peer', [two.nic('10.30.0.9', [open.id])])
    let wish = await box('mover', [one.nic('10.20.0.5', [open.id])])
    const bring = async (change: Partial<Assignment>) => {
      wish = { ...next(wish, {}), ...change }
      bench.assign(wish)
      const settled = await bench.settled(wish)
      expect(settled.failure).toBe(null)
      expect(settled.engine?.nics.toSorted()).toEqual(wish.nics.map(({ portId }) => portId as string).toSorted())
    }
    const second = two.nic('10.30.0.5', [open.id])
    const [first] = wish.nics
    await bring({ nics: [...wish.nics, second] })
    expect(await ask(wish, '10.30.0.9')).toBe('peer')
    expect(await inside(wish, 'ip', 'address', 'show', 'eth10')).toContain('10.30.0.5/24')
    const twice = { ...next(wish, {}), nics: [...wish.nics, two.nic('10.30.0.6', [open.id])] }
    bench.assign(twice)
    expect((await bench.settled(twice)).failure?.reason).toContain('as another interface of the container')
    wish = { ...wish, wish: twice.wish }
    await bring({ nics: [second] })
    expect(await ask(wish, '10.30.0.9')).toBe('peer')
    await bring({ nics: [] })
    expect(await ask(peer, '10.30.0.5')).toBe('')
    const stopped = { ...wish.wish, power: { kind: 'stopped', graceSeconds: 0 } } as const
    await bring({ wish: { ...stopped, version: wish.wish.version + 1 } })
    const since = (await bench.settled(wish)).engine?.startedAt ?? null
    await bring({ wish: { ...stopped, power: { ...runningPower, since }, version: wish.wish.version + 1 } })
    await bring({ wish: { ...stopped, version: wish.wish.version + 1 } })
    if (first) await bring({ nics: [second, first] })
    const again = (await bench.settled(wish)).engine?.startedAt ?? null
    await bring({ wish: { ...stopped, power: { ...runningPower, since: again }, version: wish.wish.version + 1 } })
    expect(await ask(wish, '10.30.0.9')).toBe('peer')
  })
})

describe('walls', () => {
  test('two networks of the same range see nothing of each other, and names stay within a project', async () => {
    bench = startHost(engine)
    const other = '00aa11bb22cc33dd44ee55ff66778899' as Assignment['projectId']
    const [mine, theirs] = [aNetwork('10.20.0.0/24'), aNetwork('10.20.0.0/24', { projectId: other })]
    const shared = aNetwork('10.40.0.0/24')
    bench.fabric({ networks: [mine.plan, theirs.plan, shared.plan], groups: [open] })
    const a = await box('alpha', [mine.nic('10.20.0.5', [open.id]), shared.nic('10.40.0.5', [open.id])])
    const b = await box('beta', [theirs.nic('10.20.0.6', [open.id]), shared.nic('10.40.0.6', [open.id])], {
      projectId: other,
    })
    const twin = await box('twin', [theirs.nic('10.20.0.5', [open.id])], { projectId: other })
    expect(await pings(a, '10.20.0.6')).toBe(false)
    // Not even the question who has that address gets there.
    expect(await inside(b, 'cat', '/proc/net/arp')).not.toContain('10.20.0.5')
    expect(await ask(b, '10.20.0.5')).toBe('twin')
    expect(await ask(twin, '10.20.0.6')).toBe('beta')
    expect(await ask(a, '10.40.0.6')).toBe('beta')
    expect(await ask(a, 'beta')).toBe('')
  })
})

describe('routers', () => {
  test('join their networks and no others', async () => {
    bench = startHost(engine)
    const [one, two] = [aNetwork(['10.20.0.0/24', 'fd20::/64']), aNetwork(['10.30.0.0/24', 'fd30::/64'])]
    const lone = aNetwork('10.40.0.0/24')
    const router = aRouter([one.plan, two.plan])
    bench.fabric({ networks: [one.plan, two.plan, lone.plan], groups: [open], routers: [router, aRouter([lone.plan])] })
    const a = await box('alpha', [one.nic(['10.20.0.5', 'fd20::5'], [open.id])])
    await box('beta', [two.nic(['10.30.0.5', 'fd30::5'], [open.id])])
    await box('gamma', [lone.nic('10.40.0.5', [open.id])])
    expect(await ask(a, '10.30.0.5')).toBe('beta')
    expect(await ask(a, 'fd30::5')).toBe('beta')
    expect(await ask(a, '10.40.0.5')).toBe('')
    expect(await pings(a, '10.20.0.1')).toBe(true)
    bench.fabric({ routers: [{ ...router, interfaces: router.interfaces.slice(0, 2) }] })
    await expect.poll(() => ask(a, '10.30.0.5'), slow).toBe('')
    bench.fabric({ gone: [router.id] })
    await expect.poll(() => pings(a, '10.20.0.1'), slow).toBe(false)
  })

  test('lead out under their own address, and in by floating IPs and forwarded ports', async () => {
    bench = startHost(engine)
    const web = aGroup(out, aRule('ingress', { protocol: 'tcp', portMin: 80, portMax: 80 }))
    const net = aNetwork('10.20.0.0/24')
    const external = aNetwork('172.24.4.0/24', { external: true })
    const router = aRouter([net.plan], wayOut(external.plan, '172.24.4.10'))
    const [a, b, c] = [net.nic('10.20.0.5', [web.id]), net.nic('10.20.0.6', [web.id]), net.nic('10.20.0.7', [web.id])]
    const id = (text: string) => text as (typeof router.floatingIps)[number]['id']
    const forwardings = [{ protocol: 'tcp' as const, externalPort: 8080, address: '10.20.0.7', internalPort: 80 }]
    const floatingIps = [
      { id: id('a'), address: '172.24.4.20', fixedAddress: '10.20.0.5', forwardings: [] },
      { id: id('b'), address: '172.24.4.21', fixedAddress: '10.20.0.6', forwardings: [] },
      { id: id('c'), address: '172.24.4.22', fixedAddress: null, forwardings },
    ]
    bench.fabric({ networks: [net.plan, external.plan], groups: [web], routers: [{ ...router, floatingIps }] })
    const alpha = await box('alpha', [a])
    await box('beta', [b])
    const gamma = await box('gamma', [c])

    await outside('ip', 'address', 'add', '198.51.100.1/32', 'dev', 'lo')
    expect(await pings(gamma, '198.51.100.1')).toBe(true)
    expect(await askFromOutside('172.24.4.20')).toBe('alpha')
    expect(await askFromOutside('172.24.4.21')).toBe('beta')
    expect(await askFromOutside('172.24.4.22', '8080')).toBe('gamma')
    expect(await askFromOutside('172.24.4.22')).toBe('')
    // Security groups hold for whoever comes by a floating IP.
    expect(await outside('busybox', 'ping', '-c', '1', '-W', '1', '172.24.4.20').catch(() => 'nothing')).toBe('nothing')
    // Nobody outside reaches inner addresses by themselves.
    await outside('ip', 'route', 'add', '10.20.0.0/24', 'via', '172.24.4.10')
    expect(await askFromOutside('10.20.0.5')).toBe('')
    await outside('ip', 'route', 'del', '10.20.0.0/24')
    // From inside to the outer address of a neighbour, of itself, and of a forwarded port.
    expect(await ask(alpha, '172.24.4.21')).toBe('beta')
    expect(await ask(gamma, '172.24.4.20')).toBe('alpha')
    expect(await ask(alpha, '172.24.4.20')).toBe('alpha')

    bench.fabric({ routers: [{ ...router, floatingIps: floatingIps.slice(1) }] })
    await expect.poll(() => askFromOutside('172.24.4.20'), slow).toBe('')
    expect(await askFromOutside('172.24.4.21')).toBe('beta')
    await outside('ip', 'address', 'del', '198.51.100.1/32', 'dev', 'lo')
  })
})
