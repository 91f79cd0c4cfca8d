import { answeredIdOf, type Answer, type Call, type Context, queryText, type StreamAnswer } from './call.ts'
import type { Credential } from './credential.ts'
import type { Directory, Place } from './directory.ts'
import { refusalOf } from './error-message.ts'
import { type Held, logIn } from './log-in.ts'
import { OpenStackError } from './openstack-error.ts'
import { isIdempotent } from './repeat-policy.ts'
import type { ServiceKind } from './service-kind.ts'
import type { TokenInfo } from './token-info.ts'
import { tokenKeeper } from './token-keeper.ts'
import type { Sending, Transport } from './transport.ts'

/** One identity in one scope, at all services of the cloud. Everything throws `OpenStackError`. */
export interface Session {
  /** Who this is, what for, and the catalog. */
  info(context: Context): Promise<TokenInfo>
  /** The token itself, to be shown to a service by somebody else. It is a secret. */
  token(context: Context): Promise<string>
  /** Where a service is; calls go to paths below it. */
  endpoint(kind: ServiceKind, context: Context): Promise<URL>
  /** The answer to a call, of a status below 300. */
  ask(kind: ServiceKind, call: Call, context: Context): Promise<Answer>
  /** The same, with its body to be read as a stream. */
  stream(kind: ServiceKind, call: Call, context: Context): Promise<StreamAnswer>
}

export interface SessionParts {
  readonly transport: Transport
  readonly identity: URL
  readonly directory: Directory
  /** Ends with the cloud. */
  readonly lifetime: AbortSignal
}

/** Bytes of an error's body that are looked at. */
const mostOfRefusal = 64 * 1024

export function createSession(
  { transport, identity, directory, lifetime }: SessionParts,
  credential: Credential,
): Session {
  const keeper = tokenKeeper({
    clock: transport.clock,
    isRenewable: credential.kind !== 'given-token',
    logIn: () => logIn(transport, identity, credential, { signal: lifetime }),
  })

  const placeOf = (kind: ServiceKind, { info, token }: Held, context: Context) =>
    directory.placeOf(kind, { catalog: info.catalog ?? [], token }, context)

  async function authorised<T extends { readonly status: number }>(
    kind: ServiceKind,
    call: Call,
    context: Context,
    send: (sending: Sending) => Promise<T>,
    discard: (answer: T) => unknown,
  ): Promise<T> {
    const held = await keeper.held(context)
    const answer = await send(sendingOf(kind, call, held, await placeOf(kind, held, context)))
    // Revoked, or Keystone has lost its keys: whoever is refused did nothing yet, so any call may be sent again.
    if (answer.status !== 401 || !keeper.refused(held.token) || call.content?.canReopen === false) return answer
    discard(answer)
    const next = await keeper.held(context)
    return send(sendingOf(kind, call, next, await placeOf(kind, next, context)))
  }

  return {
    info: async (context) => (await keeper.held(context)).info,
    token: async (context) => (await keeper.held(context)).token,
    endpoint: async (kind, context) => (await placeOf(kind, await keeper.held(context), context)).url,
    async ask(kind, call, context) {
      const send = (sending: Sending) => transport.ask(sending, context)
      const answer = await authorised(kind, call, context, send, () => undefined)
      if (answer.status >= 300) throw refused(kind, call, answer, answer.body)
      return answer
    },
    async stream(kind, call, context) {
      const send = (sending: Sending) => transport.stream(sending, context)
      const answer = await authorised(kind, call, context, send, ({ body }) =>
        body.on('error', () => undefined).destroy(),
      )
      if (answer.status >= 300) throw refused(kind, call, answer, await beginningOf(answer))
      return answer
    },
  }
}

function sendingOf({ name }: ServiceKind, call: Call, { token }: Held, place: Place): Sending {
  const { method, path, query, headers, json, content, withinMs } = call
  const url = new URL(`${place.url.href.replace(/\/$/, '')}${path}${queryText(query)}`)
  // A token is for the cloud; nothing that a caller or a service names leads elsewhere.
  if (url.origin !== place.url.origin) throw new Error(`${path} leaves ${place.url.origin}.`)
  const type = content ? 'application/octet-stream' : 'application/json'
  const hasBody = content !== undefined || json !== undefined
  return {
    service: name,
    method,
    url,
    headers: { 'x-auth-token': token, ...(hasBody && { 'content-type': type }), ...place.headers, ...headers },
    body: content ?? (json === undefined ? null : JSON.stringify(json)),
    // What was cut off in the middle leaves a half behind that only its caller can judge.
    mayRepeat: call.mayRepeat ?? (isIdempotent(method) && !content),
    withinMs,
  }
}

function refused(
  { name }: ServiceKind,
  { method, path }: Call,
  { status, headers }: Omit<StreamAnswer, 'body'>,
  body: Buffer,
): OpenStackError {
  const told = refusalOf(status, body)
  return new OpenStackError({
    failure: 'answer',
    service: name,
    method,
    path,
    status,
    answeredId: answeredIdOf(headers),
    ...told,
  })
}

async function beginningOf({ body }: StreamAnswer): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part)
      size += part.length
      if (size > mostOfRefusal) break
    }
  } catch {
    // Half a reason is better than none.
  }
  return Buffer.concat(parts)
}
