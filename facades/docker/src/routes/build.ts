import type { BuildRequest } from '@gantry/control'
import { streamSignal } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import type { DockerContext } from '../context.ts'
import { isTrue } from '../filters.ts'
import { checkPlatform, listIn, type Query, sendFlow, tarOf, textIn } from '../image-query.ts'
import { loginsOf } from '../registry-logins.ts'

interface Asked {
  readonly Querystring: Query
}

const bytesPerMib = 1024 * 1024
const usualPeriod = 100_000

/** `POST /build`: the classic builder's. */
export function buildRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { engineImages, policy } = docker.control
  app.post<Asked>('/build', { config: { streaming: true } }, async (request, reply) => {
    const caller = docker.callerOf(request)
    const { query, headers } = request
    policy.judge(caller, { kind: 'build', options: query })
    checkPlatform(textIn(query, 'platform'))
    const asked = { ...buildOf(query), logins: loginsOf(headers['x-registry-config']) }
    const output = await engineImages.build(caller, tarOf(request), asked, streamSignal(reply))
    return sendFlow(reply, output)
  })
  // Steps are kept within a bound of their own; nobody has to tidy up.
  app.post('/build/prune', () => ({ CachesDeleted: [], SpaceReclaimed: 0 }))
}

/** The query in the words of the core. Throws `request.invalid`. */
export function buildOf(query: Query): BuildRequest {
  const quota = numberIn(query, 'cpuquota')
  const memory = numberIn(query, 'memory')
  const network = textIn(query, 'networkmode')
  return {
    dockerfile: textIn(query, 'dockerfile') || 'Dockerfile',
    names: listIn(query, 't'),
    target: textIn(query, 'target'),
    buildArgs: mapIn(query, 'buildargs'),
    labels: mapIn(query, 'labels'),
    extraHosts: hostsIn(query),
    noCache: isTrue(query['nocache']),
    quiet: isTrue(query['q']),
    pull: isTrue(query['pull']),
    cpu: quota > 0 ? quota / (numberIn(query, 'cpuperiod') || usualPeriod) : null,
    memory: memory > 0 ? Math.ceil(memory / bytesPerMib) : null,
    shmSize: numberIn(query, 'shmsize'),
    network: ['', 'default', 'bridge'].includes(network) ? null : network,
    logins: [],
  }
}

function numberIn(query: Query, key: string): number {
  const text = textIn(query, key)
  const value = Number(text)
  if (text !== '' && !Number.isFinite(value)) throw invalid(`${key} must be a number`)
  return Math.max(0, value)
}

/** JSON of strings; an argument without a value (null) is one that its client has not. */
function mapIn(query: Query, key: string): Record<string, string> {
  const value = jsonIn(query, key)
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(`${key} must be a JSON object`)
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, text]: [string, unknown]) =>
      typeof text === 'string' ? [[name, text]] : [],
    ),
  )
}

/** `name:address`, as JSON or one after another. */
function hostsIn(query: Query): string[] {
  const all = listIn(query, 'extrahosts')
  const [first = ''] = all
  if (!first.startsWith('['))
    return all.flatMap((text) => text.split(',')).filter((text) => text !== '' && text !== 'null')
  const value = jsonIn(query, 'extrahosts')
  return Array.isArray(value) ? value.map(String) : []
}

function jsonIn(query: Query, key: string): unknown {
  const text = textIn(query, key)
  if (text === '') return null
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw invalid(`${key} must be JSON`)
  }
}

function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}
