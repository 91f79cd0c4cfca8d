import type { Asker, IdentityProvider, Secrets } from '@gantry/control'
import { Fault, randomIds, systemClock } from '@gantry/kernel'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { answerFault, whoAsks } from '@gantry/http'
import { sessionCookies } from './session-cookie.ts'
import { sessionRoutes } from './session-routes.ts'

/** Who each answered request is told to be of. */
const askers: (string | undefined)[] = []
const expiresAt = Date.now() + 3_600_000

/** The routes before an identity service that answers a revocation like this. */
function serverThat(revoke: (token: string) => Promise<void>, authenticate = async () => asker) {
  const plain: Secrets = { seal: (text) => text, open: (text) => text }
  const identity = { authenticate, tokens: { revoke: (_asker: Asker, token: string) => revoke(token) } }
  const app = Fastify()
  app.setErrorHandler(answerFault)
  sessionRoutes(app, {
    identity: identity as unknown as IdentityProvider,
    cookies: sessionCookies(plain, systemClock, false),
    ids: randomIds,
    ownIdentity: false,
    version: '1',
  })
  const cookie = `gantry=${encodeURIComponent(JSON.stringify({ token: 'the-token', expiresAt, csrf: 'c' }))}`
  app.addHook('onResponse', async (request) => void askers.push(whoAsks(request)?.userName))
  return (headers: Record<string, string> = { 'x-csrf-token': 'c' }) =>
    app.inject({ method: 'DELETE', url: '/session', headers: { cookie, ...headers } })
}
const token = { user: { id: 'u1', name: 'ann' }, scope: { kind: 'project', project: { id: 'p1' } } }
const asker = { isAdmin: false, token } as Asker
const cleared = expect.stringContaining('gantry=; ')

test('signing out revokes the token that the cookie holds, and no other that is shown', async () => {
  const dead: string[] = []
  const signOut = serverThat(async (token) => void dead.push(token))
  const { statusCode, headers, body } = await signOut({ 'x-csrf-token': 'c', 'x-auth-token': 'brought' })
  expect([statusCode, body, headers['set-cookie']]).toEqual([204, '', cleared])
  expect(dead).toEqual(['the-token'])
  expect(askers.at(-1)).toBe('ann')
})

test('another site can neither sign out nor revoke', async () => {
  const dead: string[] = []
  const signOut = serverThat(async (token) => void dead.push(token))
  expect((await signOut({})).statusCode).toBe(401)
  expect((await signOut({ 'x-csrf-token': 'guessed' })).statusCode).toBe(401)
  expect(dead).toEqual([])
})

test('where the identity service is away, one is signed out all the same and told what is left', async () => {
  const away = async () => {
    throw new Fault('service.unavailable', { service: 'identity', reason: 'it does not answer' })
  }
  for (const signOut of [serverThat(away), serverThat(async () => undefined, away)]) {
    const answer = await signOut()
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([200, cleared])
    expect(answer.json()).toEqual({ revoked: false, message: expect.stringContaining('it does not answer') })
    expect(answer.json().message).toContain(new Date(expiresAt).toISOString())
  }
})

test('an identity service that never answers keeps nobody signed in', async () => {
  const answer = await serverThat(() => new Promise(() => undefined))()
  expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([200, cleared])
  expect(answer.json()).toMatchObject({ revoked: false })
})

test.each(['auth.required', 'identity.not-found'] as const)(
  'a token that is dead already (%s) is no trouble',
  async (code) => {
    const gone = async () => {
      throw new Fault(code, { reason: 'it was revoked', type: 'token', ref: '' })
    }
    expect((await serverThat(gone)()).statusCode).toBe(204)
  },
)
