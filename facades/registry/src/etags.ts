import type { FastifyRequest } from 'fastify'

/** Content is known by its digest, so that is its tag. */
export function etagOf(digest: string): string {
  return `"${digest}"`
}

/** Whether the client has it already: `If-None-Match` (RFC 9110, 13.1.2). */
export function isUnchanged({ headers }: FastifyRequest, etag: string): boolean {
  const known = headers['if-none-match']
  if (known === undefined) return false
  return known.split(',').some((each) => each.trim().replace(/^W\//, '') === etag || each.trim() === '*')
}
