import { once } from 'node:events'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { callerOf, streamSignal } from '@gantry/http'
import type { ContainerEvent } from '@gantry/control'
import Type from 'typebox'
import type { App, NativeContext } from '../context.ts'
import { flowing, operation } from '../operation.ts'
import { bounded, flag, isYes, text, whole } from '../query.ts'
import { toEventView } from '../translate.ts'
import { sendChanges } from './change-stream.ts'

const EventsQuery = Type.Object(
  {
    allProjects: flag('Of every project; administrators only.'),
    since: text(
      'A cursor, `now`, or `0` for all that is kept: what was written down of changes, in order, without gaps.',
    ),
    last: whole('Instead of `since`: begins with the newest so many (1 to 200).'),
    types: text('With `since`: exact types, or `container.*`; several with commas.', 2048),
    object: text('With `since`: of this object only, by its id.'),
    hosts: flag(
      'With `since`: also changes of hosts and, as `event: hosts`, those hosts that are or carry something else than was told; administrators only.',
    ),
    follow: flag('With `since`: false ends the stream with the last change that there is.'),
  },
  { additionalProperties: false },
)

/** `GET /v1/events`: server-sent events. Once the headers are out, nothing that happens is missed. */
export function eventRoutes(app: App, { control, heartbeatMs }: NativeContext): void {
  app.get('/events', { schema: eventsDoc, ...flowing }, async (request, reply) => {
    const resumed = lastEventId(request.headers)
    const since = resumed ?? request.query.since
    const last = resumed === undefined ? lastOf(request.query.last) : {}
    if (since !== undefined || 'last' in last) {
      const { last: _text, ...query } = request.query
      return sendChanges({ control, heartbeatMs }, request, reply, { ...query, ...last, since: since ?? 'now' })
    }
    const signal = streamSignal(reply)
    const allProjects = isYes(request.query.allProjects)
    const events = control.events.watch(callerOf(request), { allProjects }, signal)[Symbol.asyncIterator]()
    // Asking for the first event subscribes; a refusal comes at once and is still answered with its own status.
    const first = events.next()
    await Promise.race([first, setImmediate()])
    reply.hijack()
    const { raw } = reply
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    raw.write(': watching\n\n')
    // A reader that does not read gets no heartbeats either, so that nothing piles up for it.
    const heartbeat = setInterval(() => raw.writableNeedDrain || raw.write(': still here\n\n'), heartbeatMs)
    try {
      await forward(first, events, raw, signal)
      raw.end()
    } catch (error) {
      if (!signal.aborted) request.log.warn({ err: error }, 'an event stream was cut off')
      raw.destroy()
    } finally {
      clearInterval(heartbeat)
      await events.return?.()
    }
    return reply
  })
}

function lastOf(text: string | undefined): { readonly last?: number } {
  return text === undefined ? {} : { last: bounded('last', text, 1, [1, 200]) }
}

/** What an `EventSource` that reconnects says it has read (HTML Living Standard §9.2). */
function lastEventId({ 'last-event-id': id }: IncomingHttpHeaders): string | undefined {
  return typeof id === 'string' && id !== '' ? id : undefined
}

async function forward(
  first: Promise<IteratorResult<ContainerEvent>>,
  events: AsyncIterator<ContainerEvent>,
  raw: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  for (let step = await first; step.done !== true; step = await events.next()) {
    const data = JSON.stringify(toEventView(step.value))
    if (!raw.write(`event: container\ndata: ${data}\n\n`)) await once(raw, 'drain', { signal })
  }
}

const eventsDoc = operation({
  operationId: 'watchEvents',
  summary: 'Watch what happens to containers, as server-sent events',
  description:
    'Without `since`: from now on, each `data:` an Event; what happens while nobody listens is missed. With `since`: each `data:` is a Change and its `id:` the cursor to go on from, on any server; `event: cursor` tells one where nothing changed, `event: hosts` what hosts have become. A comment comes now and then to keep the connection alive.',
  tag: 'events',
  querystring: EventsQuery,
  answer: { status: 200, description: 'The events.', content: ['text/event-stream'] },
})
