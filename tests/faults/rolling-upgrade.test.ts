import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'
import { freePort } from '@gantry/kernel/testing'
import { startPostgres, type TestPostgres } from '@gantry/store/testing'
import type { Plugin } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../../tools/bundle.ts'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Balancer, startHaproxy } from '../fixtures/haproxy.ts'
import { agentPart, launch, type Part } from '../fixtures/parts.ts'
import { cloudAt, logInAs, publishImage, type Session } from '../fixtures/gantry.ts'

/**
 * Servers on one PostgreSQL behind HAProxy are replaced one by one by those of the next version, which migrates the schema, while clients go on:
 * none of them may see a request fail.
 */
let folder: string
let postgres: TestPostgres
let database: string
let engine: TestEngine
let balancer: Balancer
let agent: Part
const servers: Server[] = []

interface Server {
  readonly home: string
  readonly port: number
  readonly child: ChildProcess
  readonly agents: string
  readonly joinToken: string
}

beforeAll(async () => {
  folder = await mkdtemp('/tmp/gantry-upgrade-')
  const bundles = Promise.all([
    bundle({ out: join(folder, 'old'), version: '1.0.0', only: ['server'] }),
    bundle({ out: join(folder, 'new'), version: '1.1.0', only: ['server'], plugins: [oneMoreMigration] }),
  ])
  ;[postgres, engine] = await Promise.all([startPostgres(), startEngine(), bundles])
  database = await postgres.database()
  await loadBusybox(engine.socket)
  // Both at once, on an empty database: one of them makes the cloud.
  const key = `${randomBytes(32).toString('base64')}\n`
  const begun = await Promise.all(
    ['s1', 's2'].map(async (name) => {
      const home = join(folder, name)
      await mkdir(home)
      await writeFile(join(home, 'secrets.key'), key, { mode: 0o600 })
      return start('old', home, await freePort())
    }),
  )
  servers.push(...begun)
  balancer = await startHaproxy(
    folder,
    servers.map(({ port }) => `127.0.0.1:${port}`),
  )
  const [first] = servers as [Server]
  agent = agentPart({
    home: folder,
    name: 'test-host',
    engine,
    server: () => first.agents,
    token: () => first.joinToken,
    args: [],
  })
  await agent.start()
  await publishImage(await logIn('admin'), 'busybox:latest')
})

afterAll(async () => {
  await agent?.kill9()
  for (const { child } of servers) child.kill('SIGKILL')
  await balancer?.[Symbol.asyncDispose]()
  await Promise.all([engine?.stop(), postgres?.[Symbol.asyncDispose]()])
  if (folder) await rm(folder, { recursive: true, force: true })
})

/** What a next version may do to the schema while servers of the version before go on: add. */
const oneMoreMigration: Plugin = {
  name: 'one more migration',
  setup(hooks) {
    hooks.onLoad({ filter: /store\/src\/migrations\/index\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const added = `'9999-of-the-next-version': { up: (db) => db.schema.alterTable('containers').addColumn('added_later', 'text').execute() },`
      const contents = text.replace(/(const migrations[^=]*= \{)/, `$1 ${added}`)
      if (contents === text) throw new Error('the list of migrations looks different now')
      return { contents, loader: 'ts' }
    })
  },
}

async function start(version: 'old' | 'new', home: string, port: number): Promise<Server> {
  await mkdir(home, { recursive: true })
  const others = ['agents-listen', 'docker-listen', 'docker-tls-listen'].flatMap((name) => [`--${name}`, '127.0.0.1:0'])
  const args = ['--home', home, '--database', database, '--listen', `127.0.0.1:${port}`, ...others]
  const drain = ['--drain-delay', '2', '--drain-time', '4']
  const out = openSync(join(folder, 'servers.log'), 'a')
  const { child, message } = await launch(join(folder, version, 'server.mjs'), [...args, ...drain], {}, out)
  return { home, port, child, agents: String(message['agents']), joinToken: String(message['joinToken']) }
}

async function logIn(user: 'demo' | 'admin'): Promise<Session> {
  const isFirst = await access(join(folder, 's1', 'openrc')).then(
    () => true,
    () => false,
  )
  const env = await cloudAt(balancer.url, join(folder, isFirst ? 's1' : 's2')).env(user)
  return logInAs(balancer.url, { ...env, OS_AUTH_URL: `${balancer.url}/identity/v3` })
}

/** What clients did and saw. */
class Tally {
  readonly failed: string[] = []
  requests = 0

  async ask(session: Session, method: string, path: string, body?: unknown) {
    this.requests += 1
    const what = `${new Date().toISOString()} ${method} ${path}`
    const answer = await session.zun(method, path, body).catch((error: unknown) => {
      this.failed.push(`${what}: ${String(error)} ${String((error as Error).cause)}`)
      throw error
    })
    if (answer.status < 300) return answer
    this.failed.push(`${what}: ${answer.status} ${answer.text.slice(0, 200)}`)
    throw new Error(this.failed.at(-1))
  }
}

/** One client that does what clients do, again and again. */
async function life(session: Session, tally: Tally, name: string, signal: AbortSignal): Promise<string[]> {
  const made: string[] = []
  // What fails is counted; the client goes on with the next one, a little later.
  for (let round = 0; !signal.aborted; round += 1) {
    await oneLife(session, tally, `${name}-${round}`, made).catch(() => sleep(500))
  }
  return made
}

async function oneLife(session: Session, tally: Tally, name: string, made: string[]): Promise<void> {
  const body = { name, image: 'busybox:latest', command: ['sleep', '100'] }
  const { json } = await tally.ask(session, 'POST', '/containers', body)
  made.push(json.uuid)
  for (let look = 0; look < 100; look += 1) {
    await tally.ask(session, 'GET', '/containers')
    const { status } = (await tally.ask(session, 'GET', `/containers/${json.uuid}`)).json
    if (status === 'Created') break
    if (status === 'Error') throw new Error('it could not be made')
    await sleep(50)
  }
  await tally.ask(session, 'DELETE', `/containers/${json.uuid}?stop=true`)
}

/** Reads a stream that has an end only because its server has one, and then the next. `read` gets each line; answers how often it began. */
async function follow(open: () => Promise<Response>, read: (line: string) => void, tally: Tally, signal: AbortSignal) {
  for (let streams = 0; ; streams += 1) {
    const answer = await open().catch((error: unknown) => {
      if (!signal.aborted) tally.failed.push(`a stream did not begin: ${String(error)}`)
    })
    if (signal.aborted || !answer?.body || answer.status !== 200) {
      if (answer && !signal.aborted)
        tally.failed.push(`a stream did not begin: ${answer.status} ${await answer.text()}`)
      return streams
    }
    try {
      let rest = ''
      for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) read(line)
      }
    } catch {
      // Its server has ended: the next one goes on.
    }
    await sleep(20)
  }
}

test('servers are upgraded one by one under load, and no request fails', async () => {
  const demo = await logIn('demo')
  const counter = await demo.zun('POST', '/containers?run=true', {
    name: 'counter',
    image: 'busybox:latest',
    command: ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done'],
  })
  await demo.waitFor('counter', ({ status }) => status === 'Running')
  const tally = new Tally()
  const stop = new AbortController()
  const headers = { 'x-auth-token': demo.token }
  let lines = 0
  const logs = follow(
    () =>
      fetch(`${balancer.url}/v1/containers/${counter.json.uuid}/logs?follow=true&tail=1`, {
        headers,
        signal: stop.signal,
      }),
    () => (lines += 1),
    tally,
    stop.signal,
  )
  let cursor = 'now'
  const told: string[] = []
  const events = follow(
    () => fetch(`${balancer.url}/v1/events?since=${cursor}`, { headers, signal: stop.signal }),
    (line) => {
      if (!line.startsWith('data: ')) return
      const change = JSON.parse(line.slice(6)) as { cursor: string; type?: string; objectId?: string }
      if (change.type === 'container.create.start') told.push(String(change.objectId))
      cursor = change.cursor
    },
    tally,
    stop.signal,
  )
  await sleep(1000)
  const ending = new AbortController()
  const clients = ['a', 'b', 'c'].map((name) => life(demo, tally, name, ending.signal))
  await sleep(2000)
  await balancer.allUp()
  for (const [at, server] of servers.entries()) {
    const exit = once(server.child, 'exit')
    server.child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
    servers[at] = await start('new', server.home, server.port)
    await balancer.allUp()
  }
  await sleep(1500)
  ending.abort()
  const made = (await Promise.all(clients)).flat()
  const before = lines
  await sleep(500)
  const after = lines
  stop.abort()
  const streams = await Promise.all([logs, events])
  console.log(
    `rolling upgrade: ${tally.requests} requests, ${tally.failed.length} failed; ${made.length} containers made and deleted; ` +
      `log followed over ${streams[0]} connections, events over ${streams[1]}`,
  )
  const { json } = await (await logIn('admin')).native('GET', '/servers')
  const versions = (json as unknown as { servers: { version: string }[] }).servers.map(({ version }) => version)
  expect(versions).toEqual(['1.1.0', '1.1.0'])
  expect(tally.failed).toEqual([])
  expect(tally.requests).toBeGreaterThan(200)
  expect(after, 'the log is still followed').toBeGreaterThan(before)
  expect(told.sort(), 'each is told of once, across all the connections').toEqual(made.sort())
}, 120_000)
