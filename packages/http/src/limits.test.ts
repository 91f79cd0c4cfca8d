import { once } from 'node:events'
import { connect } from 'node:net'
import { Fault } from '@gantry/kernel'
import type { AuditRecord, Caller } from '@gantry/model'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { createHttpApp } from './app.ts'
import { audit } from './audit.ts'
import { noteCaller } from './auth.ts'
import { createGuards, protect, type RequestLimits } from './limits.ts'
import { statusOfKind } from './status.ts'
import { countUpgrade, onUpgrade } from './upgrades.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

const none: RequestLimits = {
  perAddress: 0,
  perProject: 0,
  changesPerProject: 0,
  logInsPerAddress: 0,
  connections: 0,
  atOnce: 0,
  streamsAtOnce: 0,
  trustedProxies: ['127.0.0.1'],
}

async function anApp(limits: Partial<RequestLimits>) {
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  opened.push(() => app.close())
  const registry = new Registry()
  const gate = Promise.withResolvers<object>()
  const records: AuditRecord[] = []
  audit(app, { observer: 'me', now: () => 0, write: (record) => records.push(record) })
  protect(app, createGuards({ ...none, ...limits }, registry))
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof Fault ? statusOfKind[error.kind] : 500
    return reply.code(status).send({ message: error instanceof Error ? error.message : '' })
  })
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request) => {
      const project = request.headers['x-project']
      if (typeof project === 'string') noteCaller(request, { projectId: project, userId: 'ada' } as unknown as Caller)
    })
    scope.get('/v1/things', async () => ({}))
    scope.post('/v1/things/:ref', async (_request, reply) => reply.code(202).send({}))
    scope.post('/identity/v3/auth/tokens', async () => ({}))
    scope.get('/v1/slow', async () => gate.promise)
    scope.get('/v1/stream', { config: { streaming: true } }, async () => gate.promise)
    onUpgrade(scope, {
      takes: (path) => path === '/v1/shell',
      handle: (request, socket) => {
        socket.on('error', () => undefined).once('end', () => socket.end())
        const project = String(request.headers['x-project'])
        countUpgrade(app, project, request, socket).then(
          () =>
            socket.resume().write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n'),
          () => socket.end('HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\n\r\n'),
        )
      },
      refuse: (_request, socket) => socket.end('HTTP/1.1 503 Busy\r\nconnection: close\r\n\r\n'),
    })
    scope.get('/v1/full', async (_request, reply) => reply.code(503).send({}))
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers })
    await answer.arrayBuffer()
    return answer
  }
  return { app, ask, port, records, registry, letGo: () => gate.resolve({}) }
}

const count = async (times: number, ask: () => Promise<Response>) => {
  const statuses: number[] = []
  for (let n = 0; n < times; n += 1) statuses.push((await ask()).status)
  return statuses.filter((status) => status === 429).length
}

test('an address, a project, its changes and log-ins each have their own measure', async () => {
  const { ask, registry } = await anApp({
    perAddress: 120,
    perProject: 60,
    changesPerProject: 30,
    logInsPerAddress: 12,
  })
  const from = (address: string) => ({ 'x-forwarded-for': `6.6.6.6, ${address}` })
  expect(await count(25, () => ask('/v1/things', from('192.0.2.1')))).toBe(5)
  expect(await count(5, () => ask('/v1/things', from('192.0.2.2')))).toBe(0)
  // A /64 is one address.
  expect(await count(15, () => ask('/v1/things', from('2001:db8:0:1::1')))).toBe(0)
  expect(await count(15, () => ask('/v1/things', from('2001:db8:0:1::2')))).toBe(10)
  expect(await count(12, () => ask('/v1/things', { 'x-project': 'p1' }))).toBe(2)
  expect(await count(7, () => ask('/v1/things/a', { 'x-project': 'p2' }, 'POST'))).toBe(2)
  expect(await count(3, () => ask('/v1/things', { 'x-project': 'p2' }))).toBe(0)
  expect(await count(4, () => ask('/identity/v3/auth/tokens', from('192.0.2.3'), 'POST'))).toBe(2)
  const refused = await ask('/v1/things', { 'x-project': 'p1' })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  expect(await registry.metrics()).toContain('gantry_limited_total{limit="requests of your project"} 3')
})

test('what is too much at once is refused politely, and what was begun is answered', async () => {
  const { ask, letGo } = await anApp({ atOnce: 20 })
  let refused = 0
  const one = async () => {
    const answer = await ask('/v1/slow')
    if (answer.status === 503) refused += 1
    if (refused === 80) letGo()
    return answer
  }
  const answers = await Promise.all(Array.from({ length: 100 }, one))
  const of = (status: number) => answers.filter((answer) => answer.status === status)
  expect([of(200).length, of(503).length]).toEqual([20, 80])
  expect(of(503).every((answer) => answer.headers.get('retry-after') === '1')).toBe(true)
  expect((await ask('/v1/slow')).status).toBe(200)
})

test.each([
  ['requests', '/v1/slow'],
  ['streams', '/v1/stream'],
])('a project has half of the places for %s, so that others still have some', async (what, path) => {
  const { ask, letGo, registry } = await anApp({ atOnce: 8, streamsAtOnce: 8 })
  const answers: Response[] = []
  const asked = (project: string) =>
    Array.from({ length: 6 }, () => ask(path, { 'x-project': project }).then((answer) => answers.push(answer)))
  const mine = asked('p1')
  await expect.poll(() => answers.map(({ status }) => status)).toEqual([429, 429])
  expect(answers[0]?.headers.get('retry-after')).toBe('1')
  const others = asked('p2')
  await expect.poll(() => answers.map(({ status }) => status)).toEqual([429, 429, 503, 503])
  letGo()
  await Promise.all([...mine, ...others])
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(8)
  expect(await registry.metrics()).toContain(`gantry_limited_total{limit="${what} of your project at the same time"} 2`)
})

test('connections that leave HTTP are counted as streams, and give their place back', async () => {
  const { port, ask } = await anApp({ streamsAtOnce: 6, perProject: 60 })
  const shell = async (project: string) => {
    const socket = connect(port, '127.0.0.1')
    opened.unshift(async () => socket.destroy())
    socket.on('error', () => undefined)
    socket.write(
      `GET /v1/shell HTTP/1.1\r\nHost: x\r\nX-Project: ${project}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
    )
    const [first] = (await once(socket, 'data')) as [Buffer]
    return { socket, status: Number(first.toString().split(' ')[1]) }
  }
  const mine = [await shell('p1'), await shell('p1'), await shell('p1')]
  expect(mine.map(({ status }) => status)).toEqual([101, 101, 101])
  expect((await shell('p1')).status).toBe(429)
  const others = [await shell('p2'), await shell('p3'), await shell('p2')]
  expect(others.map(({ status }) => status)).toEqual([101, 101, 101])
  expect((await shell('p3')).status).toBe(503)
  for (const { socket } of [...mine, ...others]) socket.destroy()
  await expect.poll(async () => (await shell('p1')).status).toBe(101)
  // They are requests of the project too.
  expect(await count(10, () => ask('/v1/things', { 'x-project': 'p1' }))).toBeGreaterThan(4)
})

test('whoever is told that something is full is told when to come back', async () => {
  const { ask } = await anApp({})
  expect((await ask('/v1/full')).headers.get('retry-after')).toBe('1')
  expect((await ask('/v1/things')).headers.get('retry-after')).toBeNull()
})

test('what changes something or is refused is in the audit, and nothing secret', async () => {
  const { ask, records } = await anApp({ perProject: 6 })
  await ask('/v1/things', { 'x-project': 'p1' })
  await ask('/v1/things', { 'x-project': 'p1' })
  await ask('/v1/things/web?token=secret', { 'x-auth-token': 'secret' }, 'POST')
  expect(records.map(({ action, outcome, reason }) => [action, outcome, reason.reasonCode])).toEqual([
    ['read', 'failure', '429'],
    ['create', 'pending', '202'],
  ])
  await ask('/v1/things/web?dryRun=true', {}, 'POST')
  expect(records).toHaveLength(2)
  expect(records[0]?.initiator).toMatchObject({ id: 'ada', project_id: 'p1' })
  expect(records[1]?.target).toEqual({ typeURI: 'service/native', id: 'web', name: '/v1/things/:ref' })
  expect(JSON.stringify(records)).not.toContain('secret')
})

test('connections of one address are bounded', async () => {
  const { port, app } = await anApp({ connections: 3, trustedProxies: [] })
  // The loopback is not counted: it stands for another address here.
  const counted: string[] = []
  app.server.prependListener('connection', (socket: { remoteAddress?: string }) => {
    Object.defineProperty(socket, 'remoteAddress', { value: '192.0.2.9' })
    counted.push('one')
  })
  const sockets = await Promise.all(Array.from({ length: 8 }, () => opening(port)))
  expect(counted).toHaveLength(8)
  expect(sockets.filter(({ closed }) => closed)).toHaveLength(5)
  for (const { socket } of sockets) socket.destroy()
})

function opening(port: number) {
  return new Promise<{ socket: ReturnType<typeof connect>; closed: boolean }>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.once('close', () => resolve({ socket, closed: true }))
    socket.once('connect', () => setTimeout(() => resolve({ socket, closed: false }), 300))
  })
}
