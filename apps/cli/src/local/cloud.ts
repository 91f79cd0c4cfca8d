import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { text } from 'node:stream/consumers'
import { parseOpenrc } from '../openrc.ts'

/** A person's log-in as an openrc file holds it. */
export type Openrc = Readonly<Record<string, string>>

export function readOpenrc(path: string): Openrc {
  return parseOpenrc(readFileSync(path, 'utf8'))
}

export interface CloudRequest {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
}

/** An authenticated user of the cloud, through its public API only. */
export interface Cloud {
  /** Container service (Zun v1): `path` begins after `/v1`. Answers with status and parsed body, whatever the status. */
  container(call: CloudRequest, signal: AbortSignal): Promise<{ status: number; body: unknown }>
  /** A one-time token for an agent; for administrators. */
  joinToken(signal: AbortSignal): Promise<string>
  /** One `data:` of the native event stream after the other, until it ends. */
  events(signal: AbortSignal): AsyncIterable<string>
}

/** Takes a token (Keystone v3, password) and finds the container service in its catalog. */
export async function logIn(rc: Openrc, api: string, signal: AbortSignal): Promise<Cloud> {
  const ca = rc['OS_CACERT'] === undefined ? undefined : readFileSync(rc['OS_CACERT'], 'utf8')
  const { response, body } = await call(
    `${rc['OS_AUTH_URL']}/auth/tokens`,
    { method: 'POST', path: '', body: passwordAuth(rc) },
    {},
    signal,
    ca,
  )
  const token = response.headers['x-subject-token']
  if (response.statusCode !== 201 || typeof token !== 'string') {
    throw new Error(
      `log-in as ${rc['OS_USERNAME']} answered ${response.statusCode}: ${JSON.stringify(body).slice(0, 300)}`,
    )
  }
  const service = containerEndpoint(body) ?? `${api}/container/v1`
  const headers = { 'x-auth-token': token }
  return {
    async container(question, signal) {
      const answer = await call(
        `${service}${question.path}`,
        question,
        { ...headers, 'openstack-api-version': 'container 1.40' },
        signal,
        ca,
      )
      return { status: answer.response.statusCode ?? 0, body: answer.body }
    },
    async joinToken(signal) {
      const { body } = await call(
        `${api}/v1/hosts/join-tokens`,
        { method: 'POST', path: '', body: {} },
        headers,
        signal,
        ca,
      )
      const { token } = body as { token?: unknown }
      if (typeof token !== 'string') throw new Error(`no join token was given: ${JSON.stringify(body).slice(0, 300)}`)
      return token
    },
    async *events(signal) {
      const response = await open(
        `${api}/v1/events`,
        { path: '' },
        { ...headers, accept: 'text/event-stream' },
        signal,
        ca,
      )
      if (response.statusCode !== 200) throw new Error(`the event stream answered ${response.statusCode}`)
      yield* eventData(response)
    },
  }
}

/** The `data:` lines of a server-sent event stream. */
export async function* eventData(stream: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  // Begins with an empty event: the stream is open from here on, so what happens later cannot be missed.
  yield ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = (lines.pop() ?? '').slice(-65_536)
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trim()
  }
}

function passwordAuth(rc: Openrc): unknown {
  const user = { name: rc['OS_USERNAME'], domain: domain(rc, 'OS_USER_DOMAIN'), password: rc['OS_PASSWORD'] }
  const project = { name: rc['OS_PROJECT_NAME'], domain: domain(rc, 'OS_PROJECT_DOMAIN') }
  return { auth: { identity: { methods: ['password'], password: { user } }, scope: { project } } }
}

function domain(rc: Openrc, prefix: string): { id: string } | { name: string } {
  const id = rc[`${prefix}_ID`]
  return id === undefined ? { name: rc[`${prefix}_NAME`] ?? 'Default' } : { id }
}

interface Catalog {
  token?: { catalog?: { type?: string; endpoints?: { interface?: string; url?: string }[] }[] }
}

function containerEndpoint(body: unknown): string | undefined {
  const service = (body as Catalog).token?.catalog?.find(({ type }) => type === 'container')
  return service?.endpoints?.find((endpoint) => endpoint.interface === 'public')?.url
}

type Headers = Readonly<Record<string, string>>

async function call(
  url: string,
  question: CloudRequest,
  headers: Headers,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<{ response: IncomingMessage; body: unknown }> {
  const response = await open(url, question, headers, signal, ca)
  return { response, body: parse(await text(response)) }
}

async function open(
  url: string,
  { method = 'GET', body }: CloudRequest,
  headers: Headers,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<IncomingMessage> {
  const json = body === undefined ? undefined : JSON.stringify(body)
  const send = url.startsWith('https:') ? requestTls : request
  return await new Promise((answer, failed) => {
    const outgoing = send(url, {
      method,
      agent: false,
      signal,
      // The cloud's own CA, off the loopback interface.
      ...(ca === undefined ? {} : { ca }),
      headers: { ...headers, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
    })
    outgoing.on('response', answer).on('error', failed).end(json)
  })
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
