import { createHttpApp } from '@gantry/http'
import { zunFacade } from '@gantry/facade-zun'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud, quietLog } from '../../facades/zun/src/testing/fake-cloud.ts'
import { fakeControl } from '../../facades/zun/src/testing/fake-control.ts'
import { fakeVerifier } from '../../facades/zun/src/testing/fake-data.ts'
import { walkAsStranger, zunCapsuleRoutes, zunRegistryRoutes, zunRoutes } from './zun-routes.ts'

describe('the walls between projects', () => {
  let cloud: FakeCloud
  beforeAll(async () => {
    cloud = await fakeCloud()
    const body = { image: 'busybox', name: 'mine', interactive: true }
    expect((await cloud.ask('POST', '/v1/containers?run=true', { body, version: '1.40' })).status).toBe(202)
  })
  afterAll(() => cloud[Symbol.asyncDispose]())

  test('the tables hold every route that names a container, a capsule or a registry', async () => {
    const registered = new Set<string>()
    const app = createHttpApp({ log: quietLog() })
    app.addHook('onRoute', ({ method, url }) => {
      const named = /^\/v1\/(containers|capsules|registries)\/:ref/.test(url)
      for (const one of [method].flat()) if (named) registered.add(`${one} ${url}`)
    })
    await app.register(zunFacade, { control: fakeControl(), verifier: fakeVerifier })
    await app.close()
    const walked = new Set(
      [...zunRoutes, ...zunCapsuleRoutes, ...zunRegistryRoutes].map(({ method, path }) => {
        return `${method} /v1${path.replace('{ref}', ':ref').replace(/req-.*/, ':request')}`
      }),
    )
    expect([...registered].filter((route) => !route.startsWith('HEAD ')).sort()).toEqual([...walked].sort())
  })

  test('a stranger sees nothing and changes nothing', async () => {
    const before = structuredClone([...cloud.control.rows.values()])
    const [id] = cloud.control.rows.keys()
    const base = `${cloud.origin}/container`
    expect(await walkAsStranger({ base, token: 'other', refs: [String(id), 'mine'] })).toEqual([])
    expect([...cloud.control.rows.values()]).toEqual(before)
    const list = await cloud.ask('GET', '/v1/containers', { token: 'other' })
    expect(list.json).toEqual({ containers: [], next: null })
  })

  test('nor in capsules and registries', async () => {
    const template = { metadata: { name: 'mine' }, spec: { containers: [{ image: 'busybox' }] } }
    const capsule = await cloud.ask('POST', '/v1/capsules', { body: { template }, version: '1.40' })
    const registry = { name: 'mine', domain: 'hub.example.com' }
    const made = await cloud.ask('POST', '/v1/registries', { body: { registry }, version: '1.40' })
    const [capsuleId] = /[0-9a-f-]{36}/.exec(capsule.text) ?? []
    const { uuid } = (made.json as { registry: { uuid: string } }).registry
    const walk = { base: `${cloud.origin}/container`, token: 'other' }
    const inCapsules = { ...walk, refs: [String(capsuleId), 'mine'], routes: zunCapsuleRoutes }
    expect(await walkAsStranger(inCapsules)).toEqual([])
    const code = 'container.registry-not-found'
    expect(await walkAsStranger({ ...walk, refs: [uuid, 'mine'], routes: zunRegistryRoutes, code })).toEqual([])
    expect((await cloud.ask('GET', '/v1/capsules/mine')).status).toBe(200)
    expect((await cloud.ask('GET', '/v1/registries/mine')).status).toBe(200)
    for (const path of ['/v1/capsules', '/v1/registries']) {
      expect((await cloud.ask('GET', path, { token: 'other' })).text).not.toContain('mine')
    }
  })

  test('the walk would notice a hole', async () => {
    const [id] = cloud.control.rows.keys()
    const leaks = await walkAsStranger({ base: `${cloud.origin}/container`, token: 'demo', refs: [String(id)] })
    expect(leaks.length).toBeGreaterThan(zunRoutes.length)
  })
})
