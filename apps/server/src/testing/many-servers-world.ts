import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { simFacts } from '@gantry/control/testing'
import { Fault } from '@gantry/kernel'
import type { Assignment, ContainerId, EngineContainer, HostId, Observed } from '@gantry/model'
import { anEngineContainer } from '@gantry/model/testing'
import { startPostgres, type TestPostgres } from '@gantry/store/testing'
import {
  type AgentCalls,
  type AgentHost,
  type AgentMessage,
  type CallIo,
  type Credentials,
  dialTcp,
  enrol,
  runAgentSession,
} from '@gantry/wire'
import pino from 'pino'
import { readOptions } from '../options.ts'
import { type RunningServer, startServer } from '../start-server.ts'

/** A host without an engine that really connects: it takes every wish at once, and its containers echo what they are sent. */
export interface WireHost {
  readonly id: HostId
  readonly engine: ReadonlyMap<ContainerId, EngineContainer>
  /** What it was told, in order: `web@2`. */
  readonly told: string[]
  report(id: ContainerId, change: Partial<Observed>): void
  /** Where it hangs, or wants to. */
  readonly at: string
  /** Its line to the server is cut, and it goes there. */
  goTo(agents: string): Promise<void>
}

export interface ServersWorld extends AsyncDisposable {
  readonly servers: RunningServer[]
  readonly postgres: Pick<TestPostgres, 'kill' | 'start'>
  start(): Promise<RunningServer>
  host(name: string, on: RunningServer): Promise<WireHost>
  ask(server: RunningServer, method: string, path: string, body?: unknown, user?: 'demo' | 'admin'): Promise<Response>
  token(user: 'demo' | 'admin'): Promise<string>
  /** They were revoked. */
  forgetTokens(): void
  json<T>(server: RunningServer, path: string, user?: 'demo' | 'admin'): Promise<T>
}

/** Servers in this process on a PostgreSQL of their own, and hosts that hang on them. */
export async function serversWorld(): Promise<ServersWorld> {
  const postgres = await startPostgres()
  const database = await postgres.database()
  const home = await mkdtemp(join(tmpdir(), 'gantry-servers-'))
  const servers: RunningServer[] = []
  const ending = new AbortController()
  const agents: Promise<void>[] = []
  const tokens = new Map<string, string>()
  const log = pino({ level: process.env['GANTRY_LOG_LEVEL'] ?? 'silent' })

  const start = async (): Promise<RunningServer> => {
    const listens = ['listen', 'agents-listen', 'docker-listen', 'docker-tls-listen'].flatMap((name) => [
      `--${name}`,
      '127.0.0.1:0',
    ])
    const options = readOptions(['--home', home, '--database', database, ...listens], {})
    if (!options) throw new Error('no options')
    const server = await startServer(options, log)
    servers.push(server)
    return server
  }
  const tokenOf = async (server: RunningServer, user: 'demo' | 'admin'): Promise<string> => {
    const known = tokens.get(user)
    if (known) return known
    const text = await readFile(join(home, user === 'admin' ? 'openrc-admin' : 'openrc'), 'utf8')
    const rc = Object.fromEntries(
      [...text.matchAll(/^export (\w+)='?([^'\n]*)'?$/gm)].map(([, key, value]) => [key, value]),
    )
    const identity = {
      methods: ['password'],
      password: { user: { name: rc['OS_USERNAME'], password: rc['OS_PASSWORD'], domain: { id: 'default' } } },
    }
    const scope = { project: { name: rc['OS_PROJECT_NAME'], domain: { id: 'default' } } }
    const answer = await fetch(`${server.api}/identity/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: { identity, scope } }),
    })
    const token = answer.headers.get('x-subject-token')
    if (!token) throw new Error(await answer.text())
    tokens.set(user, token)
    return token
  }
  const ask: ServersWorld['ask'] = async (server, method, path, body, user = 'demo') =>
    fetch(`${server.api}${path}`, {
      method,
      headers: {
        'x-auth-token': await tokenOf(server, user),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return {
    servers,
    postgres,
    start,
    ask,
    token: (user) => tokenOf(servers[0] as RunningServer, user),
    forgetTokens: () => tokens.clear(),
    json: async <T>(server: RunningServer, path: string, user: 'demo' | 'admin' = 'demo') => {
      const answer = await ask(server, 'GET', path, undefined, user)
      if (!answer.ok) throw new Error(await answer.text())
      return (await answer.json()) as T
    },
    async host(name, on) {
      const dial = (at: string) => dialTcp({ host: '127.0.0.1', port: Number(at.split(':')[1]) })
      const tokens = await ask(on, 'POST', '/v1/hosts/join-tokens', undefined, 'admin')
      const { token } = (await tokens.json()) as { token: string }
      const credentials = await enrol({ dial: dial(on.agents), token, hostname: name })
      const host = wireHost(name, credentials)
      const { ended, begin } = host.connect(dial, on.agents, ending.signal, log)
      agents.push(ended())
      await begin
      return host.view
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      for (const server of servers.splice(0)) await server.close()
      await Promise.allSettled(agents)
      await postgres[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}

function wireHost(name: string, credentials: Credentials) {
  const engine = new Map<ContainerId, EngineContainer>()
  const told: string[] = []
  let send: (message: AgentMessage) => void = () => undefined
  let greeted = Promise.withResolvers<void>()
  const refuse = async () => {
    throw new Fault('request.unsupported', { feature: 'This', reason: 'not in this test' })
  }
  const given: Partial<AgentCalls> = {
    exec: async (_args: unknown, { input }: CallIo) => ({ reply: { execId: 'e' }, output: input ?? Readable.from([]) }),
    logs: async () => ({ reply: { framed: false }, output: Readable.from([Buffer.from('hello\n')]) }),
    kill: async () => ({ reply: {}, output: null }),
  }
  const calls = new Proxy(given, { get: (target, key) => Reflect.get(target, key) ?? refuse }) as AgentCalls
  const observe = (id: ContainerId, settled: number, gone: boolean) => {
    const observed = { engine: engine.get(id) ?? null, settled, failure: null }
    send({ kind: 'observed', id, observed, gone })
  }
  const take = ({ id, name: container, wish }: Assignment) => {
    told.push(`${container}@${wish.version}`)
    if (wish.gone) {
      engine.delete(id)
      return observe(id, wish.version, true)
    }
    const state = wish.power.kind === 'running' ? 'running' : engine.has(id) ? 'exited' : 'created'
    const startedAt = state === 'created' ? null : '2026-01-01T00:00:00Z'
    engine.set(id, anEngineContainer({ generation: wish.generation, engineId: `e-${container}`, state, startedAt }))
    observe(id, wish.version, false)
  }
  const host: AgentHost = {
    calls,
    facts: async () => ({ ...simFacts, hostname: name }),
    session(sender) {
      send = sender
      return (message) => {
        if (message.kind === 'assign') take(message.assignment)
        if (message.kind === 'synced') greeted.resolve()
      }
    },
  }
  let at = ''
  let moving = new AbortController()
  const view: WireHost = {
    id: credentials.hostId as HostId,
    engine,
    told,
    get at() {
      return at
    },
    report: (id, change) =>
      send({
        kind: 'observed',
        id,
        observed: { engine: engine.get(id) ?? null, settled: 0, failure: null, ...change },
        gone: false,
      }),
    async goTo(agents) {
      at = agents
      greeted = Promise.withResolvers()
      moving.abort()
      await greeted.promise
    },
  }
  return {
    view,
    connect(dial: (at: string) => ReturnType<typeof dialTcp>, first: string, end: AbortSignal, log: pino.Logger) {
      at = first
      const ended = async () => {
        while (!end.aborted) {
          moving = new AbortController()
          const signal = AbortSignal.any([moving.signal, end])
          await runAgentSession({
            dial: (cut) => dial(at)(cut),
            credentials,
            renewed: async () => {},
            host,
            log,
            signal,
          })
        }
      }
      return { ended, begin: greeted.promise }
    },
  }
}
