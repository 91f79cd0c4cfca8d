import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { startPostgres, type TestPostgres } from '@gantry/store/testing'
import { bundle } from '../../../tools/bundle.ts'

export interface Tenant {
  readonly token: string
  readonly projectId: string
}

export interface SimServer {
  readonly pid: number
  readonly api: string
  /** `HOST:PORT` for agents. */
  readonly agents: string
  kill9(): Promise<void>
  end(): Promise<void>
  /** Again, at the same addresses. */
  start(): Promise<void>
}

/** Real servers, as they are shipped, without any host. */
export interface Cloud extends AsyncDisposable {
  readonly servers: readonly SimServer[]
  readonly admin: Tenant
  readonly database:
    | { readonly kind: 'sqlite'; readonly file: string }
    | { readonly kind: 'postgres'; readonly url: string; readonly pid: () => number | null }
  ask(server: SimServer, tenant: Tenant | null, call: Call): Promise<Answer>
  newTenant(name: string): Promise<Tenant>
  /** Of all servers that answer: the sum of the samples of this name whose labels contain `labels`. */
  metric(name: string, labels?: string, among?: readonly SimServer[]): Promise<number>
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH'
  readonly path: string
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly token: string
}

export interface CloudOptions {
  readonly servers: number
  readonly sqlite: boolean
  /** Options of Node for the servers: `--cpu-prof`. */
  readonly nodeArgs?: readonly string[]
}

export async function startCloud({ servers: count, sqlite, nodeArgs = [] }: CloudOptions): Promise<Cloud> {
  const folder = await mkdtemp('/tmp/gantry-sim-')
  await using opened = new AsyncDisposableStack()
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  await bundle({ out: folder, only: ['server'], minify: nodeArgs.length === 0 })
  const watched = nodeArgs.length > 0 ? ['shared_preload_libraries=pg_stat_statements'] : []
  const database: TestPostgres | null = sqlite ? null : opened.use(await startPostgres(watched))
  const url = (await database?.database()) ?? null
  const dispatcher = new Agent({ connections: 64, pipelining: 1, headersTimeout: 120_000 })
  opened.defer(() => dispatcher.destroy())
  const servers: SimServer[] = []
  for (let number = 1; number <= count; number += 1) {
    const server = serverIn(join(folder, `server-${number}`), join(folder, 'server.mjs'), url, nodeArgs)
    // A profile is written by one that ends by itself.
    opened.defer(() => (nodeArgs.length > 0 ? server.end() : server.kill9()))
    if (number > 1) await shareKey(folder, number)
    await server.start()
    servers.push(server)
  }

  const ask: Cloud['ask'] = async ({ api }, tenant, { method = 'GET', path, body }) => {
    const answer = await request(`${api}${path}`, {
      method,
      dispatcher,
      headers: {
        ...(tenant && { 'x-auth-token': tenant.token, 'openstack-api-version': 'container 1.40' }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, text, token: String(answer.headers['x-subject-token'] ?? '') }
  }
  const [first] = servers
  if (!first) throw new Error('a cloud has at least one server')
  const must = async <T>(tenant: Tenant | null, call: Call): Promise<Answer & { json: T }> => {
    const answer = await ask(first, tenant, call)
    if (answer.status >= 300) throw new Error(`${call.path}: ${answer.status} ${answer.text}`)
    return { ...answer, json: (answer.text === '' ? {} : JSON.parse(answer.text)) as T }
  }
  const logIn = async (name: string, password: string, project: string): Promise<Tenant> => {
    const domain = { name: 'Default' }
    const identity = { methods: ['password'], password: { user: { name, password, domain } } }
    const body = { auth: { identity, scope: { project: { name: project, domain } } } }
    type Said = { token: { project: { id: string } } }
    const { token, json } = await must<Said>(null, { method: 'POST', path: '/identity/v3/auth/tokens', body })
    return { token, projectId: json.token.project.id }
  }
  const openrc = await readFile(join(folder, 'server-1', 'openrc-admin'), 'utf8')
  const admin = await logIn('admin', /OS_PASSWORD=['"]?([^'"\n]+)/.exec(openrc)?.[1] ?? '', 'admin')
  const owned = opened.move()
  return {
    servers,
    admin,
    database:
      database === null || url === null
        ? { kind: 'sqlite', file: join(folder, 'server-1', 'gantry.db') }
        : { kind: 'postgres', url, pid: () => database.pid() },
    ask,
    async newTenant(name) {
      const password = `pw-${name}-x7Kq2`
      const ofNew = { name, domain_id: 'default' }
      type Made = Record<string, { id: string } & { id: string }[]>
      const call = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, body?: unknown) =>
        (await must<Made>(admin, { method, path: `/identity/v3${path}`, ...(body !== undefined && { body }) })).json
      const { project } = await call('POST', '/projects', { project: ofNew })
      const { user } = await call('POST', '/users', { user: { ...ofNew, password } })
      const { roles } = await call('GET', '/roles?name=member')
      await call('PUT', `/projects/${project?.id}/users/${user?.id}/roles/${roles?.[0]?.id}`)
      const limits = { containers: -1, cpu: -1, memory: -1, disk: -1 }
      await must(admin, { method: 'PATCH', path: `/v1/quotas/${project?.id}`, body: limits })
      return logIn(name, password, name)
    },
    async metric(name, labels = '', among = servers) {
      let sum = 0
      for (const server of among) {
        const { text } = await ask(server, null, { path: '/metrics' }).catch(() => ({ text: '' }))
        for (const line of text.split('\n')) {
          if ((line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels)) {
            sum += Number(line.slice(line.lastIndexOf(' ')))
          }
        }
      }
      return sum
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Servers of one cloud have the same key to what is sealed in the database. */
async function shareKey(folder: string, number: number): Promise<void> {
  await mkdir(join(folder, `server-${number}`), { mode: 0o700 })
  await copyFile(join(folder, 'server-1', 'secrets.key'), join(folder, `server-${number}`, 'secrets.key'))
}

function serverIn(home: string, script: string, database: string | null, nodeArgs: readonly string[]): SimServer {
  let child: ChildProcess | null = null
  const state = { listen: '127.0.0.1:0', agents: '127.0.0.1:0' }
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child
    child = null
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = once(ending, 'exit')
    ending.kill(signal)
    await ended
  }
  return {
    get pid() {
      return child?.pid ?? 0
    },
    get api() {
      return `http://${state.listen}`
    },
    get agents() {
      return state.agents
    },
    async start() {
      const any = '127.0.0.1:0'
      const ports = {
        listen: state.listen,
        'agents-listen': state.agents,
        'docker-listen': any,
        'docker-tls-listen': any,
      }
      const listens = Object.entries(ports).flatMap(([name, value]) => [`--${name}`, value])
      const args = [
        '--home',
        home,
        ...listens,
        '--cpu-ratio',
        '1000',
        '--memory-ratio',
        '1',
        '--rate-project',
        '0',
        '--rate-changes',
        '0',
        '--max-requests',
        '0',
      ]
      const out = openSync(`${home}.log`, 'a')
      child = fork(script, args, {
        execArgv: [...nodeArgs],
        // A line for each step of a million containers is a load of its own.
        env: {
          ...process.env,
          // As deploy/systemd starts it.
          NODE_OPTIONS: '--max-semi-space-size=64',
          GANTRY_LOG_LEVEL: 'warn',
          ...(database && { GANTRY_DATABASE: database }),
        },
        stdio: ['ignore', out, out, 'ipc'],
      })
      const [message] = (await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => Promise.reject(new Error(`the server ended; see ${home}.log`))),
      ])) as [Record<string, unknown>]
      if (message['kind'] !== 'ready') throw new Error(String(message['message']))
      state.listen = new URL(String(message['api'])).host
      state.agents = String(message['agents'])
    },
    kill9: () => stop('SIGKILL'),
    end: () => stop('SIGTERM'),
  }
}
