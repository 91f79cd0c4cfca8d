import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dockerConfig, type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname

let gantry: Gantry
let home: string
beforeAll(async () => {
  gantry = await startGantry()
  home = await mkdtemp('/tmp/gantry-docker-user-')
}, 600_000)
afterAll(async () => {
  await gantry[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

/** Status and body, as curl sees them. */
async function curl(...args: string[]): Promise<{ status: number; body: string }> {
  const { stdout } = await run('curl', ['-sS', '--max-time', '20', '-w', '\n%{http_code}', ...args])
  const end = stdout.lastIndexOf('\n')
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) }
}

const header = (name: string, value: string) => ['-H', `${name}: ${value}`]
const shows = ({ token, projectId }: Pick<Session, 'token' | 'projectId'>) => [
  ...header('X-Auth-Token', token),
  ...header('X-Auth-Project-Id', projectId),
]

const revoke = (session: Session) =>
  curl(
    '-X',
    'DELETE',
    `${gantry.api}/identity/v3/auth/tokens`,
    ...header('X-Auth-Token', session.token),
    ...header('X-Subject-Token', session.token),
  )

async function environment(): Promise<Record<string, string>> {
  return { PATH: process.env['PATH'] ?? '', HOME: home, GANTRY_HOME: gantry.home, ...(await gantry.env()) }
}

/** A program of ours as a user of this machine runs it. */
async function ours(program: 'main' | 'osc', args: readonly string[], more: Record<string, string> = {}) {
  const env = { ...(await environment()), ...more }
  return run(process.execPath, [join(root, `apps/cli/src/${program}.ts`), ...args], { env })
}

/** What `eval "$(gantry docker-env …)"` sets. */
async function evaluated(...args: string[]): Promise<Record<string, string>> {
  const { stdout } = await ours('main', ['docker-env', ...args])
  const lines = [...stdout.matchAll(/^export (\w+)='(.*)'$/gm)]
  return Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]))
}

const plain = async (args: readonly string[], env: Record<string, string>) =>
  run('docker', [...args], { env: { PATH: process.env['PATH'] ?? '', HOME: home, ...env } })

describe('what a request must show', () => {
  test('nothing but /_ping answers without it', async () => {
    const { dockerUrl } = gantry
    for (const path of ['/_ping', '/v1.41/_ping']) {
      expect(await curl(dockerUrl + path)).toEqual({ status: 200, body: 'OK' })
      expect((await curl('-I', dockerUrl + path)).body).toContain('api-version: 1.44')
    }
    for (const path of ['/info', '/v1.41/containers/json', '/v1.41/events', '/v1.41/images/json']) {
      const { status, body } = await curl(dockerUrl + path)
      expect({ status, said: Object.keys(JSON.parse(body)) }).toEqual({ status: 401, said: ['message'] })
    }
  })

  test('token and project, which belong together', async () => {
    const demo = await gantry.logIn('demo')
    const admin = await gantry.logIn('admin')
    const status = async (...args: string[]) =>
      (await curl(`${gantry.dockerUrl}/v1.41/containers/json`, ...args)).status
    expect(await status(...shows(demo))).toBe(200)
    expect(await status(...shows({ ...demo, projectId: 'demo' }))).toBe(200)
    expect(await status(...header('X-Auth-Token', demo.token))).toBe(401)
    expect(await status(...header('X-Auth-Project-Id', demo.projectId))).toBe(401)
    expect(await status(...shows({ ...demo, projectId: admin.projectId }))).toBe(401)
    expect(await status(...shows({ ...demo, token: `${demo.token}x` }))).toBe(401)
    expect((await revoke(demo)).status).toBe(204)
    expect(await status(...shows(demo))).toBe(401)
  })

  test('the same holds below /docker of the first port, and for connections that would leave HTTP', async () => {
    const demo = await gantry.logIn('demo')
    const prefixed = `${gantry.api}/docker/v1.41`
    expect((await curl(`${prefixed}/version`, ...shows(demo))).status).toBe(200)
    expect((await curl(`${prefixed}/version`)).status).toBe(401)
    const upgrade = ['-X', 'POST', ...header('Connection', 'Upgrade'), ...header('Upgrade', 'tcp')]
    for (const base of [prefixed, gantry.dockerUrl]) {
      expect((await curl(`${base}/containers/x/attach?stream=1`, ...upgrade)).status).toBe(401)
    }
  })
})

describe('gantry docker-env', () => {
  test('writes what plain docker needs, for the eyes of its owner only, again and again', async () => {
    const env = await evaluated()
    const config = join(env['DOCKER_CONFIG'] ?? '', 'config.json')
    expect((await stat(config)).mode & 0o777).toBe(0o600)
    expect((await plain(['run', '--rm', 'busybox', 'echo', 'hello'], env)).stdout).toBe('hello\n')
    expect(await evaluated()).toEqual(env)
    await plain(['ps'], env)
  })

  test('makes a context that needs no token and passes a stale one by', async () => {
    const stale = await gantry.logIn('demo')
    await revoke(stale)
    const config = await dockerConfig(home, { 'X-Auth-Token': stale.token, 'X-Auth-Project-Id': stale.projectId })
    await ours('main', ['docker-env', '--context', 'cloud'], { DOCKER_CONFIG: config })
    await ours('main', ['docker-env', '--context', 'cloud'], { DOCKER_CONFIG: config })
    const { stdout } = await plain(['--context', 'cloud', 'run', '--rm', 'busybox', 'echo', 'by certificate'], {
      DOCKER_CONFIG: config,
    })
    expect(stdout).toBe('by certificate\n')
    const demo = await gantry.logIn('demo')
    const listed = await demo.native('GET', '/docker/certificates')
    expect((listed.json as unknown as { certificates: unknown[] }).certificates).toHaveLength(1)
  })

  test('a certificate is worth nothing once it is revoked, and its streams end', async () => {
    const env = await evaluated('--tls', '--write', join(home, 'tls'))
    const stream = follow(['events'], env)
    await sleep(1500)
    expect(stream.child.exitCode).toBeNull()
    const demo = await gantry.logIn('demo')
    const { stdout } = await run('openssl', ['x509', '-in', join(home, 'tls/cert.pem'), '-noout', '-serial'])
    const serial = stdout.trim().replace('serial=', '')
    expect((await demo.native('DELETE', `/docker/certificates/${serial}`)).status).toBe(204)
    await endsSoon(stream.child)
    await expect(plain(['ps'], env)).rejects.toThrow('revoked')
    // Asked again, it makes a new one in the place of that.
    await plain(['ps'], await evaluated('--tls', '--write', join(home, 'tls')))
  })

  test('an agent’s certificate is nobody’s here', async () => {
    const { certificate, key, ca } = JSON.parse(await readFile(join(gantry.home, 'agent/host.json'), 'utf8')) as Record<
      string,
      string
    >
    const files = { 'a.pem': certificate, 'k.pem': key, 'c.pem': ca }
    for (const [name, content = ''] of Object.entries(files)) await writeFile(join(home, name), content)
    const [cert, own, authority] = Object.keys(files).map((name) => join(home, name)) as [string, string, string]
    const shown = ['--cert', cert, '--key', own, '--cacert', authority]
    expect((await curl(...shown, `${gantry.dockerTlsUrl}/info`)).status).toBe(401)
    const demo = await gantry.logIn('demo')
    expect((await curl('--cacert', authority, ...shows(demo), `${gantry.dockerTlsUrl}/info`)).status).toBe(200)
  })

  test('an application credential lasts until it is deleted', async () => {
    const env = await evaluated('--app-credential', '--write', join(home, 'app'))
    await plain(['ps'], env)
    const config = JSON.parse(await readFile(join(home, 'app/config.json'), 'utf8')) as {
      HttpHeaders: Record<string, string>
    }
    await evaluated('--app-credential', '--write', join(home, 'app'))
    expect(JSON.parse(await readFile(join(home, 'app/config.json'), 'utf8'))).toEqual(config)
    const id = config.HttpHeaders['X-Auth-Application-Credential-Id'] ?? ''
    await gantry.openstack('application', 'credential', 'delete', id)
    await expect(plain(['ps'], env)).rejects.toThrow()
  })
})

interface Followed {
  readonly child: ChildProcess
  readonly output: () => string
}

function follow(args: readonly string[], env: Record<string, string>): Followed {
  const child = spawn('docker', args, { env: { PATH: process.env['PATH'] ?? '', HOME: home, ...env } })
  let seen = ''
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString()
  })
  return { child, output: () => seen }
}

async function endsSoon(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const late = AbortSignal.timeout(15_000)
  await once(child, 'exit', { signal: late }).finally(() => child.kill('SIGKILL'))
}

async function envOf(session: Session): Promise<Record<string, string>> {
  const headers = { 'X-Auth-Token': session.token, 'X-Auth-Project-Id': session.projectId }
  return { DOCKER_HOST: gantry.dockerUrl.replace('http', 'tcp'), DOCKER_CONFIG: await dockerConfig(home, headers) }
}

const talker = ['sh', '-c', 'while true; do echo tick; sleep 1; done']
const streams: Record<string, string[]> = {
  attach: ['attach', '--no-stdin', '--sig-proxy=false', 'talker'],
  exec: ['exec', 'talker', ...talker],
  logs: ['logs', '-f', 'talker'],
  events: ['events', '--since', '1'],
  wait: ['wait', 'talker'],
}

test('what is open ends when its token is revoked, and nobody else’s does', async () => {
  const [first, second] = [await gantry.logIn('demo'), await gantry.logIn('demo')]
  const env = await envOf(first)
  await plain(['run', '-d', '--name', 'talker', 'busybox', ...talker], env)
  const open = Object.entries(streams).map(([name, args]) => ({ name, ...follow(args, env) }))
  const other = follow(['logs', '-f', 'talker'], await envOf(second))
  for (const { name, output } of open) {
    if (name !== 'wait') await expect.poll(output, { timeout: 20_000, message: name }).not.toBe('')
  }
  expect(open.map(({ child }) => child.exitCode)).toEqual(open.map(() => null))
  expect((await revoke(first)).status).toBe(204)
  for (const { name, child } of open) await expect(endsSoon(child), name).resolves.toBeUndefined()
  const before = other.output().length
  await expect.poll(() => other.output().length, { timeout: 10_000 }).toBeGreaterThan(before)
  other.child.kill('SIGKILL')
  await plain(['rm', '-f', 'talker'], await envOf(second))
})

test('a disabled user is out, also where she is in the middle of something', async () => {
  const eve = await gantry.newTenant('eve')
  const env = await envOf(eve)
  await plain(['run', '-d', '--name', 'talker', 'busybox', ...talker], env)
  const logs = follow(['logs', '-f', 'talker'], env)
  await expect.poll(logs.output, { timeout: 20_000 }).toContain('tick')
  await gantry.openstackAs(await gantry.env('admin'), 'user', 'set', '--disable', 'eve')
  await endsSoon(logs.child)
  await expect(plain(['ps'], env)).rejects.toThrow('token')
})

describe('gantry docker', () => {
  test('is docker: output, input, exit code', async () => {
    expect((await ours('main', ['docker', 'run', '--rm', 'busybox', 'echo', 'hello'])).stdout).toBe('hello\n')
    const failed = ours('main', ['docker', 'run', '--rm', 'busybox', 'sh', '-c', 'exit 7'])
    await expect(failed).rejects.toMatchObject({ code: 7 })
    const { stdout } = await gantry.cli(['docker', 'run', '--rm', '-i', 'busybox', 'cat'], { input: 'through' })
    expect(stdout).toBe('through')
  })

  test('says what is missing when there is no docker', async () => {
    const lost = ours('main', ['docker', 'ps'], { PATH: '/nonexistent' })
    await expect(lost).rejects.toMatchObject({
      code: 127,
      stderr: expect.stringContaining('apt-get install docker.io'),
    })
  })

  test('and osc publish on the network public', async () => {
    const command = 'sh -c "while true; do echo pong | nc -l -p 22; done"'
    const args = ['container-create', '--port', 'pub:222:22', '--daemon', '--image', 'busybox', '--cmd', command]
    const id = (await ours('osc', args)).stdout.trim()
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    const shown = (await ours('osc', ['container-show', id])).stdout
    const [, address = ''] = /^ports: \[([\d.]+):222\]$/m.exec(shown) ?? []
    expect(address, shown).not.toBe('')
    const knock = ['timeout', '20', 'bash', '-c', `head -n 1 < /dev/tcp/${address}/222`]
    const { stdout } = await run('nsenter', [`--net=${gantry.engine.netns}`, ...knock])
    expect(stdout).toBe('pong\n')
    expect((await ours('osc', ['container-list'])).stdout).toContain(`${address}:222`)
    await ours('osc', ['container-delete', id])
    await expect(ours('osc', ['container-show', id])).rejects.toThrow('No such container')
    const plainly = await ours('main', [
      'docker',
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      'pub:222:22',
      'busybox',
      ...talker,
    ])
    expect(plainly.stdout.trim()).toHaveLength(64)
    expect((await ours('main', ['docker', 'port', 'web'])).stdout).toContain(':222')
    await ours('main', ['docker', 'rm', '-f', 'web'])
  })
})
