import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

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

test('down --all leaves nothing of the home mounted, and no loop device', async () => {
  await start()
  await gantry('volume', 'create', 'kept', '--size', '1')
  await gantry(
    'run',
    '-d',
    '--name',
    'mounting',
    '--mount',
    'source=kept,target=/data',
    'busybox:latest',
    'sleep',
    '1000',
  )
  await expect.poll(() => mounted(), { timeout: 30_000 }).toContain('/agent/')
  expect(await gantry('down', '--all', '--yes')).toContain('engine and containers')
  expect(mounted()).toBe('')
  expect((await run('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])).stdout).not.toContain(home)
})

/** Mount points below the home, a line each. */
function mounted(): string {
  const points = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return points
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${home}/`))
    .join('\n')
}
