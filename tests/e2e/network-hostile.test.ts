import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { hostTag, namespaceName } from '@gantry/host'
import type { Assignment, Nic } from '@gantry/model'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, startHost, testDeployment } from '../fixtures/host-bench.ts'
import { aGroup, aNetwork, aRouter, aRule, wayOut, type TestNetwork } from '../fixtures/net-plans.ts'

/** What a container that means harm can do to its neighbours, and what bad timing can do to all of them. */
const run = promisify(execFile)
let engine: TestEngine
let bench: HostBench

beforeAll(async () => {
  engine = await startEngine()
  await loadBusybox(engine.socket)
})
afterAll(() => engine.stop())
afterEach(async () => {
  const ids = await engine.docker('ps', '-aq')
  if (ids !== '') await engine.docker('rm', '-f', ...ids.split('\n'))
  await bench.close()
})

const slow = { timeout: 15_000 }
const open = aGroup(aRule('egress'), aRule('ingress'))

async function box(name: string, nics: readonly Nic[]): Promise<Assignment> {
  const wish = anAssignment({}, { name, nics: [...nics] })
  bench.assign(wish)
  expect((await bench.settled(wish)).failure).toBe(null)
  return wish
}

/** Runs a command in a container's network namespace, with all rights over it, as no container has them. */
async function change(of: Assignment, ...command: string[]): Promise<string> {
  const pid = await engine.docker('inspect', '-f', '{{.State.Pid}}', `gantry-${of.id}`)
  return (await run('nsenter', [`--net=/proc/${pid}/ns/net`, ...command])).stdout
}

const pings = (from: Assignment, to: string) =>
  engine.docker('exec', `gantry-${from.id}`, 'ping', '-c', '1', '-W', '1', to).then(
    () => true,
    () => false,
  )

async function linksIn(space: string): Promise<string[]> {
  const { stdout } = await run('nsenter', [`--net=${space}`, 'ip', '-br', 'link'])
  return [...stdout.matchAll(/^(g\w+)/gm)].map(([, name]) => name ?? '')
}

const spaceOf = ({ plan }: TestNetwork) => `/run/netns/${namespaceName(hostTag(testDeployment(engine)), plan.id)}`

test('nobody gets the frames of another by speaking under its MAC address', async () => {
  bench = startHost(engine)
  const net = aNetwork('10.20.0.0/24')
  bench.fabric({ networks: [net.plan], groups: [open] })
  const victim = await box('victim', [net.nic('10.20.0.5', [open.id])])
  const client = await box('client', [net.nic('10.20.0.6', [open.id])])
  const thief = await box('thief', [net.nic('10.20.0.7', [open.id])])
  expect(await pings(client, '10.20.0.5')).toBe(true)
  await change(thief, 'ip', 'link', 'set', 'eth0', 'address', victim.nics[0]?.mac ?? '')
  expect(await pings(thief, '10.20.0.6')).toBe(false)
  expect(await pings(client, '10.20.0.5')).toBe(true)
})

describe('ports', () => {
  test('that are taken from a running container leave nothing behind', async () => {
    bench = startHost(engine)
    const [one, two] = [aNetwork('10.20.0.0/24'), aNetwork('10.30.0.0/24')]
    bench.fabric({ networks: [one.plan, two.plan], groups: [open] })
    const a = await box('alpha', [one.nic('10.20.0.5', [open.id]), two.nic('10.30.0.5', [open.id])])
    const fewer = { ...next(a, {}), nics: a.nics.slice(0, 1) }
    bench.assign(fewer)
    expect((await bench.settled(fewer)).engine?.nics).toHaveLength(1)
    await expect.poll(() => linksIn(spaceOf(two)), slow).toEqual([])
    expect(await linksIn(engine.netns)).toEqual([])
  })

  test('go from one container to another, whichever of them is faster', async () => {
    bench = startHost(engine)
    const net = aNetwork('10.20.0.0/24')
    bench.fabric({ networks: [net.plan], groups: [open] })
    const peer = await box('peer', [net.nic('10.20.0.9', [open.id])])
    const wanted = net.nic('10.20.0.5', [open.id])
    const old = await box('old', [wanted])
    const heir = await box('heir', [wanted])
    expect(await pings(heir, '10.20.0.9')).toBe(true)
    const gone = next(old, { gone: { graceSeconds: 0 } })
    bench.assign(gone)
    expect(await bench.settled(gone)).toMatchObject({ gone: true })
    expect(await pings(heir, '10.20.0.9')).toBe(true)
    expect(await pings(peer, '10.20.0.5')).toBe(true)
  })
})

test('routers and networks that go and come back at once work', async () => {
  bench = startHost(engine)
  const net = aNetwork('10.20.0.0/24')
  const external = aNetwork('172.24.4.0/24', { external: true })
  const router = aRouter([net.plan], wayOut(external.plan, '172.24.4.10'))
  const plan = { networks: [net.plan, external.plan], groups: [open], routers: [router] }
  bench.fabric(plan)
  const a = await box('alpha', [net.nic('10.20.0.5', [open.id])])
  await expect.poll(() => pings(a, '172.24.4.1'), slow).toBe(true)
  for (let round = 0; round < 3; round += 1) {
    bench.fabric({ gone: [router.id] })
    bench.fabric({ routers: [router] })
    await expect.poll(() => pings(a, '172.24.4.1'), slow).toBe(true)
  }
  const gone = next(a, { gone: { graceSeconds: 0 } })
  bench.assign(gone)
  await bench.settled(gone)
  for (let round = 0; round < 3; round += 1) {
    bench.fabric({ gone: [net.plan.id] })
    bench.fabric(plan)
    const b = await box(`b${round}`, [net.nic('10.20.0.5', [open.id])])
    await expect.poll(() => pings(b, '172.24.4.1'), slow).toBe(true)
    const over = next(b, { gone: { graceSeconds: 0 } })
    bench.assign(over)
    await bench.settled(over)
  }
})

test('a router that could not be built is built when what was in its way has gone', async () => {
  bench = startHost(engine)
  const net = aNetwork('10.20.0.0/24')
  const external = aNetwork('172.24.4.0/24', { external: true })
  const router = aRouter([net.plan], wayOut(external.plan, '172.24.4.10'))
  const inEngineSpace = (...words: string[]) => run('nsenter', [`--net=${engine.netns}`, 'ip', 'link', ...words])
  const eleven = (id = '') => id.replaceAll('-', '').slice(0, 11)
  const [bridge, peer] = [`gb${eleven(external.plan.id)}`, `gx${eleven(router.external?.portId)}`]
  // The one an end of an older one, which the kernel has not taken down yet; the other no bridge.
  await inEngineSpace('add', peer, 'type', 'veth')
  await inEngineSpace('add', bridge, 'type', 'veth')
  bench.fabric({ networks: [net.plan, external.plan], groups: [open], routers: [router] })
  const a = await box('alpha', [net.nic('10.20.0.5', [open.id])])
  expect(await pings(a, '172.24.4.1')).toBe(false)
  await inEngineSpace('del', bridge)
  await expect.poll(() => pings(a, '172.24.4.1'), slow).toBe(true)
})

test('a port that is not filtered speaks outside under no address of others', async () => {
  bench = startHost(engine)
  const net = aNetwork('10.20.0.0/24')
  const external = aNetwork('172.24.4.0/24', { external: true })
  const router = aRouter([net.plan], wayOut(external.plan, '172.24.4.10'))
  bench.fabric({ networks: [net.plan, external.plan], groups: [open], routers: [router] })
  const liar = await box('liar', [net.nic('10.20.0.5', [open.id], { filtered: false })])
  await expect.poll(() => pings(liar, '172.24.4.1'), slow).toBe(true)
  await change(liar, 'ip', 'address', 'add', '172.24.4.77/32', 'dev', 'eth0')
  await change(liar, 'busybox', 'ping', '-c', '1', '-W', '1', '-I', '172.24.4.77', '172.24.4.1').catch(() => '')
  // Whoever had heard it would have asked for its neighbour.
  const { stdout } = await run('nsenter', [`--net=${engine.netns}`, 'ip', 'neigh', 'show', 'to', '172.24.4.77'])
  expect(stdout).toBe('')
  expect(await pings(liar, '172.24.4.1')).toBe(true)
})
