import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { hostTag, namespaceName } from '@gantry/host'
import { type Assignment, type FabricPlan, type Nic, sandboxImage } from '@gantry/model'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, startHost, testDeployment } from '../fixtures/host-bench.ts'
import { aGroup, aNetwork, aRouter, aRule, wayOut } from '../fixtures/net-plans.ts'

/** What becomes of networks and of those in them when parts are killed, and that nothing is left of what has gone. */
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

const slow = { timeout: 20_000 }
const open = aGroup(aRule('egress'), aRule('ingress'))

function aBox(name: string, nics: readonly Nic[], more: Partial<Assignment> = {}): Assignment {
  const command = ['sh', '-c', `while true; do nc -l -p 80 -e echo ${name}; done`]
  return anAssignment({ command }, { name, nics: [...nics], ...more })
}

const ask = (from: Assignment, to: string) =>
  engine.docker('exec', `gantry-${from.id}`, 'nc', '-w', '1', to, '80').catch(() => '')

/** A session that tells the host everything: as a server does when an agent connects. */
function tell(plan: Partial<FabricPlan>, wishes: readonly Assignment[]): void {
  bench.fabric(plan)
  for (const wish of wishes) bench.assign(wish)
  bench.synced()
}

/** Everything of ours in the kernel and in the engine, as one list of names. */
async function traces(): Promise<string[]> {
  const prefix = namespaceName(hostTag(testDeployment(engine)), '')
  const spaces = (await readdir('/run/netns')).filter((name) => name.startsWith(prefix))
  const outside = await run('nsenter', [`--net=${engine.netns}`, 'ip', '-br', 'link'])
  const rules = await run('nsenter', [`--net=${engine.netns}`, 'nft', 'list', 'ruleset'])
  const inner = await Promise.all(
    spaces.map(async (name) => {
      const links = await run('nsenter', [`--net=/run/netns/${name}`, 'ip', '-br', 'link'])
      const all = await run('nsenter', [`--net=/run/netns/${name}`, 'nft', 'list', 'ruleset'])
      return [...links.stdout.matchAll(/^(g\w+)/gm), ...all.stdout.matchAll(/(chain g[\w-]+|set g[\w-]+|"gp\w+" :)/g)]
    }),
  )
  return [
    ...spaces,
    ...inner.flat().map(([, found]) => found ?? ''),
    ...[...outside.stdout.matchAll(/^(g\w+)/gm)].map(([, found]) => found ?? ''),
    ...[...rules.stdout.matchAll(/gantry-[0-9a-f]+|gb\w{11}/g)].map(([found]) => found),
    ...(await engine.docker('network', 'ls', '--format', '{{.Name}}'))
      .split('\n')
      .filter((name) => /gantry/.test(name)),
  ]
}

describe('containers keep their network', () => {
  test('when the agent is made anew, and what it then is told is what holds', async () => {
    bench = startHost(engine)
    const net = aNetwork('10.20.0.0/24')
    const plan = { networks: [net.plan], groups: [open] }
    const [a, b] = [aBox('alpha', [net.nic('10.20.0.5', [open.id])]), aBox('beta', [net.nic('10.20.0.6', [open.id])])]
    tell(plan, [a, b])
    for (const wish of [a, b]) await bench.settled(wish)
    await bench.close()
    expect(await ask(a, '10.20.0.6')).toBe('beta')
    bench = startHost(engine)
    tell(plan, [a, b])
    for (const wish of [a, b]) expect((await bench.settled(wish)).engine?.nics).toHaveLength(1)
    expect(bench.messages.filter((message) => message.kind === 'step')).toEqual([])
    expect(await ask(a, 'beta')).toBe('beta')
    // The one before us made the endpoint; its end must still be noticed.
    const stopped = next(a, { power: { kind: 'stopped', graceSeconds: 0 } })
    bench.assign(stopped)
    await bench.settled(stopped)
    bench.fabric({ groups: [{ ...open, rules: [] }] })
    await expect.poll(() => ask(b, '10.20.0.6'), slow).toBe('beta')
    const gone = [a, b].map((wish) => next(next(wish, {}), { gone: { graceSeconds: 0 } }))
    for (const wish of gone) bench.assign(wish)
    for (const wish of gone) await bench.settled(wish)
  })

  test('when the engine is killed and comes back, and when it starts them again by itself', async () => {
    bench = startHost(engine)
    const net = aNetwork('10.20.0.0/24')
    const wishes = [5, 6].map((at) => {
      const wish = aBox(`box${at}`, [net.nic(`10.20.0.${at}`, [open.id])])
      return { ...wish, spec: { ...wish.spec, restartPolicy: { name: 'always' as const, maxRetries: 0 } } }
    })
    tell({ networks: [net.plan], groups: [open] }, wishes)
    for (const wish of wishes) await bench.settled(wish)
    const [a = anAssignment(), b = anAssignment()] = wishes
    expect(await ask(a, '10.20.0.6')).toBe('box6')
    await engine.kill9()
    await engine.restart()
    await bench.message((m) => m.kind === 'engine' && m.up && bench.messages.indexOf(m) > 3)
    await expect.poll(() => ask(a, 'box6'), slow).toBe('box6')
    const pid = await engine.docker('inspect', '-f', '{{.State.Pid}}', `gantry-${b.id}`)
    process.kill(Number(pid), 'SIGKILL')
    await expect.poll(() => engine.docker('inspect', '-f', '{{.RestartCount}}', `gantry-${b.id}`), slow).toBe('1')
    await expect.poll(() => ask(a, '10.20.0.6'), slow).toBe('box6')
    await expect.poll(() => ask(b, '10.20.0.5'), slow).toBe('box5')
  })

  test('one that the engine starts while there is no agent gets it as soon as there is one', async () => {
    bench = startHost(engine)
    const net = aNetwork('10.20.0.0/24')
    const plan = { networks: [net.plan], groups: [open] }
    const [a, b] = [aBox('alpha', [net.nic('10.20.0.5', [open.id])]), aBox('beta', [net.nic('10.20.0.6', [open.id])])]
    tell(plan, [a, b])
    for (const wish of [a, b]) await bench.settled(wish)
    await bench.close()
    const restarted = engine.docker('restart', '-t', '0', `gantry-${b.id}`)
    restarted.catch(() => undefined)
    bench = startHost(engine)
    tell(plan, [a, b])
    await restarted
    await expect.poll(() => ask(a, '10.20.0.6'), slow).toBe('beta')
  })

  test('when all of it has vanished from the kernel, the next session builds it again', async () => {
    bench = startHost(engine)
    const net = aNetwork('10.20.0.0/24')
    const router = aRouter([net.plan])
    const plan = { networks: [net.plan], groups: [open], routers: [router] }
    const a = aBox('alpha', [net.nic('10.20.0.5', [open.id])])
    tell(plan, [a])
    await bench.settled(a)
    await engine.docker('rm', '-f', `gantry-${a.id}`)
    await bench.close()
    for (const name of (await traces()).filter((each) => /^gantry-[0-9a-f]{8}-.{36}$/.test(each)))
      await run('ip', ['netns', 'del', name])
    bench = startHost(engine)
    const b = aBox('beta', [net.nic('10.20.0.6', [open.id])])
    tell(plan, [b])
    await bench.settled(b)
    const reached = () =>
      engine.docker('exec', `gantry-${b.id}`, 'ping', '-c', '1', '-W', '1', '10.20.0.1').then(
        () => true,
        () => false,
      )
    await expect.poll(reached, slow).toBe(true)
  })
})

describe('nothing is left', () => {
  test('of thirty rounds of containers, their ports and their rules', async () => {
    bench = startHost(engine, { resyncMs: 300 })
    const net = aNetwork('10.20.0.0/24')
    tell({ networks: [net.plan], groups: [open] }, [])
    await bench.message((m) => m.kind === 'engine' && m.up)
    await expect.poll(traces, slow).toHaveLength(1)
    const before = await traces()
    for (let round = 0; round < 10; round += 1) {
      const wishes = [5, 6, 7].map((at) => aBox(`box${at}`, [net.nic(`10.20.0.${at}`, [open.id])]))
      for (const wish of wishes) bench.assign(wish)
      // Some are taken back while they are being made.
      if (round % 2 === 0) for (const wish of wishes) await bench.settled(wish)
      const gone = wishes.map((wish) => next(wish, { gone: { graceSeconds: 0 } }))
      for (const wish of gone) bench.assign(wish)
      for (const wish of gone) expect(await bench.settled(wish)).toMatchObject({ gone: true })
    }
    await expect.poll(traces, slow).toEqual(before)
  })

  test('of networks and routers that a session does not name, and of what a killed agent left', async () => {
    bench = startHost(engine)
    const [net, other] = [aNetwork('10.20.0.0/24'), aNetwork('10.30.0.0/24')]
    const external = aNetwork('172.24.4.0/24', { external: true })
    const router = aRouter([net.plan, other.plan], wayOut(external.plan, '172.24.4.10'))
    const networks = [net.plan, other.plan, external.plan]
    const box = aBox('alpha', [net.nic('10.20.0.5', [open.id])])
    tell({ networks, groups: [open], routers: [router] }, [box])
    await bench.settled(box)
    await expect.poll(async () => (await traces()).filter((each) => each.startsWith('gb')), slow).not.toEqual([])
    await bench.close()
    bench = startHost(engine, { resyncMs: 300 })
    tell({}, [])
    await expect.poll(traces, slow).toEqual([])
    expect(await engine.docker('ps', '-aq')).toBe('')
  })
})

test('containers of a capsule share the network of their sandbox, which is made here', async () => {
  bench = startHost(engine)
  const net = aNetwork('10.20.0.0/24')
  const sandbox = anAssignment(
    { image: sandboxImage, command: null },
    { name: 'pod', imageRef: sandboxImage, nics: [net.nic('10.20.0.5', [open.id])] },
  )
  const other = aBox('other', [net.nic('10.20.0.6', [open.id])])
  const member = aBox('member', [], { sandbox: sandbox.id })
  tell({ networks: [net.plan], groups: [open] }, [sandbox, other])
  expect((await bench.settled(sandbox)).engine?.state).toBe('running')
  await bench.settled(other)
  bench.assign({ ...member, spec: { ...member.spec, hostname: 'given', exposedPorts: ['80/tcp'] } })
  expect((await bench.settled(member)).engine).toMatchObject({ state: 'running', nics: [] })
  expect(await ask(other, 'pod')).toBe('member')
  expect(await engine.docker('inspect', '-f', '{{.HostConfig.IpcMode}}', `gantry-${sandbox.id}`)).toBe('shareable')
  // It ends when it is told, not when its grace is over.
  const stopped = next(sandbox, { power: { kind: 'stopped', graceSeconds: 60 } })
  bench.assign(stopped)
  expect((await bench.settled(stopped)).engine).toMatchObject({ state: 'exited', exitCode: 0 })
})
