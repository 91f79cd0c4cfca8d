import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { runClient } from '../fixtures/client-forks.ts'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Gantry, logInAs, type Session, startGantry } from '../fixtures/gantry.ts'

/** What people see of a limit: every API says it in its own words and with `Retry-After`, and the unmodified clients pass it on or wait. */
let engine: TestEngine
let gantry: Gantry
const mostRequests = 8
/** Seconds over which a project's requests are counted. */
const span = 10

beforeAll(async () => {
  engine = await startEngine({ network: 'host' })
  await loadBusybox(engine.socket)
  const rates = ['--rate-project', '1200', '--rate-log-ins', '60', '--max-requests', String(mostRequests)]
  gantry = await startGantry({ engine, publish: false, serverArgs: [...rates, '--trusted-proxy', '127.0.0.1'] })
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await engine?.stop()
})

type Tenant = Session & { readonly env: Record<string, string> }

/** A project that has just asked so much that it is refused for most of the span. */
async function exhausted(name: string): Promise<Tenant> {
  const tenant = await gantry.newTenant(name)
  await exhaust(tenant)
  return tenant
}

async function exhaust(session: Session): Promise<void> {
  for (;;) {
    const { status, headers } = await session.native('GET', '/containers')
    if (status === 200) continue
    const left = Number(headers.get('retry-after'))
    if (left >= span - 3) return
    await new Promise((resolve) => setTimeout(resolve, left * 1000))
  }
}

function run(program: string, args: readonly string[], env: Record<string, string>) {
  return new Promise<{ code: number; text: string }>((resolve) => {
    const { PATH = '' } = process.env
    execFile(program, args, { env: { PATH, HOME: gantry.home, ...env } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, text: `${stdout}${stderr}` })
    })
  })
}

const domain = () => new URL(gantry.api).host
const sentence = /Too many requests of your project; try again in \d+ s\./

/** The same read in each API. */
const reads: readonly (readonly [string, () => string, (body: string) => unknown, (status: number) => unknown])[] = [
  ['native', () => `${gantry.api}/v1/containers`, (body) => JSON.parse(body).error.kind, kindOf],
  ['zun', () => `${gantry.api}/container/v1/containers`, (body) => JSON.parse(body).errors[0].status, same],
  ['keystone', () => `${gantry.api}/identity/v3/auth/projects`, (body) => JSON.parse(body).error.code, same],
  ['glance', () => `${gantry.api}/image/v2/images`, (body) => Number(/<title>(\d+) /.exec(body)?.[1]), same],
  ['docker', () => `${gantry.dockerUrl}/containers/json`, (body) => Object.keys(JSON.parse(body)), () => ['message']],
  [
    'registry',
    () => `${gantry.api}/v2/_catalog`,
    (body) => JSON.parse(body).errors[0].code,
    (status) => (status === 429 ? 'TOOMANYREQUESTS' : 'UNAVAILABLE'),
  ],
]

function same(status: number): number {
  return status
}

function kindOf(status: number): string {
  return status === 429 ? 'too-many' : 'unavailable'
}

const shown = ({ token, projectId }: Session) => ({ 'x-auth-token': token, 'x-auth-project-id': projectId })

/** The head of the answer to one who asks to leave HTTP. */
async function upgradeHead(url: string, path: string, headers: Record<string, string>): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const lines = Object.entries({ host: 'x', connection: 'Upgrade', 'content-length': '0', ...headers })
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return head.toString()
}

describe('a project that asks too much', () => {
  test('is told so in the words of each API, with the time to come back', async () => {
    const eve = await exhausted('eve')
    for (const [name, url, told, expected] of reads) {
      const answer = await fetch(url(), { headers: shown(eve) })
      const body = await answer.text()
      expect(answer.status, `${name}: ${body}`).toBe(429)
      expect(told(body), name).toEqual(expected(429))
      expect(body, name).toMatch(sentence)
      expect(Number(answer.headers.get('retry-after')), name).toBeGreaterThanOrEqual(1)
    }
    const head = await upgradeHead(gantry.dockerUrl, '/exec/x/start', { upgrade: 'tcp', ...shown(eve) })
    expect(head).toMatch(/^HTTP\/1\.1 429 [^]*retry-after: \d+\r\n/)
    expect((await (await gantry.newTenant('calm')).native('GET', '/containers')).status).toBe(200)
  })

  test('docker says why, and fails', async () => {
    const session = await exhausted('moby')
    const listed = await gantry.docker(['ps'], { session })
    expect(listed.code).toBe(1)
    expect(listed.stderr).toMatch(sentence)
    const ran = await gantry.docker(['run', 'busybox'], { session })
    expect([ran.code, ran.stderr]).toEqual([125, expect.stringMatching(sentence)])
  })

  test('docker-py raises an error with the status and the sentence', async () => {
    const eve = await exhausted('pia')
    const script = [
      'import docker, sys',
      `c = docker.DockerClient(base_url='${gantry.dockerUrl.replace('http:', 'tcp:')}', version='1.41')`,
      `c.api.headers.update({'X-Auth-Token': '${eve.token}', 'X-Auth-Project-Id': '${eve.projectId}'})`,
      'try:\n  c.containers.list()',
      "except docker.errors.APIError as e:\n  print(e.status_code, e.explanation, int(e.response.headers['Retry-After']) > 0)",
    ]
    const { text } = await run('/usr/bin/python3', ['-c', script.join('\n')], {})
    expect(text).toMatch(new RegExp(`^429 ${sentence.source} True`))
  })

  test('the container and image commands of openstack say why, and fail', async () => {
    const { env } = await exhausted('olga')
    for (const args of [
      ['appcontainer', 'list'],
      ['image', 'list'],
    ]) {
      const { code, stderr } = await runClient('openstack', args, { env: { PATH: process.env['PATH'], ...env } })
      expect([args[0], code, stderr]).toEqual([args[0], 1, expect.stringMatching(sentence)])
    }
  })

  test('gantry waits as long as it is told to, and goes on', async () => {
    const { env } = await exhausted('wanda')
    const began = performance.now()
    const cli = new URL('../../apps/cli/src/main.ts', import.meta.url).pathname
    const { code, text } = await run(process.execPath, [cli, 'ps'], { ...env, GANTRY_HOME: gantry.home })
    expect([code, text]).toEqual([0, expect.stringMatching(/trying again in \d+ s/)])
    expect(performance.now() - began).toBeGreaterThan(2000)
  })
})

describe('an image', () => {
  const docker = (name: string, ...args: string[]) =>
    run('docker', args, { DOCKER_HOST: engine.url, DOCKER_CONFIG: join(gantry.home, name) })

  test('is pushed by skopeo in spite of the limit, which it waits for', async () => {
    const { env } = await exhausted('skip')
    const login = `${env['OS_USERNAME']}:${env['OS_PASSWORD']}`
    const from = ['--src-daemon-host', engine.url, 'docker-daemon:busybox:latest']
    const to = ['--dest-tls-verify=false', '--dest-creds', login, `docker://${domain()}/skip/busybox:1`]
    const began = performance.now()
    const copied = await run('skopeo', ['copy', ...from, ...to], {})
    expect(copied.code, copied.text).toBe(0)
    expect(performance.now() - began).toBeGreaterThan(2000)
  })

  test('is refused to docker in the words of the registry', async () => {
    const { env } = await gantry.newTenant('paul')
    const { OS_USERNAME: user = '', OS_PASSWORD: password = '' } = env
    const image = `${domain()}/paul/busybox:1`
    const logIn = await docker('paul', 'login', '-u', user, '-p', password, domain())
    expect(logIn.text).toContain('Login Succeeded')
    await docker('paul', 'tag', 'busybox:latest', image)
    await exhaust(await logInAs(gantry.api, env))
    for (const verb of ['pull', 'push']) {
      const { code, text } = await docker('paul', verb, image)
      expect([verb, code, text]).toEqual([verb, 1, expect.stringMatching(sentence)])
    }
  })
})

describe('an address that logs in too often', () => {
  test('is refused by Keystone in its words, and openstack says them', async () => {
    await using balancer = await startBalancer()
    const env = { ...(await gantry.env()), OS_AUTH_URL: `${balancer.url}/identity/v3` }
    for (let count = 0; count < 20; count += 1) {
      await fetch(`${env.OS_AUTH_URL}/auth/tokens`, { method: 'POST' })
    }
    const { code, stderr } = await runClient('openstack', ['token', 'issue'], {
      env: { PATH: process.env['PATH'], ...env },
    })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Too many log-ins from your address.*HTTP 429/)])
    const waited = await run(
      process.execPath,
      [new URL('../../apps/cli/src/main.ts', import.meta.url).pathname, 'ps'],
      { ...env, GANTRY_HOME: gantry.home },
    )
    expect([waited.code, waited.text]).toEqual([0, expect.stringMatching(/trying again in \d+ s/)])
  })
})

describe('a server that is full', () => {
  const held: Socket[] = []
  afterEach(() => {
    for (const socket of held.splice(0)) socket.destroy()
  })
  /** Requests whose bodies do not come. */
  const fill = async () => {
    const { port } = new URL(gantry.api)
    for (let count = 0; count < mostRequests; count += 1) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(
        'POST /identity/v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n',
      )
      held.push(socket)
    }
    await expect.poll(async () => (await fetch(`${gantry.api}/v1/containers`)).status).toBe(503)
  }

  test('says so in the words of each API, with the time to come back', async () => {
    const demo = await gantry.logIn('demo')
    await fill()
    for (const [name, url, told, expected] of reads.filter(([api]) => api !== 'registry')) {
      const answer = await fetch(url(), { headers: shown(demo) })
      const body = await answer.text()
      expect(answer.status, `${name}: ${body}`).toBe(503)
      expect(told(body), name).toEqual(expected(503))
      expect(body, name).toContain('requests under way, which is the most')
      expect(answer.headers.get('retry-after'), name).toBe('1')
    }
    const { code, stderr } = await gantry.docker(['ps'], { session: demo })
    expect([code, stderr]).toEqual([1, expect.stringContaining('requests under way, which is the most')])
  })

  test('is waited for by gantry', async () => {
    await fill()
    setTimeout(() => held.splice(0).map((socket) => socket.destroy()), 2500)
    const { code, stderr } = await gantry.cli(['ps'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('trying again in 1 s')])
  })
})

/** As one before the server would: it adds where a request came from. */
async function startBalancer() {
  const server = createServer((request, response) => {
    const headers = { ...request.headers, 'x-forwarded-for': '192.0.2.7', host: domain() }
    const onward = send(
      new URL(request.url ?? '/', gantry.api),
      { method: request.method ?? 'GET', headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, [Symbol.asyncDispose]: async () => void server.close() }
}
