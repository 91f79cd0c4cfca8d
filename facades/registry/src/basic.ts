import type { BasicLogin } from '@gantry/control'

/** User and password of a header `Authorization: Basic` (RFC 7617); null: there is none. */
export function parseBasic(header: string | undefined): BasicLogin | null {
  const encoded = /^Basic +([A-Za-z0-9+/_=-]+) *$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
