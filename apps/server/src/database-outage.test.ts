import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunningServer } from './start-server.ts'
import { type ServersWorld, serversWorld, type WireHost } from './testing/many-servers-world.ts'

let world: ServersWorld
let server: RunningServer
let host: WireHost

beforeAll(async () => {
  world = await serversWorld()
  server = await world.start()
  host = await world.host('h1', server)
}, 60_000)
afterAll(() => world[Symbol.asyncDispose]())

interface View {
  readonly id: string
  readonly status: string
}

const statusOf = async (id: string) => (await world.json<View>(server, `/v1/containers/${id}`)).status
const soon = { timeout: 15_000, interval: 100 }

/** One question to the database in each façade's words. */
const questions: [string, string, unknown?][] = [
  ['GET', '/v1/containers'],
  ['POST', '/v1/containers', { name: 'other', image: 'busybox', run: true, unplugged: true }],
  ['GET', '/container/v1/containers'],
  ['POST', '/container/v1/containers', { name: 'other', image: 'busybox' }],
  ['GET', '/docker/v1.43/containers/json'],
  ['GET', '/image/v2/images'],
  ['GET', '/v2/demo/thing/manifests/latest'],
  ['GET', '/identity/v3/auth/projects'],
]

test('while the database is away every façade says so, and what hosts report meanwhile is written when it is back', async () => {
  const spec = { name: 'web', image: 'busybox', run: true, command: ['sleep', '1000'], unplugged: true }
  const { id } = (await (await world.ask(server, 'POST', '/v1/containers', spec)).json()) as View
  await expect.poll(() => statusOf(id), soon).toBe('Running')

  const { projects } = await world.json<{ projects: [{ id: string }] }>(server, '/identity/v3/auth/projects')
  const headers = { 'x-auth-token': await world.token('demo'), 'x-auth-project-id': projects[0].id }
  const ask = (method: string, path: string, body?: unknown) =>
    fetch(`${server.api}${path}`, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  await world.postgres.kill()
  for (const [method, path, body] of questions) {
    const answer = await ask(method, path, body)
    const said = { asked: `${method} ${path}`, status: answer.status, later: answer.headers.get('retry-after') }
    expect(said).toEqual({ asked: `${method} ${path}`, status: 503, later: '1' })
  }
  expect((await fetch(`${server.api}/readyz`)).status).toBe(503)
  expect((await fetch(`${server.api}/healthz`)).status).toBe(200)
  const [engine] = [...host.engine.values()]
  if (!engine) throw new Error('the host has no container')
  host.report(id as never, { engine: { ...engine, state: 'exited', exitCode: 3 }, settled: 1 })

  await world.postgres.start()
  await expect.poll(() => statusOf(id).catch(() => 'away'), soon).toBe('Stopped')
  await expect.poll(async () => (await fetch(`${server.api}/readyz`)).status, soon).toBe(200)
}, 60_000)
