import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunningServer } from './start-server.ts'
import { type ServersWorld, serversWorld, type WireHost } from './testing/many-servers-world.ts'

let world: ServersWorld
let one: RunningServer
let two: RunningServer
let host: WireHost

beforeAll(async () => {
  world = await serversWorld()
  one = await world.start()
  two = await world.start()
  host = await world.host('h1', one)
}, 60_000)
afterAll(() => world[Symbol.asyncDispose]())

interface View {
  readonly id: string
  readonly status: string
}

async function until<T>(look: () => Promise<T>, ready: (seen: T) => boolean, ms = 10_000): Promise<T> {
  for (const end = Date.now() + ms; ; ) {
    const seen = await look()
    if (ready(seen)) return seen
    if (Date.now() > end) throw new Error(`waited in vain; the last look: ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function create(server: RunningServer, name: string): Promise<View> {
  const spec = { name, image: 'busybox', run: true, command: ['sleep', '1000'], unplugged: true }
  const answer = await world.ask(server, 'POST', '/v1/containers', spec)
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as View
}
const running = (server: RunningServer, id: string) =>
  until(
    () => world.json<View>(server, `/v1/containers/${id}`),
    ({ status }) => status === 'Running',
  )

test('a container that one server takes runs on a host of another, and both say so', async () => {
  const { id } = await create(two, 'web')
  await running(one, id)
  await running(two, id)
  const { servers } = await world.json<{ servers: { hosts: number; isThis: boolean }[] }>(two, '/v1/servers', 'admin')
  expect(servers.map(({ hosts, isThis }) => [hosts, isThis])).toEqual([
    [1, false],
    [0, true],
  ])
  const hosts = await world.json<{ hosts: { connected: boolean }[] }>(two, '/v1/hosts', 'admin')
  expect(hosts.hosts.map(({ connected }) => connected)).toEqual([true])
})

test('streams of a container come through any server', async () => {
  const { id } = await create(one, 'talker')
  await running(one, id)
  for (const server of [one, two]) {
    const answer = await world.ask(server, 'GET', `/v1/containers/${id}/logs`)
    expect(await answer.text()).toContain('hello')
  }
})

test('what happens by one server is heard by watchers of all', async () => {
  const events: string[] = []
  const answer = await world.ask(two, 'GET', '/v1/events')
  const reader = answer.body?.getReader()
  if (!reader) throw new Error('no events')
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      events.push(Buffer.from(value).toString())
    }
  })().catch(() => undefined)
  const { id } = await create(one, 'heard')
  await running(one, id)
  await until(
    async () => events.join(''),
    (text) => text.includes(id) && text.includes('Running'),
  )
  await reader.cancel()
  await reading
})

test('a host that goes to another server is told there what it missed, and its old line says nothing any more', async () => {
  const { id } = await create(one, 'mover')
  await running(one, id)
  await host.goTo(two.agents)
  await until(
    () => world.json<{ servers: { hosts: number }[] }>(one, '/v1/servers', 'admin'),
    ({ servers }) => servers[1]?.hosts === 1,
  )
  const answer = await world.ask(one, 'POST', `/v1/containers/${id}/stop`)
  expect(answer.status).toBeLessThan(300)
  await until(
    () => world.json<View>(one, `/v1/containers/${id}`),
    ({ status }) => status === 'Stopped',
  )
  expect(host.told.filter((line) => line.startsWith('mover'))).toContain('mover@2')
  const logs = await world.ask(one, 'GET', `/v1/containers/${id}/logs`)
  expect(await logs.text()).toContain('hello')
  await host.goTo(one.agents)
  await running(two, (await create(two, 'back')).id)
})

test('a token that one server revokes is refused by the other at once', async () => {
  const mine = async (server: RunningServer) => (await world.ask(server, 'GET', '/v1/containers')).status
  expect([await mine(one), await mine(two)]).toEqual([200, 200])
  const token = await world.token('demo')
  const revoked = await fetch(`${one.api}/identity/v3/auth/tokens`, {
    method: 'DELETE',
    headers: { 'x-auth-token': token, 'x-subject-token': token },
  })
  expect(revoked.status).toBe(204)
  await until(
    async () => mine(two),
    (status) => status === 401,
    1000,
  )
  world.forgetTokens()
})

test('a server that leaves hands over what it had, and the other goes on alone', async () => {
  const three = await world.start()
  await host.goTo(three.agents)
  await running(two, (await create(three, 'left')).id)
  await three.close()
  await host.goTo(two.agents)
  const { id } = await create(one, 'after')
  await running(one, id)
  const { servers } = await world.json<{ servers: object[] }>(one, '/v1/servers', 'admin')
  expect(servers).toHaveLength(2)
})
