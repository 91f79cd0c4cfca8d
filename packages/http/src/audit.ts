import type { IncomingMessage } from 'node:http'
import type { AuditRecord } from '@gantry/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { whoAsks } from './auth.ts'
import { facadeOf } from './metrics.ts'
import { isYes } from './yes.ts'

export type AuditWriter = (record: AuditRecord) => void

/** Reads that were refused for one of these are told too. */
const refusals: ReadonlySet<number> = new Set([401, 403, 413, 429])
const changing: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const longestText = 256

export interface AuditOptions {
  /** The server's own name. */
  readonly observer: string
  readonly write: AuditWriter
  readonly now: () => number
  /** Of an instance that serves one façade alone. */
  readonly facade?: string
}

/** Tells of every call that changes something, or is refused, whichever façade it goes to. For the root instance, before the façades. */
export function audit(app: FastifyInstance, options: AuditOptions): void {
  const told = new WeakSet<FastifyRequest>()
  const tell = (request: FastifyRequest, status: number) => {
    if (told.has(request) || (!changes(request) && !refusals.has(status))) return
    told.add(request)
    options.write(recordOf(request, status, options))
  }
  // Before anybody has the answer.
  app.addHook('onSend', async (request, reply) => tell(request, reply.statusCode))
  // Streams are answered past the hook before.
  app.addHook('onResponse', async (request, reply) => tell(request, reply.raw.statusCode))
  // Terminals and streams leave HTTP before anybody answers: what becomes of them is in the actions and the log.
  const server = app.server
  server.on('upgrade', (request: IncomingMessage) => options.write(upgradeRecord(request, options)))
}

function recordOf(request: FastifyRequest, status: number, { observer, now, facade }: AuditOptions): AuditRecord {
  const route = request.routeOptions.url ?? 'unmatched'
  const caller = whoAsks(request)
  return {
    ...common(observer, now()),
    id: request.id,
    action: isRehearsal(request) ? 'evaluate' : actionOf(request.method, route),
    outcome: status === 202 ? 'pending' : status < 400 ? 'success' : 'failure',
    reason: { reasonType: 'HTTP', reasonCode: String(status) },
    initiator: {
      typeURI: 'service/security/account/user',
      id: caller?.userId ?? 'unknown',
      name: caller?.userName ?? null,
      project_id: caller?.projectId ?? null,
      host: { address: request.socket.remoteAddress ?? '', agent: agentOf(request.headers) },
    },
    target: {
      typeURI: `service/${facade ?? facadeOf(route)}`,
      id: targetOf(request.params),
      name: route,
    },
    requestPath: pathOf(request.url),
  }
}

function upgradeRecord(request: IncomingMessage, { observer, now, facade }: AuditOptions): AuditRecord {
  const path = pathOf(request.url ?? '/')
  return {
    ...common(observer, now()),
    id: 'unknown',
    action: 'connect',
    outcome: 'unknown',
    reason: { reasonType: 'HTTP', reasonCode: '101' },
    initiator: {
      typeURI: 'service/security/account/user',
      id: 'unknown',
      name: null,
      project_id: null,
      host: { address: request.socket.remoteAddress ?? '', agent: agentOf(request.headers) },
    },
    target: { typeURI: `service/${facade ?? facadeOf(path)}`, id: 'unknown', name: 'stream' },
    requestPath: path,
  }
}

function common(observer: string, now: number) {
  return {
    typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
    eventType: 'activity',
    eventTime: new Date(now).toISOString(),
    observer: { typeURI: 'service/compute', id: observer },
  } as const
}

function changes(request: FastifyRequest): boolean {
  return changing.has(request.method) && !isRehearsal(request)
}

/** It asks what would be answered, and changes nothing. A form asks so while one types. */
function isRehearsal({ query }: FastifyRequest): boolean {
  const { dryRun } = (query ?? {}) as { readonly dryRun?: unknown }
  return typeof dryRun === 'string' && isYes(dryRun)
}

/** CADF's taxonomy of actions, as far as a method and a path tell. */
function actionOf(method: string, route: string): string {
  const isLogIn = /\/auth(\/tokens)?$|\/token$/.test(route) || (route === '/ui/session' && method !== 'GET')
  if (isLogIn) return method === 'DELETE' ? 'revoke' : 'authenticate'
  if (method === 'DELETE') return 'delete'
  if (method === 'PUT' || method === 'PATCH') return 'update'
  if (method !== 'POST') return 'read'
  const verb = /\/:[a-zA-Z]+\/([a-z-]+)$/.exec(route)?.[1]
  return verb === undefined ? 'create' : `update/${verb}`
}

/** The names in the path: ids or names, never secrets. */
function targetOf(params: unknown): string {
  if (typeof params !== 'object' || params === null) return 'unknown'
  const parts = Object.values(params).filter((part) => typeof part === 'string' && part !== '')
  return parts.length === 0 ? 'unknown' : parts.join('/').slice(0, longestText)
}

function pathOf(url: string): string {
  return (url.split('?', 1)[0] ?? '').slice(0, longestText)
}

function agentOf({ 'user-agent': agent = '' }: IncomingMessage['headers']): string {
  return agent.slice(0, longestText)
}
