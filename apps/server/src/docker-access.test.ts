import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createOrLoadCa, createRequest, userUnit } from '@gantry/ca'
import { type Asker, createClientCertificates, createIdentify, createStreamGuard } from '@gantry/control'
import { createHttpApp, requestId, shownCredential } from '@gantry/http'
import { Fault, randomIds } from '@gantry/kernel'
import type { RequestId } from '@gantry/model'
import { bootstrapIdentity, embeddedIdentity } from '@gantry/providers-embedded'
import { createStore, identityTables, openSqlite } from '@gantry/store'
import pino from 'pino'
import { expect, test } from 'vitest'
import { sealedWith } from './secrets.ts'

const hourMs = 3_600_000
const asked = { requestId: 'req-1' as RequestId, address: '192.0.2.1' }
const inDefault = { domain: { id: 'default' } }

/** Everything real but the disk, and a route that says who asks. */
async function setUp() {
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead }
  const db = await openSqlite(':memory:')
  const tables = identityTables(db)
  const store = createStore(db)
  const users = await bootstrapIdentity(tables, { ids: randomIds, clock })
  const identity = embeddedIdentity({ store: tables, clock, ids: randomIds })
  const secrets = sealedWith(randomBytes(32))
  const dir = await mkdtemp(join(tmpdir(), 'gantry-access-'))
  const ca = await createOrLoadCa(dir)
  const certificates = createClientCertificates({
    identity,
    table: store.certificates,
    secrets,
    signer: ca,
    clock,
    ids: randomIds,
  })
  const identify = createIdentify({ identity, certificates: store.certificates, secrets, clock })
  const { certificate, key } = await ca.issueServer(['127.0.0.1'])
  const tls = { cert: certificate, key, clientCa: ca.certificate }
  const app = createHttpApp({ log: pino({ level: 'silent' }), tls })
  app.get('/', async (request, reply) => {
    try {
      const shown = shownCredential({ headers: request.headers, socket: request.raw.socket }, userUnit)
      const { caller } = await identify(shown, { requestId: requestId(request), address: '' })
      return `${shown.kind}: ${caller.userName} of ${caller.projectName}`
    } catch (error) {
      if (!(error instanceof Fault) || error.kind !== 'unauthenticated') throw error
      return reply.code(401).send(error.message)
    }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const logIn = async (name: 'demo' | 'admin') => {
    const password = users.find(({ userName }) => userName === name)?.password ?? ''
    const project = { kind: 'project', project: { name, ...inDefault } } as const
    const { token } = await identity.tokens.issue(
      { method: 'password', user: { name, ...inDefault }, password },
      project,
      '192.0.2.1',
    )
    const caller = await identity.verify(token, asked.requestId)
    const asker: Asker = await identity.authenticate(token, asked.requestId)
    return { token, caller, asker }
  }
  const ask = (headers: Record<string, string> = {}, own: https.RequestOptions = {}) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      https
        .get({ host: '127.0.0.1', port, path: '/', headers, ca: ca.certificate, ...own }, (answer) => {
          text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject)
        })
        .on('error', reject)
    })
  return {
    clock,
    identity,
    ca,
    certificates,
    identify,
    logIn,
    ask,
    async [Symbol.asyncDispose]() {
      await app.close()
      await db.destroy()
      await rm(dir, { recursive: true })
    },
  }
}

async function withCertificate(at: Awaited<ReturnType<typeof setUp>>) {
  const demo = await at.logIn('demo')
  const { csr, key } = await createRequest('my laptop')
  const made = await at.certificates.create(demo.caller, demo.token, { csr, name: null, lifetimeMs: null })
  return { demo, serial: made.view.serial, own: { cert: made.certificate, key, agent: false } as const }
}

test('a token needs its project beside it, by id or by name, and no other', async () => {
  await using at = await setUp()
  const { token, caller } = await at.logIn('demo')
  const admin = await at.logIn('admin')
  const shows = (project: string) => ({ 'x-auth-token': token, 'x-auth-project-id': project })
  expect(await at.ask(shows('demo'))).toEqual({ status: 200, body: 'token: demo of demo' })
  expect((await at.ask(shows(caller.projectId))).status).toBe(200)
  expect(await at.ask(shows(admin.caller.projectId))).toMatchObject({ status: 401 })
  expect(await at.ask(shows('nonsense'))).toEqual(await at.ask(shows(admin.caller.projectId)))
  expect((await at.ask({ 'x-auth-token': token })).status).toBe(401)
  expect((await at.ask({ 'x-auth-project-id': 'demo' })).status).toBe(401)
  expect((await at.ask({ ...shows('demo'), 'x-auth-token': `${token}x` })).status).toBe(401)
  expect((await at.ask()).body).toContain('gantry docker-env')
})

test('an application credential works for longer than a token and not after it is deleted', async () => {
  await using at = await setUp()
  const { asker, caller } = await at.logIn('demo')
  const { credential, secret } = await at.identity.appCredentials.create(asker, caller.userId, { name: 'ci' })
  const headers = {
    'x-auth-application-credential-id': credential.id,
    'x-auth-application-credential-secret': secret,
  }
  const works = { status: 200, body: 'application-credential: demo of demo' }
  expect(await at.ask(headers)).toEqual(works)
  expect((await at.ask({ ...headers, 'x-auth-project-id': 'admin' })).status).toBe(401)
  expect((await at.ask({ 'x-auth-application-credential-id': credential.id })).status).toBe(401)
  at.clock.ahead = 100 * hourMs
  expect(await at.ask(headers)).toEqual(works)
  const fresh = await at.logIn('demo')
  await at.identity.appCredentials.remove(fresh.asker, caller.userId, credential.id)
  expect((await at.ask(headers)).status).toBe(401)
})

test('a certificate stands for its user until it ends or is revoked', async () => {
  await using at = await setUp()
  const { serial, own } = await withCertificate(at)
  const works = { status: 200, body: 'certificate: demo of demo' }
  expect(await at.ask({}, own)).toEqual(works)
  // A token that has ended beside it does no harm, another project does.
  expect(await at.ask({ 'x-auth-token': 'old', 'x-auth-project-id': 'demo' }, own)).toEqual(works)
  expect((await at.ask({ 'x-auth-project-id': 'admin' }, own)).status).toBe(401)
  at.clock.ahead = 100 * hourMs
  expect(await at.ask({}, own)).toEqual(works)
  const fresh = await at.logIn('demo')
  const other = await at.logIn('admin')
  await expect(at.certificates.revoke(other.caller, other.token, serial)).rejects.toMatchObject({
    code: 'identity.not-found',
  })
  expect((await at.certificates.list(fresh.caller)).map((view) => view.serial)).toEqual([serial])
  await at.certificates.revoke(fresh.caller, fresh.token, serial)
  expect(await at.ask({}, own)).toMatchObject({ status: 401, body: expect.stringContaining('revoked') })
  expect(await at.certificates.list(fresh.caller)).toEqual([])
})

test('a certificate is worth nothing without its user', async () => {
  await using at = await setUp()
  const { demo, own } = await withCertificate(at)
  const admin = await at.logIn('admin')
  expect((await at.ask({}, own)).status).toBe(200)
  await at.identity.users.update(admin.asker, demo.caller.userId, { enabled: false })
  expect((await at.ask({}, own)).status).toBe(401)
  await at.identity.users.update(admin.asker, demo.caller.userId, { enabled: true })
  expect((await at.ask({}, own)).status).toBe(200)
  at.clock.ahead = 366 * 24 * hourMs
  expect(await at.ask({}, own)).toMatchObject({ status: 401, body: expect.stringContaining('ended') })
})

test('neither an agent’s certificate nor one of another authority is a user’s', async () => {
  await using at = await setUp()
  const other = await createOrLoadCa(await mkdtemp(join(tmpdir(), 'gantry-other-')))
  const { csr, key } = await createRequest('x')
  for (const cert of [await at.ca.signAgent(csr, 'host-1'), (await other.signUser(csr, 'demo of demo')).certificate]) {
    const answer = await at.ask({}, { cert, key, agent: false })
    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('client certificate') })
  }
  const neverKept = await at.ca.signUser(csr, 'demo of demo')
  expect((await at.ask({}, { cert: neverKept.certificate, key, agent: false })).status).toBe(401)
})

test('a client that resumes its TLS session is asked for its certificate again', async () => {
  await using at = await setUp()
  const { own } = await withCertificate(at)
  const agent = new https.Agent({ keepAlive: false, maxCachedSessions: 10 })
  for (const _ of [1, 2, 3]) expect((await at.ask({}, { ...own, agent })).status).toBe(200)
  agent.destroy()
})

test('a token of an application credential makes no certificate, which would outlive it', async () => {
  await using at = await setUp()
  const { asker, caller } = await at.logIn('demo')
  const { credential, secret } = await at.identity.appCredentials.create(asker, caller.userId, { name: 'ci' })
  const logIn = { method: 'application_credential', credential: { id: credential.id }, secret } as const
  const { token } = await at.identity.tokens.issue(logIn, { kind: 'default' }, '192.0.2.1')
  const { csr } = await createRequest('x')
  const made = at.certificates.create(caller, token, { csr, name: null, lifetimeMs: null })
  await expect(made).rejects.toMatchObject({ code: 'policy.forbidden' })
})

type At = Awaited<ReturnType<typeof setUp>>
type People = Record<'demo' | 'admin', Awaited<ReturnType<At['logIn']>>>

const revocations: [string, (at: At, people: People) => Promise<unknown>][] = [
  ['the token is revoked', ({ identity }, { demo }) => identity.tokens.revoke(demo.asker, demo.token)],
  [
    'the user is disabled',
    ({ identity }, { demo, admin }) => identity.users.update(admin.asker, demo.caller.userId, { enabled: false }),
  ],
  [
    'the project is disabled',
    ({ identity }, { demo, admin }) => identity.projects.update(admin.asker, demo.caller.projectId, { enabled: false }),
  ],
  [
    'the role is taken away',
    ({ identity }, { demo, admin }) => {
      const [role] = demo.asker.token.roles
      const actor = { kind: 'user', id: demo.caller.userId } as const
      const target = { kind: 'project', id: demo.caller.projectId } as const
      return identity.grants.remove(admin.asker, { actor, target, roleId: role?.id ?? '' })
    },
  ],
]

test.each(revocations)(
  'a connection opened with a token outlives the token, and ends when %s',
  async (_name, revoke) => {
    await using at = await setUp()
    using guard = createStreamGuard({ identity: at.identity })
    const people = { demo: await at.logIn('demo'), admin: await at.logIn('admin') }
    const shown = { kind: 'token', token: people.demo.token, project: 'demo' } as const
    const identified = await at.identify(shown, asked)
    const ended: Fault[] = []
    guard.watch(identified, (reason) => ended.push(reason))
    at.clock.ahead = 9 * hourMs
    expect(await identified.stillGranted()).toBe(true)
    at.clock.ahead = 0
    // Somebody else's misfortune is none of hers.
    await at.identity.tokens.revoke(people.admin.asker, (await at.logIn('admin')).token)
    expect(ended).toEqual([])
    await revoke(at, people)
    await expect.poll(() => ended).toHaveLength(1)
  },
)

test('connections of a certificate end when its application credential is deleted or it is revoked', async () => {
  await using at = await setUp()
  using guard = createStreamGuard({ identity: at.identity })
  const one = await withCertificate(at)
  const two = await withCertificate(at)
  const ended: string[] = []
  for (const { serial } of [one, two]) {
    const identified = await at.identify({ kind: 'certificate', serial, project: null }, asked)
    guard.watch(identified, () => ended.push(serial))
  }
  at.clock.ahead = 20 * hourMs
  const demo = await at.logIn('demo')
  await at.certificates.revoke(demo.caller, demo.token, one.serial)
  await expect.poll(() => ended).toEqual([one.serial])
  const [behind] = await at.identity.appCredentials.list(demo.asker, demo.caller.userId, {})
  await at.identity.appCredentials.remove(demo.asker, demo.caller.userId, behind?.id ?? '')
  await expect.poll(() => ended).toEqual([one.serial, two.serial])
})
