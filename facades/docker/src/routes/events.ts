import { Readable } from 'node:stream'
import type { Activity } from '@gantry/control'
import { sendStream, streamSignal } from '@gantry/http'
import type { FastifyInstance } from 'fastify'
import type { DockerContext } from '../context.ts'
import { type Filters, filtersOf, matchesAny, matchesLabels } from '../filters.ts'
import { dockerId } from '../ids.ts'
import { momentOf } from '../moments.ts'

const filterKeys = [
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'plugin',
  'scope',
  'type',
  'volume',
] as const

interface Asked {
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

/** `GET /events`: what is done in the project; headers at once, then one JSON object each. */
export function eventRoutes(app: FastifyInstance, docker: DockerContext): void {
  app.get<Asked>('/events', { config: { streaming: true } }, async (request, reply) => {
    const { query } = request
    const filters = filtersOf(query['filters'], filterKeys)
    const now = docker.clock.now()
    const [since, until] = [momentOf(query['since'], now), momentOf(query['until'], now)]
    const span = {
      since: since === null ? null : since * 1000,
      // Both in the past: it is told, and that is all.
      until: until === null ? null : until * 1000,
    }
    const activities = docker.control.activity.watch(docker.callerOf(request), span, streamSignal(reply))
    const output = Readable.from(lines(activities, filters), { objectMode: false })
    await sendStream(reply, output, { 'content-type': 'application/json' })
    return reply
  })
}

async function* lines(activities: AsyncIterable<Activity>, filters: Filters): AsyncGenerator<string> {
  for await (const activity of activities) if (passes(activity, filters)) yield `${JSON.stringify(eventOf(activity))}\n`
}

function eventOf({ type, action, id, attributes, at }: Activity): Record<string, unknown> {
  const ID = type === 'container' || type === 'network' ? dockerId(id) : id
  const { execID } = attributes
  const Attributes = execID === undefined ? attributes : { ...attributes, execID: id.replaceAll('-', '') + execID }
  return {
    ...(type === 'container' && { status: action, id: ID, from: attributes['image'] ?? '' }),
    Type: type,
    Action: action,
    Actor: { ID, Attributes },
    scope: 'local',
    time: Math.floor(at / 1000),
    timeNano: Math.round(at * 1000) * 1000,
  }
}

function passes({ type, action, id, attributes }: Activity, filters: Filters): boolean {
  const isActor = (kind: Activity['type'], value: string) =>
    type === kind && (attributes['name'] === value.replace(/^\//, '') || dockerId(id).startsWith(value) || id === value)
  return (
    matchesAny(filters, 'type', (value) => value === type) &&
    matchesAny(filters, 'event', (value) => action === value || action.startsWith(`${value}:`)) &&
    matchesAny(filters, 'container', (value) => isActor('container', value)) &&
    matchesAny(filters, 'network', (value) => isActor('network', value)) &&
    matchesAny(filters, 'volume', (value) => isActor('volume', value)) &&
    matchesAny(filters, 'image', (value) => imageFits(type === 'image' ? id : attributes['image'], value)) &&
    matchesAny(filters, 'scope', (value) => value === 'local') &&
    matchesAny(filters, 'daemon', () => true) &&
    matchesAny(filters, 'plugin', () => false) &&
    matchesLabels(filters, attributes)
  )
}

function imageFits(image: string | undefined, asked: string): boolean {
  return image === asked || image?.split(':', 1)[0] === asked
}
