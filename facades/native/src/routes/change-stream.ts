import { once } from 'node:events'
import { callerOf, streamSignal } from '@gantry/http'
import type { ChangePage, RecordedChange } from '@gantry/control'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { NativeContext } from '../context.ts'
import { isYes } from '../query.ts'
import type { ChangeView } from '../schemas-events.ts'
import { isoTime } from '../times.ts'
import { toHostView } from '../translate.ts'

export interface ChangesQuery {
  readonly since?: string
  readonly last?: number
  readonly types?: string
  readonly object?: string
  readonly follow?: string
  readonly allProjects?: string
  readonly hosts?: string
}

/** `GET /v1/events?since=CURSOR`: from a cursor on, each event with an `id:` that is the next cursor. */
export async function sendChanges(
  { control, heartbeatMs }: Pick<NativeContext, 'control' | 'heartbeatMs'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { since = 'now', last, types = '', object, follow, allProjects, hosts }: ChangesQuery,
): Promise<FastifyReply> {
  const signal = streamSignal(reply)
  const watch = {
    since,
    types: types.split(',').filter((type) => type !== ''),
    follow: isYes(follow, true),
    allProjects: isYes(allProjects),
    hosts: isYes(hosts),
    ...(last !== undefined && { last }),
    ...(object !== undefined && { objectId: object }),
  }
  const pages = control.events.changes(callerOf(request), watch, signal)
  // Two of them: the first only says where it begins, the second is refused if the cursor is too old.
  const first = [await pages.next(), ...(watch.follow ? [] : [await pages.next()])]
  reply.hijack()
  const { raw } = reply
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  const heartbeat = setInterval(() => raw.writableNeedDrain || raw.write(': still here\n\n'), heartbeatMs)
  const write = async (page: ChangePage) => {
    if (!raw.write(textOf(page))) await once(raw, 'drain', { signal })
  }
  try {
    for (const { done, value } of first) if (done !== true && value) await write(value)
    for await (const page of pages) await write(page)
    raw.end()
  } catch (error) {
    if (!signal.aborted) {
      request.log.warn({ err: error }, 'an event stream was cut off')
      raw.write(`event: error\ndata: ${JSON.stringify({ message: error instanceof Error ? error.message : '' })}\n\n`)
    }
    raw.destroy()
  } finally {
    clearInterval(heartbeat)
    await pages.return(undefined)
  }
  return reply
}

/** HTML Living Standard §9.2. A cursor without changes is told too, so that a client resumes without reading all again. */
function textOf({ changes, next, hosts }: ChangePage): string {
  const blocks = changes.map(
    (change) => `id: ${change.cursor}\nevent: change\ndata: ${JSON.stringify(toChangeView(change))}\n\n`,
  )
  // Without an id: who comes back is told of all hosts anew.
  if (hosts) blocks.push(`event: hosts\ndata: ${JSON.stringify({ hosts: hosts.map(toHostView) })}\n\n`)
  return `${blocks.join('')}id: ${next}\nevent: cursor\ndata: ${JSON.stringify({ cursor: next })}\n\n`
}

function toChangeView({ number, at, ...change }: RecordedChange): ChangeView {
  return { ...change, id: `evt_${number}`, at: isoTime(at) }
}
