/** Signing in to the dashboard, over plain HTTP: what its cookie can do, and what it cannot. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPages } from '../fixtures/dashboard.ts'
import { type LoneServer, startLoneServer, type Told } from '../fixtures/lone-server.ts'

describe('the session of the dashboard', () => {
  let server: LoneServer
  beforeAll(async () => {
    await buildPages()
    server = await startLoneServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const json = { 'content-type': 'application/json' }
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    server.ask('POST', '/ui/session', { body: JSON.stringify(body), headers: { ...json, ...headers } })
  const signIn = async (user = server.demo) => {
    const answer = await post({ user: user.name, password: user.password })
    expect(answer.status, answer.text).toBe(200)
    return { cookie: cookieOf(answer), csrf: String(answer.json['csrf']), answer }
  }

  test('signing in gives a cookie that no script reads, and tells who and where', async () => {
    const { answer } = await signIn()
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^gantry=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/,
    )
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json).toMatchObject({
      user: { name: 'demo' },
      project: { name: 'demo', id: server.demo.projectId },
      isAdmin: false,
      ownIdentity: true,
    })
    expect(answer.text).not.toContain(server.demo.token)
  })

  test('a wrong password, an unknown project and a body that is none are refused with a sentence', async () => {
    const { name: user, password } = server.demo
    const wrong = await post({ user, password: 'wrong' })
    expect([wrong.status, wrong.json['error']]).toMatchObject([401, { code: 'auth.failed' }])
    const elsewhere = await post({ user, password, project: 'nowhere' })
    expect([elsewhere.status, elsewhere.text]).toMatchObject([401, expect.stringContaining('the project nowhere')])
    expect((await post({ user })).status).toBe(400)
    expect((await server.ask('POST', '/ui/session', { body: '{', headers: json })).status).toBe(400)
  })

  test('another site can neither sign its visitor in nor change anything', async () => {
    const { name: user, password } = server.demo
    expect((await post({ user, password }, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await post({ user, password }, { origin: 'null' })).status).toBe(403)
    const { cookie, csrf } = await signIn()
    const create = (headers: Record<string, string>) =>
      server.ask('POST', '/v1/networks', { body: '{"name":"mine"}', headers: { ...json, cookie, ...headers } })
    expect((await create({})).status).toBe(401)
    expect((await create({ 'x-csrf-token': 'guessed' })).status).toBe(401)
    expect((await create({ 'x-csrf-token': csrf })).status).toBe(201)
    expect((await server.ask('DELETE', '/ui/session', { headers: { cookie } })).status).toBe(401)
  })

  test('the cookie opens what the user may see, and nothing else', async () => {
    const other = await server.newUser('other')
    const mine = await signIn()
    const theirs = await signIn(other)
    const names = async (cookie: string) => (await server.ask('GET', '/v1/networks', { headers: { cookie } })).text
    expect(await names(mine.cookie)).toContain('"mine"')
    expect(await names(theirs.cookie)).not.toContain('"mine"')
    expect((await server.ask('GET', '/v1/hosts', { headers: { cookie: theirs.cookie } })).status).toBe(403)
    const forged = `${mine.cookie.slice(0, -8)}AAAAAAAA`
    expect((await server.ask('GET', '/v1/quotas', { headers: { cookie: forged } })).status).toBe(401)
    expect((await server.ask('GET', '/ui/session', { headers: { cookie: forged } })).status).toBe(401)
  })

  test('it moves to another of the user’s projects, and to no other', async () => {
    const { cookie, csrf } = await signIn(server.admin)
    const move = (project: string) =>
      server.ask('PUT', '/ui/session', {
        body: JSON.stringify({ project }),
        headers: { ...json, cookie, 'x-csrf-token': csrf },
      })
    expect((await move(server.admin.projectId)).json).toMatchObject({ project: { name: 'admin' }, isAdmin: true })
    expect((await move('nowhere')).status).toBe(401)
  })

  test('signing out kills the session’s token with the cookie, on every copy, and nothing else of the user’s', async () => {
    const [{ cookie, csrf }, elsewhere] = [await signIn(), await signIn()]
    const statusOf = async (path: string, headers: Record<string, string>) =>
      (await server.ask('GET', path, { headers })).status
    expect(await statusOf('/v1/networks', { cookie })).toBe(200)
    const out = await server.ask('DELETE', '/ui/session', {
      user: server.demo,
      headers: { cookie, 'x-csrf-token': csrf },
    })
    expect([out.status, String(out.headers['set-cookie'])]).toEqual([204, expect.stringContaining('Max-Age=0')])
    // The cookie as a thief would have kept it.
    expect(await statusOf('/ui/session', { cookie })).toBe(401)
    expect(await statusOf('/v1/networks', { cookie })).toBe(401)
    const again = await server.ask('PUT', '/ui/session', {
      body: JSON.stringify({ project: server.demo.projectId }),
      headers: { ...json, cookie, 'x-csrf-token': csrf },
    })
    expect(again.status).toBe(401)
    // What she holds elsewhere, and the token that came with the very request, go on.
    expect(await statusOf('/ui/session', { cookie: elsewhere.cookie })).toBe(200)
    expect((await server.ask('GET', '/v1/networks', { user: server.demo })).status).toBe(200)
    // Once more is no trouble.
    const twice = await server.ask('DELETE', '/ui/session', { headers: { cookie, 'x-csrf-token': csrf } })
    expect(twice.status).toBe(204)
  })

  test('signing out ends what still flows to the session, and not what flows to another', async () => {
    const [{ cookie, csrf }, elsewhere] = [await signIn(), await signIn()]
    const follow = (shown: string) => fetch(`${server.api}/v1/events?since=now`, { headers: { cookie: shown } })
    const [mine, theirs] = await Promise.all([follow(cookie), follow(elsewhere.cookie)])
    expect([mine.status, theirs.status]).toEqual([200, 200])
    const over = mine.text().catch(() => 'cut off')
    const out = await server.ask('DELETE', '/ui/session', { headers: { cookie, 'x-csrf-token': csrf } })
    expect(out.status).toBe(204)
    expect(await over).toBe('cut off')
    const goesOn = theirs.text().then(
      () => 'over',
      () => 'cut off',
    )
    expect(await Promise.race([goesOn, server.ask('GET', '/v1/networks', { user: server.demo })])).toHaveProperty(
      'status',
      200,
    )
  })

  test('the page comes with a policy that lets only its own scripts run, and compressed', async () => {
    const page = await server.ask('GET', '/ui/containers/anything', { headers: { 'accept-encoding': 'br' } })
    expect(page.status).toBe(200)
    expect(page.headers['content-encoding']).toBe('br')
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    const plain = await server.ask('GET', '/ui/')
    expect(plain.text).not.toMatch(/<script(?![^>]*\bsrc=)/)
    const script = /src="(\/ui\/assets\/[^"]+\.js)"/.exec(plain.text)?.[1] ?? ''
    const loaded = await server.ask('GET', script)
    expect([loaded.status, loaded.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect((await server.ask('GET', '/ui/assets/gone.js')).status).toBe(404)
    expect((await server.ask('GET', '/')).headers.location).toBe('/ui/')
  })
})

function cookieOf({ headers }: Told): string {
  return String(headers['set-cookie']).split(';', 1)[0] ?? ''
}
