import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { badFields } from '../conformance/bad-fields.ts'
import { walkAsStranger, zunRoutes } from '../conformance/zun-routes.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/** What another tenant can see and what bad input leaves behind: nothing. On the real server, store, agent and engine. */
let gantry: Gantry
let demo: Session
let stranger: Session

beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
  stranger = await gantry.newTenant('stranger')
})
afterAll(() => gantry?.[Symbol.asyncDispose]())

const body = (name: string) => ({ name, image: 'busybox:latest', command: ['sleep', '1000'], memory: '64', cpu: 0.1 })

test('every route answers a stranger 404 for a container of another project, by id and by name', async () => {
  const made = await demo.zun('POST', '/containers?run=true', body('private'))
  await demo.waitFor('private', (one) => one.status === 'Running')
  const refs = [made.json.uuid, 'private']
  expect(zunRoutes.length).toBeGreaterThan(20)
  expect(await walkAsStranger({ base: `${gantry.api}/container`, token: stranger.token, refs })).toEqual([])
  for (const ref of refs) {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', '?stop=true'],
      ['GET', '/logs'],
      ['GET', '/stats'],
      ['POST', '/start'],
      ['GET', '/actions'],
    ] as const) {
      expect((await stranger.native(method, `/containers/${ref}${path}`)).status, `${method} ${path}`).toBe(404)
    }
  }
  expect((await demo.waitFor('private', () => true)).status).toBe('Running')
})

test('a stranger sees nothing in lists, usages and events', async () => {
  expect((await stranger.zun('GET', '/containers')).text).not.toContain('private')
  expect((await stranger.zun('GET', '/containers?all_projects=true')).status).toBe(403)
  const quota = await stranger.zun('GET', `/quotas/${stranger.projectId}?usages=true`)
  expect(quota.json).toMatchObject({ containers: { in_use: 0 } })
  expect((await stranger.zun('GET', `/quotas/${demo.projectId}`)).status).toBe(403)
  const marker = (await demo.waitFor('private', () => true)).uuid
  expect((await stranger.zun('GET', `/containers?marker=${marker}`)).status).toBe(404)
})

test('containers of two projects are on networks that do not reach each other', async () => {
  await stranger.zun('POST', '/containers?run=true', body('other'))
  await stranger.waitFor('other', (one) => one.status === 'Running')
  const { json } = await demo.zun('GET', '/containers/private')
  const addresses = Object.values((json as unknown as { addresses: Record<string, { addr: string }[]> }).addresses)
  const address = addresses[0]?.[0]?.addr
  expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
  const command = `ping -c 1 -W 2 ${address}`
  const own = await demo.zun('POST', `/containers/private/execute?run=true&command=${encodeURIComponent(command)}`)
  expect(own.json).toMatchObject({ exit_code: 0 })
  const foreign = await stranger.zun(
    'POST',
    `/containers/other/execute?run=true&command=${encodeURIComponent(command)}`,
  )
  expect(foreign.json).toMatchObject({ exit_code: 1 })
})

test('bad input of every kind is 400 in the shape of Zun and leaves nothing behind', async () => {
  const before = await counts()
  const field = fc.constantFrom(...Object.keys(badFields))
  const bodies = field.chain((name) => {
    const values = badFields[name] ?? fc.constant(null)
    return values.map((value) => ({ image: 'busybox:latest', [name]: value }))
  })
  await fc.assert(
    fc.asyncProperty(bodies, async (bad) => {
      const answer = await demo.zun('POST', '/containers?run=true', bad)
      // `host` and `runtime` are for administrators; every other problem is one of form.
      expect([400, 403], JSON.stringify(bad).slice(0, 300)).toContain(answer.status)
      expect(answer.json).toMatchObject({ errors: [{ title: expect.stringMatching(/\S/) }] })
    }),
    { numRuns: 300 },
  )
  expect(await counts()).toEqual(before)
})

test('without a token every route answers 401, with the way to the identity service', async () => {
  for (const route of zunRoutes.slice(0, 10)) {
    const answer = await fetch(`${gantry.api}/container/v1${route.path.replace('{ref}', 'private')}`, {
      method: route.method,
    })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Keystone uri=".*\/identity/)
  }
})

async function counts() {
  const { json } = await demo.zun('GET', `/quotas/${demo.projectId}?usages=true`)
  const engine = await gantry.engine.docker('ps', '-aq')
  return { quota: json, inEngine: engine.split('\n').sort() }
}
