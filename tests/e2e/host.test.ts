import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, runningPower, startHost, testDeployment } from '../fixtures/host-bench.ts'
import { aNetwork } from '../fixtures/net-plans.ts'

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

describe('one container', () => {
  test('runs, stops, starts, reboots, pauses, changes its limits, is rebuilt and removed', async () => {
    bench = startHost(engine, { resyncMs: 500 })
    const net = aNetwork('10.20.0.0/24')
    bench.fabric({ networks: [net.plan] })
    bench.synced()
    const spec = {
      command: ['sh', '-c', 'trap exit TERM; sleep 1000 & wait'],
      labels: { 'gantry.container': 'forged', tier: 'web' },
    }
    let wish = anAssignment(spec, { nics: [net.nic('10.20.0.5')] })
    const name = `gantry-${wish.id}`
    const bring = async (to: typeof wish) => {
      wish = to
      bench.assign(to)
      return bench.settled(to)
    }

    const first = await bring(wish)
    expect(first).toMatchObject({ settled: 1, failure: null, gone: false })
    expect(first.engine).toMatchObject({ state: 'running', generation: 1, cpu: 0.5, memory: 64, exitCode: null })
    expect(first.engine?.nics).toEqual(wish.nics.map(({ portId }) => portId))
    expect(await engine.docker('inspect', '-f', '{{json .Config.Labels}}', name)).toContain(
      `"gantry.container":"${wish.id}"`,
    )
    expect(await engine.docker('inspect', '-f', '{{json .Config.Labels}}', name)).toContain('"tier":"web"')
    expect(await engine.docker('inspect', '-f', '{{.HostConfig.PidsLimit}}', name)).toBe('4096')

    const stopped = await bring(next(wish, { power: { kind: 'stopped', graceSeconds: 0 } }))
    expect(stopped.engine).toMatchObject({ state: 'exited', exitCode: 143 })

    const since = stopped.engine?.startedAt ?? null
    const again = await bring(next(wish, { power: { ...runningPower, since } }))
    expect(again.engine?.state).toBe('running')
    expect(again.engine?.startedAt).not.toBe(since)

    const bounce = { ...runningPower, since: again.engine?.startedAt ?? null, bounce: true, graceSeconds: 0 }
    const rebooted = await bring(next(wish, { power: bounce }))
    expect(rebooted.engine?.state).toBe('running')
    expect(rebooted.engine?.startedAt).not.toBe(again.engine?.startedAt)

    expect((await bring(next(wish, { paused: true }))).engine?.state).toBe('paused')
    expect((await bring(next(wish, { paused: false }))).engine?.state).toBe('running')

    const limited = await bring(next(wish, {}, { cpu: 0.25, memory: 128 }))
    expect(limited.engine).toMatchObject({ state: 'running', cpu: 0.25, memory: 128 })

    const rebuilt = await bring(next(wish, { generation: 2, power: runningPower }))
    expect(rebuilt.engine).toMatchObject({ state: 'running', generation: 2 })
    expect(rebuilt.engine?.engineId).not.toBe(limited.engine?.engineId)

    expect(await bring(next(wish, { gone: { graceSeconds: 0 } }))).toMatchObject({ engine: null, gone: true })
    expect(await engine.docker('ps', '-aq')).toBe('')
    const networks = () => engine.docker('network', 'ls', '-q', '-f', 'label=gantry.project')
    await expect.poll(networks, { timeout: 10_000 }).toBe('')
  })

  test('takes create, start and one look on the way to running, and reports it once', async () => {
    bench = startHost(engine)
    const wish = anAssignment()
    await bench.message((m) => m.kind === 'engine' && m.up)
    bench.assign(wish)
    await bench.settled(wish)
    const mine = bench.messages.filter((m) => 'id' in m && m.id === wish.id)
    expect(mine.map((m) => (m.kind === 'step' ? m.step : m.kind))).toEqual(['create', 'start', 'observed'])
  })

  test('a paused container is stopped when asked, and deleted without a grace', async () => {
    bench = startHost(engine)
    const wish = anAssignment({}, { wish: { ...anAssignment().wish, paused: true } })
    bench.assign(wish)
    expect((await bench.settled(wish)).engine?.state).toBe('paused')
    const gone = next(wish, { gone: { graceSeconds: 0 } })
    bench.assign(gone)
    expect(await bench.settled(gone)).toMatchObject({ gone: true })
  })

  test('its own end is reported with the exit code', async () => {
    bench = startHost(engine)
    const wish = anAssignment({ command: ['sh', '-c', 'sleep 1; exit 3'] })
    bench.assign(wish)
    const seen = await bench.settled(wish, ({ engine: seen }) => seen?.state === 'exited')
    expect(seen.engine).toMatchObject({ exitCode: 3 })
  })

  test('with auto-remove it reports its exit code, then is gone, and is not made again', async () => {
    bench = startHost(engine)
    const wish = anAssignment({ command: ['sh', '-c', 'exit 4'], autoRemove: true })
    bench.assign(wish)
    expect((await bench.settled(wish, ({ engine: seen }) => seen?.state === 'exited')).engine?.exitCode).toBe(4)
    // Until the server has said that it knows, the container is the only trace of its run.
    expect(await engine.docker('ps', '-aq')).not.toBe('')
    bench.assign({ ...wish, seenGeneration: 1 })
    const gone = await bench.message((m) => m.kind === 'observed' && m.id === wish.id && m.gone)
    expect(gone).toMatchObject({ observed: { engine: null } })
    bench.assign(wish)
    await bench.message(
      (m) => m.kind === 'observed' && m.gone && bench.messages.indexOf(m) > bench.messages.indexOf(gone),
    )
    expect(await engine.docker('ps', '-aq')).toBe('')
  })

  test('removed behind our back it is an error, with auto-heal it comes back', async () => {
    bench = startHost(engine)
    const [plain, healing] = [anAssignment(), anAssignment({ autoHeal: true })]
    for (const wish of [plain, healing]) bench.assign(wish)
    for (const wish of [plain, healing]) await bench.settled(wish)
    const before = (await bench.settled(healing)).engine?.engineId
    await engine.docker('rm', '-f', `gantry-${plain.id}`, `gantry-${healing.id}`)
    expect((await bench.settled(plain, (o) => o.failure !== null)).failure?.reason).toContain('missing from the engine')
    const healed = await bench.settled(healing, ({ engine: seen }) => seen !== null && seen.engineId !== before)
    expect(healed.engine?.state).toBe('running')
  })
})

describe('what cannot be done', () => {
  test.each([
    [
      'an unknown image',
      { image: 'localhost:1/nothing:1' },
      'pull',
      /localhost:1\/nothing:1 is not on the host and could not be pulled/,
    ],
    [
      'an image that may not be pulled',
      { image: 'nothing:1', pullPolicy: 'never' as const },
      'pull',
      /pull policy is never/,
    ],
    ['an unknown program', { command: ['no-such-program'] }, 'start', /no program "no-such-program"/],
    ['a folder as a program', { command: ['/etc'] }, 'start', /"\/etc" cannot be run/],
    ['too little memory', { memory: 4 }, 'create', /needs at least 6 ?MB/],
    ['too many cores', { cpu: 5000 }, 'create', /5000 cores cannot be had/],
    ['an unknown runtime', { runtime: 'nope' }, 'create', /no container runtime nope/],
    ['privileges', { privileged: true }, 'create', /privileged containers are not allowed/],
  ])('%s ends in a sentence', async (_name, spec, step, reason) => {
    bench = startHost(engine)
    const wish = anAssignment(spec)
    bench.assign(wish)
    const { failure, settled } = await bench.settled(wish)
    expect({ settled, step: failure?.step }).toEqual({ settled: 1, step })
    expect(failure?.reason).toMatch(reason)
    const gone = next(wish, { gone: { graceSeconds: 10 } })
    bench.assign(gone)
    expect((await bench.settled(gone)).gone).toBe(true)
  })
})

describe('a host', () => {
  test('removes what nobody assigned, but only once it was told everything', async () => {
    const label = (id: string, deployment: string) => [
      '--label',
      `gantry.deployment=${deployment}`,
      '--label',
      `gantry.container=${id}`,
      '--network=none',
    ]
    const run = ['run', '-d', 'busybox', 'sleep', '1000']
    const orphan = await engine.docker(
      'run',
      '-d',
      ...label('lost', testDeployment(engine)),
      'busybox',
      'sleep',
      '1000',
    )
    const foreign = await engine.docker('run', '-d', ...label('other', 'elsewhere'), 'busybox', 'sleep', '1000')
    const bystander = await engine.docker(...run.slice(0, 2), '--network=none', ...run.slice(2))
    bench = startHost(engine)
    const wish = anAssignment()
    bench.assign(wish)
    const { engine: mine } = await bench.settled(wish)
    expect((await engine.docker('ps', '-q', '--no-trunc')).split('\n')).toContain(orphan)
    bench.synced()
    const left = async () => (await engine.docker('ps', '-q', '--no-trunc')).split('\n').sort()
    await expect.poll(left).toEqual([foreign, bystander, mine?.engineId ?? ''].sort())
  })

  test('made anew over the same engine finds everything and changes nothing', async () => {
    const wishes = [anAssignment(), anAssignment({ command: ['true'] }), anAssignment()]
    bench = startHost(engine)
    for (const wish of wishes) bench.assign(wish)
    const before = await Promise.all(wishes.map((wish) => bench.settled(wish, (o) => o.engine?.state !== 'created')))
    await bench.settled(wishes[1] ?? anAssignment(), (o) => o.engine?.state === 'exited')
    await bench.close()
    bench = startHost(engine)
    for (const wish of wishes) bench.assign(wish)
    bench.synced()
    const after = await Promise.all(wishes.map((wish) => bench.settled(wish)))
    expect(after.map((o) => o.engine?.engineId)).toEqual(before.map((o) => o.engine?.engineId))
    expect(after.map((o) => o.engine?.startedAt)).toEqual(before.map((o) => o.engine?.startedAt))
    expect(bench.messages.filter((m) => m.kind === 'step')).toEqual([])
  })

  test('says when the engine is killed, waits, and goes on when it is back', async () => {
    bench = startHost(engine)
    const [lasting, later] = [anAssignment(), anAssignment()]
    bench.assign(lasting)
    const before = await bench.settled(lasting)
    await engine.kill9()
    await bench.message((m) => m.kind === 'engine' && !m.up && m.reason !== 'not connected yet')
    bench.assign(later)
    await engine.restart()
    expect((await bench.settled(later)).engine?.state).toBe('running')
    expect(await engine.docker('inspect', '-f', '{{.State.StartedAt}}', `gantry-${lasting.id}`)).toBe(
      before.engine?.startedAt,
    )
    expect(bench.messages.some((m) => m.kind === 'observed' && m.observed.failure !== null)).toBe(false)
  })

  test('killed at random moments, engine and agent, it ends with each container once', async () => {
    bench = startHost(engine)
    const net = aNetwork('10.20.0.0/24')
    bench.fabric({ networks: [net.plan] })
    bench.synced()
    const wishes = Array.from({ length: 12 }, (_, at) => anAssignment({}, { nics: [net.nic(`10.20.0.${at + 5}`)] }))
    const gone = anAssignment({}, { wish: { ...anAssignment().wish, gone: { graceSeconds: 0 } } })
    for (const wish of [...wishes, gone]) bench.assign(wish)
    await bench.message((m) => m.kind === 'step' && m.step === 'start')
    await engine.kill9()
    await bench.close()
    bench = startHost(engine)
    bench.fabric({ networks: [net.plan] })
    for (const wish of wishes) bench.assign(wish)
    bench.synced()
    await engine.restart()
    await bench.message((m) => m.kind === 'step' && m.step === 'start')
    await engine.restart()
    const all = await Promise.all(wishes.map((wish) => bench.settled(wish)))
    expect(all.map((o) => o.failure)).toEqual(wishes.map(() => null))
    const names = wishes.map((wish) => `gantry-${wish.id}`).sort()
    const left = async () => (await engine.docker('ps', '-a', '--format', '{{.Names}}')).split('\n').sort()
    await expect.poll(left).toEqual(names)
    const running = async () => (await engine.docker('ps', '--format', '{{.Names}}')).split('\n').sort()
    await expect.poll(running).toEqual(names)
  })

  test('a newer wish overtakes a stop that waits for its grace', async () => {
    bench = startHost(engine)
    const wish = anAssignment({ command: ['sh', '-c', 'trap "" TERM; sleep 1000 & wait; sleep 1000'] })
    bench.assign(wish)
    await bench.settled(wish)
    const stop = next(wish, { power: { kind: 'stopped', graceSeconds: 300 } })
    bench.assign(stop)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const gone = next(stop, { gone: { graceSeconds: 0 } })
    bench.assign(gone)
    expect((await bench.settled(gone)).gone).toBe(true)
  })

  test('many at once all run, and two projects on one network have two in the engine', async () => {
    bench = startHost(engine)
    const net = aNetwork('10.20.0.0/24')
    bench.fabric({ networks: [net.plan] })
    const other = '00aa11bb22cc33dd44ee55ff66778899' as (typeof first)['projectId']
    const first = anAssignment()
    const wishes = Array.from({ length: 10 }, (_, at) => {
      const nics = [net.nic(`10.20.0.${at + 5}`)]
      return anAssignment({}, at % 2 ? { nics, projectId: other } : { nics })
    })
    for (const wish of wishes) bench.assign(wish)
    const all = await Promise.all(wishes.map((wish) => bench.settled(wish)))
    expect(all.map((o) => o.engine?.state)).toEqual(wishes.map(() => 'running'))
    const ours = await engine.docker('network', 'ls', '-q', '-f', `label=gantry.network=${net.plan.id}`)
    expect(ours.split('\n')).toHaveLength(2)
  })
})
