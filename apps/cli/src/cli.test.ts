import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ServedCloud, serveFakeCloud } from '@gantry/facade-native/testing'
import type { FastifyInstance } from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-cli-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Options {
  readonly env?: Record<string, string>
  readonly stdin?: string
}

/** A process of its own with an empty home, logged in as demo by OS_TOKEN unless `env` says otherwise. */
async function start(cloud: ServedCloud, words: string[], { env }: Options = {}) {
  const home = await temporaryFolder()
  const url = `http://127.0.0.1:${cloud.port}/identity/v3`
  const login = env ?? { OS_AUTH_URL: url, OS_TOKEN: 'demo-token' }
  const child = spawn(process.execPath, [main, ...words], { env: { PATH: '/usr/bin:/bin', HOME: home, ...login } })
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  const result = ended.then(([stdout, stderr, [code]]): Run => ({ code: code as number | null, stdout, stderr }))
  return { child, result, home }
}

async function gantry(cloud: ServedCloud, words: string[], options: Options = {}): Promise<Run> {
  const { child, result } = await start(cloud, words, options)
  child.stdin.end(options.stdin ?? '')
  return result
}

describe('run', () => {
  test('prints what the container writes and ends with its exit code', async () => {
    await using cloud = await serveFakeCloud()
    const hello = await gantry(cloud, ['run', 'busybox', 'echo', 'hello', '--json'])
    expect(hello).toEqual({ code: 0, stdout: 'hello --json\n', stderr: '' })
    expect(await gantry(cloud, ['run', 'busybox', 'exit', '7'])).toMatchObject({ code: 7, stdout: '' })
    expect(cloud.containers.count()).toBe(2)
  })

  test('--rm leaves nothing; options reach the container', async () => {
    await using cloud = await serveFakeCloud()
    const words = ['run', '--rm', '-e', 'A=1=2', '--cpu', '0.5', '-m', '1g', '--restart', 'on-failure:3', '-l', 'x=y']
    const { api } = cloud.containers
    const made: typeof api.create = api.create.bind(api)
    const specs: unknown[] = []
    api.create = async (caller, input) => {
      specs.push(input.spec)
      return made(caller, input)
    }
    expect(await gantry(cloud, [...words, 'busybox', 'print-env', 'A'])).toEqual({
      code: 0,
      stdout: '1=2\n',
      stderr: '',
    })
    const restartPolicy = { name: 'on-failure', maxRetries: 3 }
    expect(specs).toMatchObject([{ cpu: 0.5, memory: 1024, restartPolicy, labels: { x: 'y' }, autoRemove: false }])
    expect(cloud.containers.count()).toBe(0)
  })

  test('-d prints the id once it runs', async () => {
    await using cloud = await serveFakeCloud()
    const { code, stdout } = await gantry(cloud, ['run', '-d', '--name', 'web', 'nginx'])
    expect(code).toBe(0)
    const shown = await gantry(cloud, ['show', 'web', '--json'])
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: stdout.trim(), status: 'Running' })
  })

  test('one that cannot start is 125 with the reason', async () => {
    await using cloud = await serveFakeCloud()
    for (const words of [['run'], ['run', '-d']]) {
      const { code, stderr } = await gantry(cloud, [...words, 'no-such-image'])
      expect(code).toBe(125)
      expect(stderr).toMatch(/^gantry: Container made-up-\w+ did not start: There is no image of this name\. /)
    }
  })

  test('the first Ctrl-C stops the container and waits for its end', async () => {
    await using cloud = await serveFakeCloud()
    const { child, result } = await start(cloud, ['run', '--rm', '--name', 'web', 'busybox', 'sleep'])
    await onceRunning(cloud, 'web')
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.kill('SIGINT')
    expect((await result).code).toBe(143)
    expect(cloud.containers.count()).toBe(0)
  })

  test('a log that is cut off is said so, and --rm then takes nothing away', async () => {
    await using cloud = await serveFakeCloud()
    const { result } = await start(cloud, ['run', '--rm', '--name', 'web', 'busybox', 'sleep'])
    await onceRunning(cloud, 'web')
    await new Promise((resolve) => setTimeout(resolve, 300))
    cloud.app.server.closeAllConnections()
    expect(await result).toMatchObject({ code: 125, stderr: expect.stringContaining('The log was cut off') })
    expect(cloud.containers.count()).toBe(1)
  })
})

/** Until the container is there and runs. */
async function onceRunning(cloud: ServedCloud, name: string): Promise<void> {
  const url = `http://127.0.0.1:${cloud.port}/v1/containers/${name}`
  for (;;) {
    const answer = await fetch(url, { headers: { 'x-auth-token': 'demo-token' } })
    const body = (await answer.json()) as { status?: string }
    if (body.status === 'Running') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('exec', () => {
  test('streams both ways and ends with the exit code of the command', async () => {
    await using cloud = await serveFakeCloud()
    await gantry(cloud, ['run', '-d', '--name', 'web', 'nginx'])
    expect(await gantry(cloud, ['exec', 'web', 'ls', '-a'])).toEqual({ code: 0, stdout: 'ls -a\n', stderr: '' })
    expect(await gantry(cloud, ['exec', 'web', 'fail', '42'])).toEqual({ code: 42, stdout: '', stderr: 'it failed\n' })
    const big = 'x'.repeat(3_000_000)
    const echoed = await gantry(cloud, ['exec', '-i', '-e', 'K=V', '-w', '/tmp', 'web', 'cat'], { stdin: big })
    expect(echoed.code).toBe(0)
    expect(echoed.stdout.length).toBe(big.length)
    expect(cloud.containers.seen.execs.at(-1)).toMatchObject({ environment: { K: 'V' }, workdir: '/tmp', tty: false })
  })

  test('ends although nobody closes its stdin, and says 125 when the connection is lost', async () => {
    await using cloud = await serveFakeCloud()
    await gantry(cloud, ['run', '-d', '--name', 'web', 'nginx'])
    const { result } = await start(cloud, ['exec', '-i', 'web', 'fail', '3'])
    expect((await result).code).toBe(3)
    const refused = await start(cloud, ['exec', '-i', 'nope', 'sh'])
    expect((await refused.result).code).toBe(125)
    const cut = await gantry(cloud, ['exec', 'web', 'cut'])
    expect(cut.code).toBe(125)
    expect(cut.stderr).toContain('connection was lost')
    expect((await gantry(cloud, ['exec', 'nope', 'ls'])).code).toBe(125)
  })
})

describe('the others', () => {
  test('ps shows a table of what runs, -a and --json everything', async () => {
    await using cloud = await serveFakeCloud()
    await gantry(cloud, ['run', 'busybox', 'exit', '1'])
    await gantry(cloud, ['run', '-d', '--name', 'web', 'nginx'])
    const { stdout } = await gantry(cloud, ['ps'])
    expect(stdout).toMatch(/^ID +NAME +IMAGE +COMMAND +STATUS +CREATED +ADDRESS\n/)
    expect(stdout).toMatch(/ web +nginx +sh +Running for .+ (a moment|\d+ seconds?) ago +10\.0\.0\.3\n$/)
    expect(stdout.trim().split('\n')).toHaveLength(2)
    expect((await gantry(cloud, ['ps', '-a'])).stdout).toMatch(/Stopped \(1\)/)
    expect(JSON.parse((await gantry(cloud, ['--json', 'ps', '-a'])).stdout)).toHaveLength(2)
    expect((await gantry(cloud, ['ps', '-aq'])).stdout.trim().split('\n')).toHaveLength(2)
  })

  test('logs, stop, start, rm', async () => {
    await using cloud = await serveFakeCloud()
    await gantry(cloud, ['run', '--name', 'web', 'busybox', 'echo', 'hi'])
    expect((await gantry(cloud, ['logs', '-f', 'web'])).stdout).toBe('hi\n')
    await gantry(cloud, ['run', '-d', '--name', 'db', 'busybox', 'sleep'])
    expect(await gantry(cloud, ['stop', '--time', '1', 'db'])).toMatchObject({ code: 0, stdout: 'db\n' })
    expect(await gantry(cloud, ['start', 'db'])).toMatchObject({ code: 0 })
    expect(await gantry(cloud, ['rm', 'db'])).toMatchObject({ code: 1, stdout: '' })
    const removed = await gantry(cloud, ['rm', '-f', 'db', 'web', 'nope'])
    expect(removed.code).toBe(1)
    expect(removed.stdout.trim().split('\n').sort()).toEqual(['db', 'web'])
    expect(removed.stderr).toBe('gantry: Container nope could not be found. `gantry ps -a` lists your containers.\n')
    expect(cloud.containers.count()).toBe(0)
  })

  test('events --json prints one object a line', async () => {
    await using cloud = await serveFakeCloud()
    const { child, result } = await start(cloud, ['events', '--json'])
    while (cloud.watchers() === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    await gantry(cloud, ['run', 'busybox', 'exit', '4'])
    child.kill()
    const seen = (await result).stdout
    expect(seen).toContain('"exitCode":4')
    for (const line of seen.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ kind: 'container' })
  })

  test('hosts and quota, and what is refused', async () => {
    await using cloud = await serveFakeCloud()
    const url = `http://127.0.0.1:${cloud.port}`
    const admin = { env: { OS_AUTH_URL: url, OS_TOKEN: 'admin-token' } }
    expect((await gantry(cloud, ['hosts', 'disable', 'host-1', '--reason', 'disk'], admin)).stdout).toMatch(
      /connected, disabled.*disk/,
    )
    expect((await gantry(cloud, ['hosts', 'join-token'], admin)).stdout).toBe('join-me\n')
    expect(await gantry(cloud, ['hosts'])).toMatchObject({ code: 1, stdout: '' })
    expect((await gantry(cloud, ['quota'])).stdout).toMatch(/^RESOURCE +USED +LIMIT +UNIT\ncontainers +0 +40\n/)
    expect((await gantry(cloud, ['quota', 'set', 'p'])).code).toBe(2)
    expect((await gantry(cloud, ['images'])).stdout).toBe('ID  NAME  STATUS  IN STORE  CREATED  READERS  PROJECT\n')
  })

  test('every verb shows examples', async () => {
    await using cloud = await serveFakeCloud()
    const verbs = [
      'run',
      'ps',
      'show',
      'logs',
      'exec',
      'start',
      'stop',
      'restart',
      'rm',
      'events',
      'images',
      'image',
      'image show',
      'image share',
      'image policy',
      'hosts',
      'quota',
      'network',
      'network create',
      'subnet create',
      'port create',
      'secgroup',
      'secgroup rule add',
      'router',
      'floating-ip',
      'volume',
      'volume create',
      'volume extend',
      'volume snapshot',
      'volume backup',
      'volume backup create',
      'capsule create',
      'login',
      'logout',
    ]
    const helps = await Promise.all(verbs.map((verb) => gantry(cloud, [...verb.split(' '), '--help'])))
    for (const { code, stdout } of helps) {
      expect(code).toBe(0)
      expect(stdout).toMatch(/Examples:\n {2}\$ gantry /)
    }
  })
})

describe('credentials', () => {
  const secret = 'pa ss"word'
  const asked: unknown[] = []
  const keystone = (app: FastifyInstance): void => {
    app.post('/identity/v3/auth/tokens', async (request, reply) => {
      asked.push(request.body)
      if (!JSON.stringify(request.body).includes(JSON.stringify(secret))) {
        return reply
          .code(401)
          .send({ error: { code: 401, message: 'The request you have made requires authentication.' } })
      }
      const names = { user: { name: 'demo' }, project: { name: 'demo' } }
      const token = { expires_at: '2999-01-01T00:00:00.000000Z', ...names }
      return reply.code(201).header('x-subject-token', 'demo-token').send({ token })
    })
    app.delete('/identity/v3/auth/tokens', async (_request, reply) => reply.code(204).send())
  }
  const rc = (cloud: ServedCloud) => ({
    OS_AUTH_URL: `http://127.0.0.1:${cloud.port}/identity/v3`,
    OS_USERNAME: 'demo',
    OS_PASSWORD: secret,
    OS_PROJECT_NAME: 'demo',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
  })

  test('password, application credential, and an openrc in the home folder', async () => {
    await using cloud = await serveFakeCloud(keystone)
    expect((await gantry(cloud, ['ps'], { env: rc(cloud) })).code).toBe(0)
    expect(asked.at(-1)).toMatchObject({ auth: { scope: { project: { name: 'demo', domain: { name: 'Default' } } } } })
    const { OS_AUTH_URL } = rc(cloud)
    const credential = { OS_AUTH_URL, OS_APPLICATION_CREDENTIAL_ID: 'ac', OS_APPLICATION_CREDENTIAL_SECRET: secret }
    expect((await gantry(cloud, ['ps'], { env: credential })).code).toBe(0)
    expect(asked.at(-1)).not.toHaveProperty('auth.scope')
    const home = await temporaryFolder()
    const lines = Object.entries(rc(cloud)).map(([name, value]) => `export ${name}='${value}'\n`)
    await writeFile(join(home, 'openrc'), lines.join(''))
    expect((await gantry(cloud, ['ps'], { env: { GANTRY_HOME: home } })).code).toBe(0)
  })

  test('wrong or missing ones are exit code 3, and nothing secret is printed', async () => {
    await using cloud = await serveFakeCloud(keystone)
    const wrong = await gantry(cloud, ['ps'], { env: { ...rc(cloud), OS_PASSWORD: 'hush' } })
    expect(wrong.code).toBe(3)
    expect(wrong.stderr).toMatch(/^gantry: The request you have made requires authentication\. /)
    expect(wrong.stderr).not.toContain('hush')
    expect((await gantry(cloud, ['ps'], { env: {} })).code).toBe(3)
    const { OS_AUTH_URL } = rc(cloud)
    expect((await gantry(cloud, ['ps'], { env: { OS_AUTH_URL, OS_TOKEN: 'ended' } })).code).toBe(3)
    expect((await gantry(cloud, ['ps'], { env: { OS_AUTH_URL: 'http://127.0.0.1:1', OS_TOKEN: 'x' } })).code).toBe(1)
  })

  test('login keeps a token in a file of its own, logout takes it away', async () => {
    await using cloud = await serveFakeCloud(keystone)
    const config = await temporaryFolder()
    const { OS_AUTH_URL } = rc(cloud)
    const words = ['login', OS_AUTH_URL, '-u', 'demo', '-p', 'demo', '--password-stdin']
    const done = await gantry(cloud, words, { env: { XDG_CONFIG_HOME: config }, stdin: `${secret}\n` })
    expect(done).toMatchObject({ code: 0, stderr: '' })
    const path = join(config, 'gantry', 'credentials.json')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).not.toContain('word')
    expect((await gantry(cloud, ['ps'], { env: { XDG_CONFIG_HOME: config } })).code).toBe(0)
    expect((await gantry(cloud, ['logout'], { env: { XDG_CONFIG_HOME: config } })).code).toBe(0)
    expect((await gantry(cloud, ['ps'], { env: { XDG_CONFIG_HOME: config } })).code).toBe(3)
  })
})
