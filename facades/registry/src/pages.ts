import type { NamePage } from '@gantry/control'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendErrors } from './errors.ts'

/** Names in one answer, when nobody asks for fewer. */
const mostNames = 1000

/**
 * Answers `{ ...head, [key]: names }` with one page of names, as `n` and `last` ask for it, and where the next one is
 * (distribution spec, "Listing Tags"). `list` gives as many names as it is asked for, if there are.
 */
export async function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    key,
    head = {},
    list,
  }: {
    readonly key: string
    readonly head?: Readonly<Record<string, string>>
    readonly list: (page: NamePage) => Promise<readonly string[]>
  },
): Promise<FastifyReply> {
  const [path = '', queryText = ''] = request.url.split('?', 2)
  const query = new URLSearchParams(queryText)
  const wanted = query.get('n')
  if (wanted !== null && !/^\d{1,9}$/.test(wanted)) {
    return sendErrors(reply, 400, 'PAGINATION_NUMBER_INVALID', 'n must be a number of names.')
  }
  const limit = Math.min(Number(wanted ?? mostNames), mostNames)
  const after = query.get('last')
  // One more than wanted shows whether anything follows.
  const names = await list({ after: after === '' ? null : after, limit: limit + 1 })
  const shown = names.slice(0, limit)
  const last = shown.at(-1)
  if (names.length > limit && last !== undefined) {
    const next = new URLSearchParams({ last, n: String(limit) })
    reply.header('link', `<${path}?${next.toString()}>; rel="next"`)
  }
  return reply.header('content-type', 'application/json').send(JSON.stringify({ ...head, [key]: shown }))
}
