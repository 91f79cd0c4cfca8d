import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '@gantry/kernel'
import type { CallNote, Context } from '../call.ts'
import { type Cloud, type CloudOptions, openCloud } from '../cloud.ts'
import type { Credential } from '../credential.ts'
import type { Session } from '../session.ts'

export interface Asked {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

type Handler = (asked: Asked, response: ServerResponse, request: IncomingMessage) => unknown

export interface SmallCloud extends AsyncDisposable {
  readonly url: string
  readonly asked: Asked[]
  readonly notes: CallNote[]
  readonly clock: Clock & { passes(ms: number): void }
  /** Of everything that is not a log-in. */
  readonly calls: () => Asked[]
  readonly logIns: () => Asked[]
  /** What Keystone does from now on. */
  keystone: Handler
  readonly cloud: Cloud
  session(credential?: Credential): Session
}

/** How long its tokens live. Milliseconds. */
export const tokenLifeMs = 3_600_000
export const context = (): Context => ({ signal: new AbortController().signal })
export const password: Credential = {
  kind: 'password',
  user: { name: 'demo', domain: { id: 'default' } },
  password: 'pw-very-secret',
  scope: { kind: 'project', project: { id: 'p1' } },
}

/** A Keystone whose tokens are `token-1`, `token-2`, …, and one service of every type, which is the `handler`. */
export async function smallCloud(handler: Handler, options: Partial<CloudOptions> = {}): Promise<SmallCloud> {
  const asked: Asked[] = []
  const notes: CallNote[] = []
  const state = { now: Date.now(), tokens: 0 }
  const small = { keystone: issue as Handler }
  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const cloud = await openCloud({
    authUrl: `${url}/identity`,
    clock: { now: () => state.now },
    patience: { tries: 4, baseMs: 4, maxMs: 10, mostAskedMs: 2000 },
    seen: (note) => notes.push(note),
    ...options,
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isUpload = request.headers['content-type'] === 'application/octet-stream'
    const text = isUpload ? '' : Buffer.concat(await request.toArray().catch(() => [])).toString()
    const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, text }
    asked.push(one)
    await (one.url.startsWith('/identity') ? small.keystone : handler)(one, response, request)
  }

  function issue(_: Asked, response: ServerResponse): void {
    state.tokens += 1
    const token = tokenBody(state.now, catalogOf(url))
    json(response, 201, token, { 'x-subject-token': `token-${state.tokens}` })
  }

  return {
    url,
    asked,
    notes,
    cloud,
    clock: {
      now: () => state.now,
      passes: (ms) => {
        state.now += ms
      },
    },
    calls: () => asked.filter((one) => !one.url.startsWith('/identity')),
    logIns: () => asked.filter((one) => one.url.startsWith('/identity')),
    get keystone() {
      return small.keystone
    },
    set keystone(next) {
      small.keystone = next
    },
    session: (credential = password) => cloud.session(credential),
    async [Symbol.asyncDispose]() {
      await cloud[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
    },
  }
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

export function tokenBody(now: number, catalog: unknown): { token: object } {
  return {
    token: {
      user: { id: 'u1', name: 'demo', domain: { id: 'default', name: 'Default' } },
      project: { id: 'p1', name: 'demo', domain: { id: 'default', name: 'Default' } },
      roles: [{ id: 'r1', name: 'member' }],
      methods: ['password'],
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + tokenLifeMs).toISOString(),
      audit_ids: ['a'],
      catalog,
    },
  }
}

function catalogOf(url: string): object[] {
  const paths: Record<string, string> = {
    image: '/image',
    network: '/network/v2.0',
    volumev3: '/volume/v3/p1',
    sharev2: '/share/v2',
    compute: '/compute/v2.1',
    placement: '/placement',
    'object-store': '/v1/AUTH_p1',
    orchestration: '/v1/p1',
  }
  return Object.entries(paths).map(([type, path]) => ({
    type,
    name: type,
    id: type,
    endpoints: [
      { id: `${type}-1`, interface: 'public', url: url + path, region: 'here', region_id: 'here' },
      { id: `${type}-2`, interface: 'internal', url: `${url}/inside${path}`, region: 'here', region_id: 'here' },
    ],
  }))
}
