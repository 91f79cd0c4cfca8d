import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hostTag, namespaceName } from '@gantry/host'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** `npm start` as a new user types it: an engine of its own, the main job, and what becomes of it when parts are killed. */
const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname
const listen = '127.0.0.1:9761'
let home: string

beforeAll(async () => {
  home = await mkdtemp('/tmp/gantry-up-')
})
afterAll(async () => {
  await gantry('down', '--all', '--yes').catch(() => '')
  await rm(home, { recursive: true, force: true })
})

// A DOCKER_HOST of whoever runs the tests must not be used: this is about a machine without an engine.
const env = () => {
  const { PATH = '', HOME = '/root' } = process.env
  return { PATH, HOME, GANTRY_HOME: home }
}
const start = async (...args: string[]) => {
  const { stdout } = await run('npm', ['start', '--', '--detach', '--listen', listen, ...args], {
    cwd: root,
    env: env(),
  })
  return stdout
}
const gantry = async (...args: string[]) =>
  (await run('sh', ['tools/gantry', ...args], { cwd: root, env: env() })).stdout
const state = () =>
  JSON.parse(readFileSync(join(home, 'state.json'), 'utf8')) as Record<string, { pid: number; restarts: number }>

test('the first start brings an engine, runs a container as demo, and says where everything is', async () => {
  const text = await start()
  expect(text).toMatch(/Container hello \(project demo\): Running/)
  expect(text).toContain('Hello from container')
  expect(text).toContain(`http://${listen}/identity/v3`)
  expect(text).toContain(join(home, 'openrc'))
  for (const file of ['openrc', 'openrc-admin', 'gantry.db']) {
    expect((await stat(join(home, file))).mode & 0o077, file).toBe(0)
  }
})

test('a second start changes nothing, while it runs and after down', async () => {
  const pid = state()['server']?.pid
  expect(await start()).toMatch(/already runs .*nothing was changed/)
  expect(state()['server']?.pid).toBe(pid)
  const before = await gantry('ps', '--json')
  expect(await gantry('down')).toContain('keep running')
  expect(await start()).toMatch(/hello.*Running/)
  const [first, second] = [before, await gantry('ps', '--json')].map(
    (text) => JSON.parse(text)[0] as { id: string; startedAt: string },
  )
  expect(second?.id).toBe(first?.id)
  expect(second?.startedAt).toBe(first?.startedAt)
})

test('kill -9 of the server, the agent and the engine: each is back, and the container never stopped', async () => {
  const before = JSON.parse(await gantry('ps', '--json'))[0] as { id: string; startedAt: string }
  for (const part of ['server', 'agent'] as const) {
    const { pid, restarts } = state()[part] ?? { pid: 0, restarts: 0 }
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => state()[part]?.restarts ?? 0, { timeout: 30_000 }).toBeGreaterThan(restarts)
  }
  const enginePid = async () => (JSON.parse(await gantry('status', '--json')) as { ownEnginePid: number }).ownEnginePid
  const killed = await enginePid()
  process.kill(killed, 'SIGKILL')
  await expect
    .poll(async () => ![killed, 0, null, undefined].includes(await enginePid()), { timeout: 60_000, interval: 500 })
    .toBe(true)
  await expect
    .poll(() => gantry('exec', 'hello', 'echo', 'alive').catch(() => ''), { timeout: 60_000 })
    .toContain('alive')
  const after = JSON.parse(await gantry('ps', '--json'))[0] as { id: string; startedAt: string }
  expect(after).toMatchObject({ id: before.id, startedAt: before.startedAt })
})

test('an agent whose credentials are lost joins again as the same host', async () => {
  const before = JSON.parse(await gantry('ps', '--json'))[0] as { id: string; startedAt: string }
  const { pid, restarts } = state()['agent'] ?? { pid: 0, restarts: 0 }
  await rm(join(home, 'agent'), { recursive: true })
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => state()['agent']?.restarts ?? 0, { timeout: 30_000 }).toBeGreaterThan(restarts)
  expect(JSON.parse(await gantry('status', '--json'))).toMatchObject({ hosts: { known: 1, connected: 1 } })
  const after = JSON.parse(await gantry('ps', '--json'))[0] as { id: string; startedAt: string }
  expect(after).toMatchObject({ id: before.id, startedAt: before.startedAt })
})

test('an agent whose server was killed comes back to the next one with what it holds, and nothing is told again', async () => {
  const connected = () =>
    readFileSync(join(home, 'logs/server.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"host connected"'))
      .map((line) => (JSON.parse(line) as { kept: boolean }).kept)
  const before = connected().length
  process.kill(state()['server']?.pid ?? 0, 'SIGKILL')
  await expect.poll(() => connected().slice(before), { timeout: 60_000 }).toEqual([true])
  expect(await gantry('exec', 'hello', 'echo', 'alive')).toContain('alive')
})

test('status and doctor tell how it is', async () => {
  expect(await gantry('status')).toMatch(/server.*agent/is)
  const status = JSON.parse(await gantry('status', '--json')) as object
  expect(status).toMatchObject({
    running: true,
    hosts: { connected: 1 },
    containers: { Running: 1 },
    up: { api: `http://${listen}` },
  })
  await expect(gantry('doctor')).resolves.toContain('✓')
})

test('a taken port ends in one sentence that names it, and nothing is left running', async () => {
  await gantry('down')
  const taken = createServer().listen(9761, '127.0.0.1')
  try {
    await expect(start()).rejects.toMatchObject({ stderr: expect.stringMatching(/9761.*\n?$/) })
    expect(await gantry('status').catch((error: { stdout: string }) => error.stdout)).toMatch(
      /not running|stopped|down/i,
    )
  } finally {
    taken.close()
  }
})

describe('down --all', { timeout: 400_000 }, () => {
  test('leaves nothing, and waits for no driver that is gone: whoever listens ends by itself, whoever cannot is not waited for', async () => {
    await busyCloud()
    const trap = 'trap "echo bye >/data/bye; exit 3" TERM; while :; do sleep 0.1; done'
    await gantry(
      'run',
      '-d',
      '--name',
      'listens',
      '--mount',
      'source=kept,target=/data',
      'busybox:latest',
      'sh',
      '-c',
      trap,
    )
    await expect.poll(() => isMounted(), { timeout: 30_000 }).toBe(true)
    const text = await gantry('down', '--all', '--yes')
    expect(text).toContain('Stopped engine and containers')
    await leavesNothing()
    expect(driverTries()).toBe(0)

    await start()
    const code = async () =>
      (JSON.parse(await gantry('ps', '-a', '--json')) as Named[]).find(({ name }) => name === 'listens')
    expect(await code()).toMatchObject({ status: 'Stopped', exitCode: 3 })
  })

  test('leaves nothing when all parts were killed before, and says that nothing runs the next time', async () => {
    await busyCloud()
    const { supervisor, agent, server } = state()
    const { ownEnginePid } = JSON.parse(await gantry('status', '--json')) as { ownEnginePid: number }
    for (const pid of [supervisor?.pid, agent?.pid, ownEnginePid, server?.pid]) process.kill(pid ?? 0, 'SIGKILL')
    expect(await gantry('down', '--all', '--yes')).toContain('Stopped engine and containers')
    await leavesNothing()
    expect(await gantry('down', '--all', '--yes')).toContain('Nothing ran')
  })
})

interface Named {
  readonly name: string
  readonly status: string
}

/** It runs, with a container on a network of its own and one that has a volume. */
async function busyCloud(): Promise<void> {
  await start()
  if (!(await gantry('network', 'list')).includes('back')) {
    await gantry('network', 'create', 'back', '--subnet', '10.29.0.0/24')
    await gantry('volume', 'create', 'kept', '--size', '1')
  }
  await gantry('run', '-d', '--rm', '--net', 'back', 'busybox:latest', 'sleep', '1000')
}

const nothing = { processes: [], mounts: [], loops: [], namespaces: [] }

/** The kernel lets go of a loop device a moment after its mount. */
async function leavesNothing(): Promise<void> {
  await expect.poll(left, { timeout: 10_000 }).toEqual(nothing)
}

/** What there is of this home on the machine. */
async function left(): Promise<typeof nothing> {
  const { deployment, hostId } = JSON.parse(readFileSync(join(home, 'agent/host.json'), 'utf8')) as Record<
    string,
    string
  >
  const prefix = namespaceName(hostTag(`${deployment}/${hostId}`), '')
  const lines = async (program: string, ...args: string[]) => (await run(program, args)).stdout.split('\n')
  const ofHome = (line: string) => line.includes(`${home}/`)
  return {
    processes: (await lines('ps', '-e', '-o', 'args')).filter(ofHome),
    mounts: readFileSync('/proc/self/mounts', 'utf8').split('\n').filter(ofHome),
    loops: (await lines('losetup', '--list', '--noheadings', '--output', 'BACK-FILE')).filter(ofHome),
    namespaces: (await lines('ip', 'netns', 'list')).filter((line) => line.startsWith(prefix)),
  } as typeof nothing
}

function isMounted(): boolean {
  return readFileSync('/proc/self/mounts', 'utf8').includes(`${home}/agent/`)
}

/** How often the engine has told that it looked for a network driver in vain. */
function driverTries(): number {
  return readFileSync(join(home, 'logs/engine.log'), 'utf8').split('Unable to connect to plugin').length - 1
}
