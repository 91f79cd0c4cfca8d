import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { badFields } from '../conformance/bad-fields.ts'
import { walkAsStranger, zunCapsuleRoutes, zunRegistryRoutes, zunRoutes } from '../conformance/zun-routes.ts'
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

test('a stranger can neither use nor name what another project has beside its containers', async () => {
  const made = async (path: string, body: object) => {
    const answer = await demo.native('POST', path, body)
    expect(answer.status, answer.text).toBeLessThan(300)
    return (answer.json as unknown as { id: string }).id
  }
  const network = await made('/networks', { name: 'walled' })
  await made('/subnets', { network, cidr: '10.66.0.0/24' })
  const port = await made('/ports', { network, name: 'walled' })
  const group = await made('/security-groups', { name: 'walled' })
  const volume = await made('/volumes', { name: 'walled', size: 1 })
  const registry = await made('/registries', { name: 'walled', domain: 'hub.example.com' })
  const spec = { containers: [{ image: 'busybox:latest', command: ['sleep', '1000'] }] }
  const template = { metadata: { name: 'walled' }, spec }
  const capsule = await demo.zun('POST', '/capsules', { template })
  expect(capsule.status, capsule.text).toBe(202)
  const walk = { base: `${gantry.api}/container`, token: stranger.token }
  const refs = [capsule.json.uuid, 'walled']
  expect(await walkAsStranger({ ...walk, refs, routes: zunCapsuleRoutes })).toEqual([])
  const code = 'container.registry-not-found'
  expect(await walkAsStranger({ ...walk, refs: [registry, 'walled'], routes: zunRegistryRoutes, code })).toEqual([])
  const mine = await stranger.zun('POST', '/containers?run=true', body('reaching'))
  expect(mine.status).toBe(202)
  for (const ref of ['walled', null]) {
    const create = (more: object) => stranger.zun('POST', '/containers', { ...body('never'), ...more })
    const attach = (what: string) => stranger.zun('POST', `/containers/reaching/network_attach?${what}`)
    for (const [answer, status] of [
      [await create({ nets: [{ network: ref ?? network }] }), 404],
      [await create({ nets: [{ port: ref ?? port }] }), 404],
      [await create({ mounts: [{ source: ref ?? volume, destination: '/stolen' }] }), 404],
      [await create({ registry: ref ?? registry }), 404],
      [await create({ security_groups: [ref ?? group] }), 400],
      [await attach(`network=${ref ?? network}`), 404],
      [await attach(`port=${ref ?? port}`), 404],
    ] as const) {
      expect(answer.status, answer.text).toBe(status)
    }
  }
  expect((await stranger.zun('GET', '/containers?name=never')).json).toMatchObject({ containers: [] })
  expect((await demo.zun('DELETE', '/capsules/walled')).status).toBe(204)
  expect((await stranger.zun('DELETE', '/containers/reaching?stop=true')).status).toBe(204)
})

test('containers of two projects are on networks that do not reach each other', async () => {
  // Addresses that no network of the stranger has: two projects may use the same, and it would reach its own.
  const { id: network } = (await demo.native('POST', '/networks', { name: 'apart' })).json as unknown as { id: string }
  await demo.native('POST', '/subnets', { network, cidr: '10.67.0.0/24' })
  await demo.zun('POST', '/containers?run=true', { ...body('apart'), nets: [{ network }] })
  await demo.waitFor('apart', (one) => one.status === 'Running')
  await stranger.zun('POST', '/containers?run=true', body('other'))
  await stranger.waitFor('other', (one) => one.status === 'Running')
  const { json } = await demo.zun('GET', '/containers/apart')
  const addresses = Object.values((json as unknown as { addresses: Record<string, { addr: string }[]> }).addresses)
  const address = addresses[0]?.[0]?.addr
  expect(address).toMatch(/^10\.67\.0\.\d+$/)
  const command = `ping -c 1 -W 2 ${address}`
  const own = await demo.zun('POST', `/containers/apart/execute?run=true&command=${encodeURIComponent(command)}`)
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
