import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { authenticate, createHttpApp, facadeOf, operations, type ReadinessCheck, runChecks } from './index.ts'

const caller = { userId: 'u1', projectId: 'p1' } as unknown as Caller

async function anApp(readiness: Record<string, ReadinessCheck> = {}) {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) })
  const app: FastifyInstance = createHttpApp({ log })
  const registry = new Registry()
  await app.register(operations, { registry, readiness })
  await app.register(
    async (v1) => {
      authenticate(v1, { verify: async () => caller })
      v1.get('/things/:id', async () => ({}))
      v1.get('/refused', async () => {
        throw Object.assign(new Fault('policy.forbidden'), { statusCode: 403 })
      })
      v1.get('/stream', { config: { streaming: true } }, async () => 'flows')
    },
    { prefix: '/v1' },
  )
  return { app, lines, registry }
}

const token = { 'x-auth-token': 'secret-token' }

test('latencies are kept by route pattern, never by id; streams apart', async () => {
  const { app } = await anApp()
  for (const id of ['one', 'two', 'three']) await app.inject({ url: `/v1/things/${id}`, headers: token })
  await app.inject({ url: '/v1/refused', headers: token })
  await app.inject({ url: '/v1/stream', headers: token })
  await app.inject({ url: '/no/such/route/12345' })
  const { body, headers } = await app.inject('/metrics')
  expect(headers['content-type']).toContain('text/plain')
  const labels = 'facade="native",route="/v1/things/:id",method="GET",status="200"'
  expect(body).toContain(`gantry_http_request_duration_seconds_count{${labels}} 3`)
  expect(body).toContain('route="/v1/refused",method="GET",status="403"')
  expect(body).toContain('gantry_http_streams_total{facade="native",route="/v1/stream",method="GET",status="200"} 1')
  expect(body).toContain('gantry_http_streams_open{facade="native"} 0')
  expect(body).not.toMatch(/duration_seconds_count\{[^}]*stream/)
  expect(body).toContain('route="unmatched"')
  expect(body).not.toMatch(/one|12345/)
})

test('one line a request, with the caller and without anything secret; probes are silent', async () => {
  const { app, lines } = await anApp()
  await app.inject({ url: '/v1/things/one?args=hush&token=hush', headers: token })
  await app.inject('/healthz')
  await app.inject('/metrics')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ method: 'GET', route: '/v1/things/:id', path: '/v1/things/one', status: 200 })
  expect(lines[0]).toMatchObject({ projectId: 'p1', requestId: expect.stringMatching(/^req-/), ms: expect.any(Number) })
  expect(JSON.stringify(lines)).not.toMatch(/hush|secret-token/)
})

test('readiness names the check that failed and why', async () => {
  const state = { store: true }
  const { app } = await anApp({
    store: async () => {
      if (!state.store) throw new Error('the database file cannot be written')
    },
    relay: async () => {},
  })
  expect((await app.inject('/readyz')).json()).toMatchObject({ ready: true })
  state.store = false
  const answer = await app.inject('/readyz')
  expect(answer.statusCode).toBe(503)
  const store = { ok: false, reason: 'the database file cannot be written' }
  expect(answer.json()).toMatchObject({ ready: false, checks: { store, relay: { ok: true } } })
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' })
})

test('a check that never answers has failed', async () => {
  const { slow } = await runChecks({ slow: () => new Promise(() => {}) })
  expect(slow).toMatchObject({ ok: false, reason: 'no answer within 2 s' })
})

test('a façade is known by the first segment of its routes', () => {
  expect(facadeOf('/identity/v3/auth/tokens')).toBe('keystone')
  expect(facadeOf('/container/v1/containers')).toBe('zun')
  expect(facadeOf('/constructor')).toBe('other')
  expect(facadeOf('unmatched')).toBe('other')
})
