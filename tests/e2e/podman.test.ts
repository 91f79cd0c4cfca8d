import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@gantry/kernel/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, type TestEngine } from '../fixtures/engine.ts'
import { noteNetworks } from '../fixtures/engine-leftovers.ts'
import { type Gantry, type Session, startGantry, type ZunContainer } from '../fixtures/gantry.ts'
import { startPodman } from '../fixtures/podman.ts'

/** The whole of Gantry on a real Podman, where it differs from Docker above all. */
let engine: TestEngine
let gantry: Gantry
let demo: Session

beforeAll(async () => {
  engine = await startPodman()
  await loadBusybox(engine.socket)
  gantry = await startGantry({ engine })
  demo = await gantry.logIn('demo')
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await engine?.stop()
})

/** Fails with the answer and both logs unless it is a 2xx. */
async function zun(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await demo.zun(method, `/containers${path}`, body)
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return answer.json
}

async function until(name: string, status: string, more: (container: ZunContainer) => boolean = () => true) {
  const done = (seen: ZunContainer) => seen.status === status && seen.task_state === null && more(seen)
  return demo.waitFor(name, done, 20)
}

async function run(name: string, command: readonly string[], more: object = {}): Promise<void> {
  await zun('POST', '?run=true', { image: 'busybox', name, command, cpu: 0.5, memory: '64', ...more })
}

async function exec(name: string, command: string): Promise<unknown> {
  return zun('POST', `/${name}/execute?run=True&command=${encodeURIComponent(command)}`)
}

/** Bytes, as the kernel has it: Podman before 5.1 does not tell what it changed. */
async function memoryLimit(): Promise<number> {
  const script = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null'
  const { output } = (await exec('life', `sh -c "${script}"`)) as { output: string }
  return Number(output)
}

test('a container runs to its end, which is known by the event, with its logs and its exit code', async () => {
  await run('short', ['sh', '-c', 'echo out; echo err >&2; sleep 1; exit 3'])
  expect(await until('short', 'Stopped')).toMatchObject({ status_detail: expect.stringContaining('(3)') })
  const logs = await demo.zun('GET', '/containers/short/logs?stdout=True&stderr=True')
  expect(JSON.parse(logs.text)).toMatch(/^(out\nerr\n|err\nout\n)$/)
  expect(JSON.stringify(await zun('GET', ''))).toContain('"short"')
  await zun('DELETE', '/short')
})

describe('one that stays', () => {
  beforeAll(async () => {
    await run('life', ['sleep', '1000'])
    const { addresses } = (await until('life', 'Running')) as ZunContainer & { addresses: object }
    expect(JSON.stringify(addresses)).toMatch(/"addr":"10\.\d+\.\d+\.\d+"/)
  })

  test('exec tells output and exit code, also of a program that is not there', async () => {
    expect(await exec('life', 'sh -c "echo hello; exit 7"')).toMatchObject({ output: 'hello\n', exit_code: 7 })
    expect(await exec('life', 'no-such-program')).toMatchObject({ exit_code: 127 })
    const piped = await gantry.cli(['exec', '-i', 'life', 'wc', '-c'], { input: 'x'.repeat(100_000) })
    expect(piped).toMatchObject({ code: 0, stdout: '100000\n' })
  })

  test('top has columns, and stats a share of the processor', async () => {
    const top = (await zun('GET', '/life/top')) as { Titles: string[]; Processes: string[][] }
    expect(top.Titles).toContain('COMMAND')
    expect(top.Processes[0]?.[top.Titles.indexOf('COMMAND')]).toBe('sleep 1000')
    const burning = exec('life', 'timeout 3 sh -c "while :; do :; done"')
    const stats = (await zun('GET', '/life/stats')) as Record<string, number>
    expect(stats['CPU %']).toBeGreaterThan(10)
    expect(stats['MEM LIMIT(MiB)']).toBe(64)
    await burning
  })

  test('pause, unpause, stop, start, restart, kill', async () => {
    await zun('POST', '/life/pause')
    await until('life', 'Paused')
    expect(await demo.zun('POST', '/containers/life/pause')).toMatchObject({ status: 409 })
    await zun('POST', '/life/unpause')
    await until('life', 'Running')
    await zun('POST', '/life/stop?timeout=1')
    await until('life', 'Stopped')
    await zun('POST', '/life/start')
    await until('life', 'Running')
    await zun('POST', '/life/reboot?timeout=1')
    await until('life', 'Running')
    await zun('POST', '/life/kill?signal=SIGKILL')
    await until('life', 'Stopped')
    await zun('POST', '/life/start')
    await until('life', 'Running')
  })

  test('limits change while it runs, stand after a restart, and may change while it is stopped', async () => {
    await zun('PATCH', '/life', { cpu: 0.25, memory: '128' })
    await until('life', 'Running')
    expect(await memoryLimit()).toBe(128 << 20)
    await zun('POST', '/life/reboot?timeout=1')
    await until('life', 'Running')
    expect(await memoryLimit()).toBe(128 << 20)
    await zun('POST', '/life/stop?timeout=1')
    await until('life', 'Stopped')
    await zun('PATCH', '/life', { memory: '256' })
    await until('life', 'Stopped')
    await zun('POST', '/life/start')
    expect(await until('life', 'Running')).toMatchObject({ cpu: 0.25, memory: '256', status_reason: null })
    expect(await memoryLimit()).toBe(256 << 20)
    await gantry.agent.kill9()
    await gantry.agent.start()
    await expect.poll(async () => (await demo.zun('POST', '/containers/life/execute?command=true')).status).toBe(200)
    expect(await memoryLimit()).toBe(256 << 20)
  })

  // The second version of control groups takes such a limit and ends the container for it.
  test.runIf(existsSync('/sys/fs/cgroup/memory'))(
    'limits that cannot be had leave it running, with the reason',
    async () => {
      await exec('life', 'dd if=/dev/zero of=/dev/shm/full bs=1M count=30')
      await zun('PATCH', '/life', { memory: '16' })
      const told = await until('life', 'Running', ({ status_reason }) => status_reason !== null)
      expect(told.status_reason).toMatch(/could not change the limits/)
      expect(await memoryLimit()).toBe(256 << 20)
      await exec('life', 'rm /dev/shm/full')
      await zun('POST', '/life/reboot?timeout=1')
      await until('life', 'Running', ({ status_reason }) => status_reason === null)
    },
  )

  test('files go in and come out, and a missing folder is a 4xx', async () => {
    const folder = await mkdtemp('/tmp/gantry-cp-')
    await promisify(execFile)('sh', ['-c', 'echo hello > greeting; tar -cf t greeting'], { cwd: folder })
    const data = (await readFile(join(folder, 't'))).toString('base64')
    await rm(folder, { recursive: true })
    await zun('POST', '/life/put_archive?path=/tmp', { data })
    const back = (await zun('GET', '/life/get_archive?path=/tmp/greeting')) as { data: string; stat: object }
    expect(back.stat).toMatchObject({ name: 'greeting', size: 6 })
    expect(Buffer.from(back.data, 'base64').toString()).toContain('hello\n')
    const missing = await demo.zun('POST', '/containers/life/put_archive?path=/no/where', { data })
    expect(missing).toMatchObject({ status: 400, text: expect.stringContaining('/no/where') })
  })

  test('a commit can be run', async () => {
    await zun('POST', '/life/commit?repository=mine&tag=v1')
    const images = async () => (await demo.native('GET', '/images')).text
    await expect.poll(images, { timeout: 20_000 }).not.toContain('"imageId":null')
    await run('copy', ['cat', '/tmp/greeting'], { image: 'mine:v1' })
    await until('copy', 'Stopped')
    expect(JSON.parse((await demo.zun('GET', '/containers/copy/logs')).text)).toBe('hello\n')
    await zun('DELETE', '/copy')
  })

  test('nor does a name that ends like it, or its digest, give the image to another project', async () => {
    const { images } = JSON.parse((await demo.native('GET', '/images')).text) as {
      images: { repo: string; digest: string }[]
    }
    const digestOf = (name: string) => images.find(({ repo }) => repo === name)?.digest
    const [digest, everybodys] = [digestOf('mine'), digestOf('busybox')]
    expect(digest).toMatch(/^sha256:/)
    await run('pinned', ['sleep', '1000'], { image: `busybox@${everybodys}` })
    await until('pinned', 'Running')
    await zun('DELETE', '/pinned?stop=True&timeout=1')
    const other = await gantry.newTenant('curious')
    for (const image of ['mine:v1', 'docker.io/mine:v1', 'library/mine:v1', `mine@${digest}`, `busybox@${digest}`]) {
      const made = await other.zun('POST', '/containers?run=true', { image, command: ['sleep', '1000'] })
      expect(made.status).toBe(202)
      const { uuid } = await other.waitFor(made.json.uuid, ({ status }) => status === 'Error', 40)
      await other.zun('DELETE', `/containers/${uuid}`)
    }
  })

  test('delete leaves no container behind', async () => {
    await zun('DELETE', '/life?stop=True')
    await expect.poll(() => engine.docker('ps', '-aq'), { timeout: 20_000 }).toBe('')
  })
})

test.each([
  ['no-such-program', {}, /no program "no-such-program"/],
  ['/etc', {}, /"\/etc" cannot be run/],
  ['sleep', { image: 'localhost:1/none' }, /localhost:1\/none is not on the host and could not be pulled/],
])('%s %o ends in a sentence', async (program, more, reason) => {
  await run('unable', [program], more)
  expect((await until('unable', 'Error')).status_reason).toMatch(reason)
  await zun('DELETE', '/unable')
})

test('with auto-remove it removes itself, and what nobody assigned is swept', async () => {
  const once = await gantry.cli(['run', '--rm', 'busybox', 'sh', '-c', 'echo done; exit 5'])
  expect(once).toMatchObject({ code: 5, stdout: 'done\n' })
  await run('kept', ['sleep', '1000'])
  await until('kept', 'Running')
  const kept = await engine.docker('ps', '-q', '--no-trunc')
  const deployment = await engine.docker('inspect', '-f', '{{index .Config.Labels "gantry.deployment"}}', kept)
  const labels = [`gantry.deployment=${deployment}`, 'gantry.container=lost'].flatMap((label) => ['--label', label])
  await engine.docker('run', '-d', '--network=none', ...labels, 'busybox', 'sleep', '1000')
  await gantry.agent.kill9()
  await gantry.agent.start()
  await expect.poll(() => engine.docker('ps', '-aq', '--no-trunc'), { timeout: 20_000 }).toBe(kept)
})

test('a service that is killed comes back to the same containers', async () => {
  const kept = await engine.docker('ps', '-q')
  await engine.kill9()
  await engine.restart()
  await run('after', ['sleep', '1000'])
  await until('after', 'Running')
  expect((await engine.docker('ps', '-q')).split('\n')).toContain(kept)
  for (const name of ['kept', 'after']) await zun('DELETE', `/${name}?stop=True`)
  await expect.poll(() => engine.docker('ps', '-aq'), { timeout: 20_000 }).toBe('')
})

test('gantry up on its socket says that it is Podman, runs the sample, and leaves it to run on', async () => {
  const home = await mkdtemp('/tmp/gantry-up-')
  const main = new URL('../../apps/cli/src/main.ts', import.meta.url).pathname
  const env = { ...process.env, GANTRY_ENGINE_NETNS: engine.netns }
  const cli = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, [main, ...args], { env })).stdout
  const listen = `127.0.0.1:${await freePort()}`
  try {
    const said = await cli('up', '--detach', '--home', home, '--listen', listen, '--engine', engine.url)
    expect(said).toMatch(/Hello from container/)
    expect(said).toMatch(/Engine +Podman \d+\.\d+/)
    expect(await cli('status', '--home', home)).toMatch(/Podman \d+\.\d+[^]*1 of 1 connected[^]*1 Running/)
  } finally {
    const host = JSON.parse(await readFile(join(home, 'agent/host.json'), 'utf8')) as Record<string, string>
    noteNetworks(dirname(engine.socket), `${host['deployment']}/${host['hostId']}`)
    await cli('down', '--home', home)
    await rm(home, { recursive: true })
  }
  const sample = await engine.docker('ps', '-q', '--filter', 'label=gantry.deployment')
  await engine.docker('rm', '-f', ...sample.split('\n'))
})
