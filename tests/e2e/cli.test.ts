import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gantry, startGantry } from '../fixtures/gantry.ts'

/** The `gantry` command line against a real server, agent and engine. */
let gantry: Gantry
const main = new URL('../../apps/cli/src/main.ts', import.meta.url).pathname

beforeAll(async () => {
  gantry = await startGantry()
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
})

async function cli(words: readonly string[], input?: string) {
  return gantry.cli(words, input === undefined ? {} : { input })
}

/** Fails with everything the command said unless it ended with 0. */
async function ok(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(words)
  if (code !== 0) throw new Error(`gantry ${words.join(' ')}: ${code}\n${stdout}${stderr}${await gantry.logs()}`)
  return stdout
}

async function left(): Promise<string> {
  return gantry.engine.docker('ps', '-aq')
}

describe('run', () => {
  test('prints both outputs apart and ends with the exit code; --rm leaves nothing in the engine', async () => {
    const script = 'echo out; echo err >&2; echo $LEVEL; pwd; exit 7'
    const words = ['run', '--rm', '-e', 'LEVEL=3', '-w', '/tmp', 'busybox', 'sh', '-c', script]
    expect(await cli(words)).toEqual({ code: 7, stdout: 'out\n3\n/tmp\n', stderr: 'err\n' })
    expect(await left()).toBe('')
  })

  test('follows a container while it writes', async () => {
    const { code, stdout } = await cli([
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3; do echo $i; sleep 0.3; done',
    ])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n2\n3\n' })
  })

  test('a command that does not exist, and an image that does not exist, are 125 with the reason', async () => {
    const missing = await cli(['run', '--rm', 'busybox', '/no/such/command'])
    expect(missing).toMatchObject({ code: 125, stdout: '' })
    expect(missing.stderr).toContain('did not start')
    const image = await cli(['run', '--rm', 'localhost:1/no-such-image'])
    expect(image.code).toBe(125)
    expect(image.stderr).toMatch(/^gantry: .*no-such-image/)
    expect(await left()).toBe('')
  })

  test('-d --rm removes itself when it ends', async () => {
    const id = (await ok('run', '-d', '--rm', 'busybox', 'sleep', '0.5')).trim()
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    await expect.poll(async () => (await cli(['show', id])).code, { timeout: 15_000 }).toBe(1)
    expect(await left()).toBe('')
  })

  test('Ctrl-C stops it', async () => {
    const env = { PATH: process.env['PATH'] ?? '', ...(await gantry.env()) }
    const words = [
      main,
      'run',
      '--rm',
      '--name',
      'held',
      'busybox',
      'sh',
      '-c',
      'echo up; trap "exit 9" TERM; while :; do sleep 0.1; done',
    ]
    const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const stderr = text(child.stderr)
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    const [code] = (await once(child, 'exit')) as [number]
    expect({ code, stderr: await stderr }).toMatchObject({ code: 9 })
    expect(await left()).toBe('')
  })
})

describe('a container that stays', () => {
  test('ps, show, exec, stop, start, restart, logs, rm', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'web',
      '-m',
      '64m',
      '--cpu',
      '0.5',
      'busybox',
      'sh',
      '-c',
      'echo begun; exec sleep 1000',
    )
    expect(await ok('ps')).toMatch(/web +busybox +sh -c .* +Running/)
    expect(JSON.parse(await ok('show', 'web', '--json'))).toMatchObject({ memory: 64, cpu: 0.5, status: 'Running' })
    expect(await cli(['exec', 'web', 'sh', '-c', 'echo in; echo bad >&2; exit 5'])).toEqual({
      code: 5,
      stdout: 'in\n',
      stderr: 'bad\n',
    })
    expect(await ok('stop', '--time', '1', 'web')).toBe('web\n')
    expect(await ok('ps')).not.toContain('web')
    expect(await ok('ps', '-a')).toMatch(/web .*Stopped \(1(37|43)\)/)
    expect((await cli(['exec', 'web', 'ls'])).code).toBe(125)
    await ok('start', 'web')
    await ok('restart', '--time', '1', 'web')
    expect(JSON.parse(await ok('show', 'web', '--json'))).toMatchObject({ status: 'Running', task: null })
    expect(await ok('logs', '--tail', '1', 'web')).toBe('begun\n')
    expect((await ok('logs', 'web')).split('\n')).toHaveLength(4)
    expect((await cli(['rm', 'web'])).code).toBe(1)
    await ok('rm', '-f', 'web')
    expect(await left()).toBe('')
  })

  test('exec streams megabytes in both directions', async () => {
    await ok('run', '-d', '--name', 'pipe', 'busybox', 'sleep', '1000')
    const line = `${'x'.repeat(99)}\n`
    const { code, stdout } = await cli(['exec', '-i', 'pipe', 'cat'], line.repeat(50_000))
    expect(code).toBe(0)
    expect(stdout.length).toBe(5_000_000)
    expect((await cli(['exec', '-i', 'pipe', 'wc', '-l'], line.repeat(1000))).stdout.trim()).toBe('1000')
    await ok('rm', '-f', 'pipe')
  })

  test('exec -it has a terminal of the size of the window', async () => {
    await ok('run', '-d', '--name', 'term', 'busybox', 'sleep', '1000')
    const command = `stty rows 33 cols 101; ${process.execPath} ${main} exec -it term sh -c 'sleep 0.5; stty size; exit 4'`
    const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...(await gantry.env()) }
    const ended = promisify(execFile)('script', ['-qec', command, '/dev/null'], { env })
    await expect(ended).rejects.toMatchObject({ code: 4, stdout: expect.stringContaining('33 101') })
    await ok('rm', '-f', 'term')
  })
})

test('hosts, quota, images and what only administrators may', async () => {
  expect((await gantry.cli(['hosts'], { user: 'admin' })).stdout).toMatch(/test-host +connected/)
  expect((await cli(['hosts'])).code).toBe(1)
  expect(await ok('quota')).toMatch(/containers +0 +40/)
  expect(await ok('images')).toMatch(/^ID +NAME/)
  const token = await gantry.cli(['hosts', 'join-token'], { user: 'admin' })
  expect(token).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S+\n$/) })
})

test('the operators see it in the metrics, without a name of anybody', async () => {
  const metrics = await (await fetch(`${gantry.api}/metrics`)).text()
  expect(metrics).toMatch(
    /gantry_http_request_duration_seconds_count\{facade="native",route="\/v1\/containers",method="POST",status="202"\} \d+/,
  )
  expect(metrics).not.toMatch(/route="[^"]*(web|held)/)
  const ready = await fetch(`${gantry.api}/readyz`)
  expect(ready.status).toBe(200)
  const document = (await (await fetch(`${gantry.api}/openapi.json`)).json()) as { openapi: string }
  expect(document.openapi).toBe('3.1.0')
})
