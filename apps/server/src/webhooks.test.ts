import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { deliverWebhooks } from '@gantry/control/testing'
import { webhookSender } from '@gantry/providers-upstream'
import { setTimeout as sleep } from 'node:timers/promises'
import { isPublicAddress } from '@gantry/control'
import { defaultSpec } from '@gantry/model'
import { afterEach, expect, test, vi } from 'vitest'
import { sealedWith } from './secrets.ts'
import { aCaller, aWorld, type World } from './testing/a-world.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

interface Got {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly json: { readonly type: string; readonly objectId: string; readonly data: { readonly name?: string } }
}

/** A receiver; what `answer` does is its mood. */
async function receiver(answer: (response: ServerResponse, got: Got) => void) {
  const got: Got[] = []
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    const one = { headers: request.headers, body, json: JSON.parse(body) as Got['json'] }
    got.push(one)
    answer(response, one)
  }
  const server = createServer((request, response) => void receive(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

const secrets = sealedWith(randomBytes(32))
const me = aCaller()
const spec = defaultSpec('busybox:latest')
const ok = (response: ServerResponse) => response.writeHead(204).end()
const types = ['container.create.*']

async function newWorld(): Promise<World> {
  const world = await aWorld({ secrets })
  opened.push(async () => world[Symbol.asyncDispose]())
  return world
}

/** As one server does; `crash` ends it as a kill would: what it did not write down is not written down. */
function deliver({ store, clock }: World, over: { readonly store?: World['store'] } = {}) {
  const end = new AbortController()
  const sender = webhookSender({ mayConnect: () => true })
  const log = { info() {}, warn() {}, error() {} }
  const gauges = { step() {}, settled() {}, waiting() {} }
  const deps = { store, clock: { now: () => clock.at }, secrets, webhookSender: sender, log, gauges, ...over }
  // One that is left behind as dead finds its store closed in the end.
  const whole = deliverWebhooks(deps, end.signal).catch(() => undefined)
  const stop = async () => {
    end.abort()
    await whole
  }
  opened.push(stop, () => Promise.resolve(sender.close()))
}

async function create({ control, host }: World, name: string, caller = me) {
  await control.containers.create(caller, { name, spec, run: false })
  await host.idle()
}

test('a receiver is told in order, signed, of its own project and types only', async () => {
  const world = await newWorld()
  const { got, url } = await receiver(ok)
  const { secret } = await world.control.webhooks.create(me, { url, types })
  deliver(world)
  await create(world, 'theirs', aCaller('others'))
  await create(world, 'one')
  await create(world, 'two')
  await vi.waitFor(() => expect(got).toHaveLength(4), 5000)
  expect(got.map(({ json }) => `${json.type} ${json.data.name}`)).toEqual([
    'container.create.start one',
    'container.create.end one',
    'container.create.start two',
    'container.create.end two',
  ])
  for (const { headers, body } of got) {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    const content = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.')
    const signature = createHmac('sha256', key).update(content).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${signature}`)
  }
  const deliveries = await world.control.webhooks.deliveries(me, new URL(url).host)
  expect(deliveries.map(({ status, problem }) => [status, problem])).toEqual(
    Array.from({ length: 4 }, () => [204, null]),
  )
})

test('what fails is tried again later under the same id; after a day the webhook is disabled and says why', async () => {
  const world = await newWorld()
  let status = 500
  const { got, url } = await receiver((response) => response.writeHead(status).end())
  const { webhook } = await world.control.webhooks.create(me, { name: 'hook', url, types: ['container.create.start'] })
  deliver(world)
  await create(world, 'one')
  await vi.waitFor(() => expect(got).toHaveLength(1), 5000)
  const seen = () => world.control.webhooks.get(me, webhook.id)
  await vi.waitFor(async () => expect(await seen()).toMatchObject({ failures: 1, enabled: true }))
  world.clock.at += 10_000
  await vi.waitFor(() => expect(got).toHaveLength(2), 5000)
  world.clock.at += 24 * 60 * 60_000
  await vi.waitFor(async () => expect((await seen()).enabled).toBe(false), 5000)
  expect((await seen()).disabledReason).toBe('it failed for a day, at last because it answered 500')
  status = 200
  await world.control.webhooks.update(me, 'hook', { enabled: true })
  await vi.waitFor(async () => expect(await seen()).toMatchObject({ failures: 0, enabled: true }), 5000)
  expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
})

test('a server that dies between telling and writing it down tells again, under the same id, and nothing is left out', async () => {
  const world = await newWorld()
  const { got, url } = await receiver(ok)
  await world.control.webhooks.create(me, { url, types: ['container.create.start'] })
  const { store } = world
  deliver(world, { store: { ...store, transaction: () => new Promise<never>(() => {}) } })
  await create(world, 'one')
  await vi.waitFor(() => expect(got).toHaveLength(1), 5000)
  opened.splice(opened.length - 2, 2)
  deliver(world)
  await create(world, 'two')
  await vi.waitFor(() => expect(got.map(({ json }) => json.data.name)).toEqual(['one', 'one', 'two']), 5000)
  expect(got[0]?.headers['webhook-id']).toBe(got[1]?.headers['webhook-id'])
})

test('a receiver that does not answer holds up no other', async () => {
  const world = await newWorld()
  const silent = await receiver(() => undefined)
  const { got, url } = await receiver(ok)
  for (let n = 0; n < 12; n += 1) await world.control.webhooks.create(me, { name: `s${n}`, url: silent.url, types })
  const other = aCaller('others')
  await world.control.webhooks.create(other, { name: 'fast', url, types })
  deliver(world)
  await create(world, 'mine')
  const before = Date.now()
  await create(world, 'theirs', other)
  await vi.waitFor(() => expect(got.length).toBeGreaterThanOrEqual(2), 5000)
  expect(Date.now() - before).toBeLessThan(3000)
  // No more than a project's share wait at the same time.
  expect(silent.got.length).toBeLessThanOrEqual(8)
}, 20_000)

test('addresses that are not the public internet are refused when they are connected to', async () => {
  const { got, url } = await receiver(ok)
  const sender = webhookSender({ mayConnect: isPublicAddress })
  opened.push(() => sender.close())
  const { port } = new URL(url)
  const message = { headers: {}, body: '{}' }
  for (const target of [url, `http://localhost:${port}/`, 'https://169.254.169.254/', `https://[::1]:${port}/`]) {
    await expect(sender.send(target, message, AbortSignal.timeout(3000))).rejects.toThrow()
  }
  await sleep(50)
  expect(got).toEqual([])
})

test('URLs, secrets and numbers are kept within bounds', async () => {
  const world = await newWorld()
  const { webhooks } = world.control
  const wrong = ['ftp://x.example', 'http://example.org/', 'https://u:p@example.org/', 'x', 'https://example.org/#a']
  for (const url of wrong) {
    await expect(webhooks.create(me, { url })).rejects.toMatchObject({ code: 'request.invalid' })
  }
  for (let n = 0; n < 20; n += 1) await webhooks.create(me, { name: `n${n}`, url: 'https://example.org/' })
  const more = webhooks.create(me, { url: 'https://example.org/' })
  await expect(more).rejects.toMatchObject({ code: 'quota.exceeded' })
  await expect(webhooks.get(aCaller('others'), 'n1')).rejects.toMatchObject({ code: 'webhook.not-found' })
  const reader = { ...me, roles: ['reader'] }
  await expect(webhooks.delete(reader, 'n1')).rejects.toMatchObject({ code: 'policy.forbidden' })
  const [kept] = await world.store.webhooks.list(me.projectId)
  expect(kept?.sealedSecret).not.toContain('whsec_')
})
