import { baseUrl } from '@gantry/http'
import type { FastifyRequest } from 'fastify'
import type { Zun } from './context.ts'

/** Under the façade's prefix. */
export const consolePath = '/console'

export interface ConsoleKey {
  readonly token: string
  readonly containerId: string
  /** null: the container's own terminal. */
  readonly execId: string | null
}

/**
 * Where a client connects, at the address that it used for this request. The port is always spelt out, because zunclient
 * builds its Origin from it.
 */
export function consoleUrl(zun: Zun, request: FastifyRequest, { token, containerId, execId }: ConsoleKey): string {
  const base = baseUrl(request)
  const secure = base.startsWith('https:')
  const address = base.replace(/^https?:\/\//, '')
  const withPort = /:\d+$/.test(address) ? address : `${address}:${secure ? 443 : 80}`
  const query = new URLSearchParams({ token, uuid: containerId, ...(execId === null ? {} : { exec_id: execId }) })
  return `${secure ? 'wss' : 'ws'}://${withPort}${zun.prefix}${consolePath}/?${query.toString()}`
}

/** What the query of such an address says; null when a part is missing. */
export function consoleKeyOf(url: string): ConsoleKey | null {
  const query = new URLSearchParams(url.replace(/^[^?]*\??/, ''))
  const [token, containerId, execId] = [query.get('token'), query.get('uuid'), query.get('exec_id')]
  return token && containerId ? { token, containerId, execId } : null
}

/**
 * Whether a page of this origin may open a session. Programs send none, or (zunclient) one made of the address they
 * connect to, at times with the word None for its port, which is no valid URL.
 */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true
  if (allowed.some((one) => one.replace(/\/$/, '').toLowerCase() === origin.toLowerCase())) return true
  const theirs = /^(https?):\/\/(\[[^\]]+\]|[^/:]+)(?::([^/]*))?$/i.exec(origin)
  const ours = /^(\[[^\]]+\]|[^/:]+)(?::(\d+))?$/.exec(host ?? '')
  if (!theirs || !ours || theirs[2]?.toLowerCase() !== ours[1]?.toLowerCase()) return false
  if (theirs[3] === 'None') return true
  const usual = theirs[1]?.toLowerCase() === 'https' ? '443' : '80'
  return (theirs[3] ?? usual) === (ours[2] ?? usual)
}
