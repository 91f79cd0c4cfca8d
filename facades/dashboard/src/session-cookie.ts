import { timingSafeEqual } from 'node:crypto'
import type { Secrets } from '@gantry/control'
import type { Clock } from '@gantry/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What a browser carries sealed: no server keeps a list of sessions, and any server of the cloud can open one. */
export interface Session {
  readonly token: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly csrf: string
}

export interface SessionCookies {
  read(request: FastifyRequest): Session | null
  write(reply: FastifyReply, session: Session): void
  clear(reply: FastifyReply): void
}

/** `secure`: the server speaks TLS itself or stands behind who does; the name then binds the cookie to this host (RFC 6265bis, 4.1.3). */
export function sessionCookies(secrets: Secrets, clock: Clock, secure: boolean): SessionCookies {
  const name = secure ? '__Host-gantry' : 'gantry'
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  return {
    read({ headers: { cookie = '' } }) {
      const sealed = valueOf(cookie, name)
      if (sealed === undefined) return null
      const session = opened(secrets, sealed)
      return session && session.expiresAt > clock.now() ? session : null
    },
    write(reply, session) {
      const seconds = Math.max(0, Math.floor((session.expiresAt - clock.now()) / 1000))
      const sealed = encodeURIComponent(secrets.seal(JSON.stringify(session)))
      reply.header('set-cookie', `${name}=${sealed}; ${attributes}; Max-Age=${seconds}`)
    },
    clear(reply) {
      reply.header('set-cookie', `${name}=; ${attributes}; Max-Age=0`)
    },
  }
}

/** Compares without telling by time how much was right. */
export function sameSecret(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function valueOf(cookie: string, name: string): string | undefined {
  for (const part of cookie.split(';')) {
    const [key = '', ...value] = part.split('=')
    if (key.trim() === name) return value.join('=').trim()
  }
  return undefined
}

/** null for anything that this cloud did not seal. */
function opened(secrets: Secrets, sealed: string): Session | null {
  try {
    const { token, expiresAt, csrf } = JSON.parse(secrets.open(decodeURIComponent(sealed))) as Partial<Session>
    if (typeof token !== 'string' || typeof expiresAt !== 'number' || typeof csrf !== 'string') return null
    return { token, expiresAt, csrf }
  } catch {
    return null
  }
}
