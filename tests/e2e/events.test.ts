import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect } from 'amqplib'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startBroker, type TestBroker } from '../../apps/server/src/testing/a-broker.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

let gantry: Gantry
let broker: TestBroker
const got: { readonly id: string; readonly type: string; readonly projectId: string; readonly name: string }[] = []
const receiver = createServer((request, response) => void receive(request, response))
const receive = async (request: IncomingMessage, response: ServerResponse) => {
  const { id, type, projectId, data } = JSON.parse(await text(request)) as (typeof got)[number] & {
    data: { name: string }
  }
  got.push({ id, type, projectId, name: data.name })
  response.writeHead(204).end()
}
let auditFile: string

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', () => resolve()))
  broker = await startBroker()
  auditFile = join('/tmp', `gantry-audit-${process.pid}.log`)
  gantry = await startGantry({
    serverArgs: ['--notify', broker.url, '--webhook-allow', '127.0.0.1', '--audit-log', auditFile],
  })
}, 120_000)
afterAll(async () => {
  receiver.closeAllConnections()
  receiver.close()
  await gantry?.[Symbol.asyncDispose]()
  await broker?.[Symbol.asyncDispose]()
  await rm(auditFile, { force: true })
}, 60_000)

const spec = { image: 'busybox:latest', run: true, command: ['sleep', '600'], memory: 32, cpu: 0.1 }

async function runs(session: Session, name: string): Promise<string> {
  const made = await session.native('POST', '/containers', { ...spec, name })
  expect(made.status).toBe(202)
  await session.waitFor(name, ({ status }) => status === 'Running')
  return (JSON.parse(made.text) as { id: string }).id
}

test('what two projects do is told to each by stream and webhook, to the operator by broker and audit, also over a kill -9', async () => {
  const one = await gantry.logIn('demo')
  const two = await gantry.newTenant('others')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  for (const session of [one, two]) {
    expect(
      (await session.native('POST', '/webhooks', { name: 'hook', url, types: ['container.create.*'] })).status,
    ).toBe(201)
  }
  expect((await one.native('POST', '/webhooks/hook/test')).text).toContain('"problem":null')
  await runs(one, 'first')
  await runs(two, 'theirs')
  // What is accepted just before the end is told just after the beginning.
  const last = await one.native('POST', '/containers', { ...spec, name: 'last' })
  expect(last.status).toBe(202)
  await gantry.server.kill9()
  await gantry.server.start()
  await one.waitFor('last', ({ status }) => status === 'Running')
  await vi.waitFor(() => expect(new Set(got.map(({ id }) => id)).size).toBeGreaterThanOrEqual(7), 20_000)

  const creates = got.filter(({ type }) => type === 'container.create.end')
  const of = (session: Session) => [
    ...new Set(creates.filter(({ projectId }) => projectId === session.projectId).map(({ name }) => name)),
  ]
  expect([of(one), of(two)]).toEqual([['first', 'last'], ['theirs']])

  const { stdout } = await gantry.cli(['events', '--since', '0', '--no-follow', '--json', '-t', 'container.create.*'])
  const told = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; data: { name: string } })
  expect(told.map(({ type, data }) => `${type} ${data.name}`).sort()).toEqual(
    ['first', 'last'].flatMap((name) => [`container.create.end ${name}`, `container.create.start ${name}`]).sort(),
  )

  const types = await inQueue('notifications.info')
  expect(types.filter((type) => type === 'compute.container.create.end').length).toBeGreaterThanOrEqual(3)

  await one.native('POST', '/containers', { ...spec, name: 'refused', cpu: 4000 })
  await vi.waitFor(async () => {
    const lines = (await readFile(auditFile, 'utf8')).trim().split('\n')
    const calls = lines.map((line) => JSON.parse(line) as Audited)
    const creates = calls.filter(({ action, target }) => action === 'create' && target.name === '/v1/containers')
    expect(creates.map(({ outcome, reason }) => `${outcome} ${reason.reasonCode}`)).toEqual([
      'pending 202',
      'pending 202',
      'pending 202',
      'failure 403',
    ])
    expect(creates.map(({ initiator }) => initiator.project_id)).toEqual(
      [one, two, one, one].map(({ projectId }) => projectId),
    )
  }, 5000)
}, 120_000)

interface Audited {
  readonly action: string
  readonly outcome: string
  readonly reason: { readonly reasonCode: string }
  readonly target: { readonly name: string }
  readonly initiator: { readonly project_id: string }
}

async function inQueue(queue: string): Promise<string[]> {
  const connection = await connect(broker.url)
  const channel = await connection.createChannel()
  const types: string[] = []
  await vi.waitFor(async () => {
    for (let message = await channel.get(queue); message !== false; message = await channel.get(queue)) {
      const envelope = JSON.parse(message.content.toString()) as Record<string, string>
      types.push((JSON.parse(envelope['oslo.message'] ?? '') as { event_type: string }).event_type)
      channel.ack(message)
    }
    expect(types.filter((type) => type === 'compute.container.create.end').length).toBeGreaterThanOrEqual(3)
  }, 20_000)
  await connection.close()
  return types
}
