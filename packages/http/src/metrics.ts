import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What is measured of requests. Labels are bounded: never an id, a name, or a raw path. */
export interface HttpMetrics {
  readonly registry: Registry
  /** Counts a finished request. `seconds` runs from its first byte in to its last byte out. */
  finished(labels: RequestLabels, seconds: number, streaming: boolean): void
  streamOpened(facade: string): void
  streamClosed(facade: string): void
}

export interface RequestLabels {
  readonly facade: string
  /** The route's pattern, as `/v1/containers/:ref`. */
  readonly route: string
  readonly method: string
  readonly status: number
}

/** A registry with the process's own figures (memory, CPU, event loop delay). One a process. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

/**
 * Streams (logs, exec, events) last as long as their reader likes; they are counted apart, so that they do not drown the
 * latencies of ordinary requests.
 */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry]
  const latency = new Histogram({
    name: 'gantry_http_request_duration_seconds',
    help: 'Time from request to complete answer, streams excluded.',
    labelNames: ['facade', 'route', 'method', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const streams = new Counter({
    name: 'gantry_http_streams_total',
    help: 'Streamed answers that have ended.',
    labelNames: ['facade', 'route', 'method', 'status'],
    registers,
  })
  const open = new Gauge({
    name: 'gantry_http_streams_open',
    help: 'Streamed answers under way.',
    labelNames: ['facade'],
    registers,
  })
  return {
    registry,
    finished: (labels, seconds, streaming) => {
      const text = { ...labels, status: String(labels.status) }
      if (streaming) streams.inc(text)
      else latency.observe(text, seconds)
    },
    streamOpened: (facade) => open.inc({ facade }),
    streamClosed: (facade) => open.dec({ facade }),
  }
}

const facades: Readonly<Record<string, string>> = {
  v1: 'native',
  'openapi.json': 'native',
  identity: 'keystone',
  container: 'zun',
  docker: 'docker',
  'container-infra': 'magnum',
  image: 'glance',
  orchestration: 'heat',
  v2: 'registry',
  metrics: 'operations',
  healthz: 'operations',
  readyz: 'operations',
}

/** The façade a route pattern belongs to, by its first path segment. */
export function facadeOf(route: string): string {
  const first = route.split('/', 2)[1] ?? ''
  return Object.hasOwn(facades, first) ? (facades[first] ?? 'other') : 'other'
}
