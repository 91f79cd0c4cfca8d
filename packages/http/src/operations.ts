import { reasonOf } from '@gantry/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Registry } from 'prom-client'
import { whoAsks } from './auth.ts'
import { createHttpMetrics, createRegistry, facadeOf, type HttpMetrics } from './metrics.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer lasts as long as its reader likes: kept out of the latency figures. */
    streaming?: boolean
    /** Answered every few seconds by design (probes): not worth a log line unless it fails. */
    quiet?: boolean
  }
}

/** Resolves when the part can do its work; rejects with a sentence when not. The signal ends after two seconds. */
export type ReadinessCheck = (signal: AbortSignal) => Promise<unknown>

export interface OperationsOptions {
  /** Where other rooms put their figures too; one of its own if left out. */
  readonly registry?: Registry
  /** Instead of `registry`: figures that other instances of the process are counted in as well. */
  readonly metrics?: HttpMetrics
  /** By name: `store`, `engines`, `relay` … */
  readonly readiness?: Readonly<Record<string, ReadinessCheck>>
}

export interface CheckResult {
  readonly ok: boolean
  readonly milliseconds: number
  readonly reason?: string
}

const checkLimitMs = 2000

/**
 * For the people who run the service: `/metrics`, `/healthz`, `/readyz`, one log line a request, request latencies.
 * Register it before the façades, on the root instance; its hooks apply to everything registered after it.
 */
async function addOperations(app: FastifyInstance, options: OperationsOptions): Promise<void> {
  const metrics = options.metrics ?? createHttpMetrics(options.registry ?? createRegistry())
  observe(app, metrics)
  const quiet = { config: { quiet: true }, schema: { hide: true } as object }
  app.get('/metrics', quiet, async (_request, reply) => {
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
  app.get('/healthz', quiet, async () => ({ status: 'ok' }))
  app.get('/readyz', quiet, async (_request, reply) => {
    const checks = await runChecks(options.readiness ?? {})
    const ready = Object.values(checks).every((check) => check.ok)
    return reply.code(ready ? 200 : 503).send({ ready, checks })
  })
}

/** The plugin form of `addOperations`; the symbol tells Fastify to let its hooks reach the whole instance. */
export const operations: typeof addOperations = Object.assign(addOperations, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'operations',
})

/** One log line a request and its latency, on the root of an instance that serves the one façade `only`, or several. */
export function observe(app: FastifyInstance, metrics: HttpMetrics, only?: string): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!request.routeOptions.config.streaming) return
    const facade = only ?? facadeOf(routeOf(request))
    metrics.streamOpened(facade)
    reply.raw.once('close', () => metrics.streamClosed(facade))
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = routeOf(request)
    const labels = { facade: only ?? facadeOf(route), route, method: request.method, status: reply.raw.statusCode }
    const streaming = request.routeOptions.config.streaming === true && labels.status < 400
    metrics.finished(labels, reply.elapsedTime / 1000, streaming)
    accessLine(request, reply, route)
  })
}

/** Fastify's child logger adds the request id. The query string is left out on purpose: it may carry a token or a command line. So are headers and bodies. */
function accessLine(request: FastifyRequest, reply: FastifyReply, route: string): void {
  const status = reply.raw.statusCode
  if (request.routeOptions.config.quiet === true && status < 400) return
  const caller = whoAsks(request)
  const line = {
    method: request.method,
    route,
    path: request.url.split('?', 1)[0],
    status,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    ...(caller ? { projectId: caller.projectId, userId: caller.userId } : {}),
    ...(reply.raw.writableFinished ? {} : { aborted: true }),
  }
  if (status >= 500) request.log.error(line, 'request')
  else request.log.info(line, 'request')
}

function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'unmatched'
}

/** Runs all checks at once; one that takes too long has failed. */
export async function runChecks(
  checks: Readonly<Record<string, ReadinessCheck>>,
): Promise<Record<string, CheckResult>> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<[string, CheckResult]> => [name, await runCheck(check)]),
  )
  return Object.fromEntries(results)
}

async function runCheck(check: ReadinessCheck): Promise<CheckResult> {
  const started = performance.now()
  const spent = (): number => Math.round(performance.now() - started)
  const signal = AbortSignal.timeout(checkLimitMs)
  try {
    await Promise.race([check(signal), refusedBy(signal)])
    return { ok: true, milliseconds: spent() }
  } catch (error) {
    return { ok: false, milliseconds: spent(), reason: reasonOf(error) }
  }
}

function refusedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${checkLimitMs / 1000} s`)), {
      once: true,
    })
  })
}
