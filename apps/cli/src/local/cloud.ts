import { readFileSync } from 'node:fs'
import { authUrlOf, identityOf, readCa } from '../client/credentials.ts'
import { dataOf } from '../client/events.ts'
import { bodyOf, type Call, httpClient } from '../client/http.ts'
import { fetchToken } from '../client/keystone.ts'
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
  const ca = rc['OS_CACERT'] === undefined ? undefined : await readCa(rc['OS_CACERT'])
  const authUrl = authUrlOf(rc['OS_AUTH_URL'] ?? `${api}/identity`)
  const { token, containerUrl } = await fetchToken(authUrl, identityOf(rc, 'The openrc file'), ca, signal)
  const zun = await httpClient({ url: containerUrl ?? `${api}/container/v1`, ca })
  const native = await httpClient({ url: api, ca })
  const headers = { 'x-auth-token': token }
  return {
    async container({ method = 'GET', path, body: json }, signal) {
      const call: Call = { method, path, headers: { ...headers, 'openstack-api-version': 'container 1.40' }, signal }
      const answer = await zun.open(json === undefined ? call : { ...call, json })
      return { status: answer.statusCode ?? 0, body: await bodyOf(answer) }
    },
    async joinToken(signal) {
      const answer = await native.open({ method: 'POST', path: '/v1/hosts/join-tokens', json: {}, headers, signal })
      const body = await bodyOf(answer)
      const { token } = (body ?? {}) as { token?: unknown }
      if (typeof token !== 'string') throw new Error(`no join token was given: ${JSON.stringify(body)?.slice(0, 300)}`)
      return token
    },
    async *events(signal) {
      const accept = { ...headers, accept: 'text/event-stream' }
      const response = await native.open({ path: '/v1/events', headers: accept, signal })
      if (response.statusCode !== 200) throw new Error(`the event stream answered ${response.statusCode}`)
      yield* eventData(response)
    },
  }
}

/** The `data:` lines of a server-sent event stream, after an empty one: the stream is open from there on. */
export async function* eventData(stream: AsyncIterable<Buffer>): AsyncIterable<string> {
  // What happens after this one cannot be missed.
  yield ''
  yield* dataOf(stream)
}
