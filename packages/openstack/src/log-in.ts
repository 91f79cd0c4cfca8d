import { type Credential, logInBody } from './credential.ts'
import type { Answer, Context } from './call.ts'
import { answeredIdOf } from './call.ts'
import { refusalOf } from './error-message.ts'
import { OpenStackError } from './openstack-error.ts'
import { type TokenInfo, tokenInfo } from './token-info.ts'
import type { Sending, Transport } from './transport.ts'
import { splitVersion } from './versions.ts'

/** A token, with when it ends by our own clock (epoch milliseconds), and how long it was good for when it came. */
export interface Held {
  readonly token: string
  readonly info: TokenInfo
  readonly endsAt: number
  readonly lifeMs: number
}

/** Where Keystone's API is, from what people write into `OS_AUTH_URL`: with or without `/v3`. */
export function identityUrl(authUrl: string): URL {
  const url = new URL(authUrl)
  url.pathname = `${splitVersion(url).base}/v3`
  url.search = ''
  return url
}

/** A new token, or what is known of the given one. */
export async function logIn(
  transport: Transport,
  identity: URL,
  credential: Credential,
  context: Context,
): Promise<Held> {
  const given = credential.kind === 'given-token' ? credential : null
  if (given?.info?.catalog) return heldOf(transport, given.token, given.info, true)
  const url = new URL(`${identity.href}/auth/tokens`)
  const sending: Sending = given
    ? {
        service: 'identity',
        method: 'GET',
        url,
        headers: { 'x-auth-token': given.token, 'x-subject-token': given.token },
        body: null,
        mayRepeat: true,
      }
    : {
        service: 'identity',
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(logInBody(credential as Exclude<Credential, { kind: 'given-token' }>)),
        // A token that nobody uses harms nobody.
        mayRepeat: true,
      }
  const answer = await transport.ask(sending, context)
  const info = infoOf(sending, answer)
  const token = given?.token ?? answer.headers['x-subject-token']
  if (typeof token !== 'string') throw unreadable(sending, answer, 'it has no X-Subject-Token')
  return heldOf(transport, token, info, given !== null)
}

function infoOf(sending: Sending, answer: Answer): TokenInfo {
  const { status, headers, body } = answer
  if (status >= 300) {
    const { method, url } = sending
    const told = refusalOf(status, body)
    const answeredId = answeredIdOf(headers)
    throw new OpenStackError({
      failure: 'answer',
      service: 'identity',
      method,
      path: url.pathname,
      status,
      answeredId,
      ...told,
    })
  }
  const reading = tokenInfo.read(jsonOf(body))
  if ('problem' in reading) throw unreadable(sending, answer, reading.problem)
  return reading.value
}

function unreadable({ method, url }: Sending, { status, headers }: Answer, reason: string): OpenStackError {
  const answeredId = answeredIdOf(headers)
  return new OpenStackError({
    failure: 'unreadable',
    service: 'identity',
    method,
    path: url.pathname,
    status,
    answeredId,
    reason,
  })
}

function heldOf({ clock }: Transport, token: string, info: TokenInfo, isGiven: boolean): Held {
  const ends = Date.parse(info.expires_at)
  const now = clock.now()
  // A token that was issued just now says how long it lives, whatever Keystone's clock shows; a given one cannot.
  const lifeMs = isGiven ? ends - now : ends - Date.parse(info.issued_at)
  return { token, info, endsAt: now + lifeMs, lifeMs }
}

/** Undefined for what is not JSON. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
