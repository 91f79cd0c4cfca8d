import { Fault } from '@gantry/kernel'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { oneError } from './zun-errors.ts'

/** What is beside the containers. */
let cloud: FakeCloud
beforeEach(async () => {
  cloud = await fakeCloud()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const run = (body: object = {}, version = '1.40') =>
  cloud.ask('POST', '/v1/containers?run=true', { version, body: { image: 'busybox', name: 'test', ...body } })

describe('everything else', () => {
  test('numbers, processes, actions', async () => {
    await run()
    expect((await cloud.ask('GET', '/v1/containers/test/stats')).json).toEqual({
      CONTAINER: 'test',
      'CPU %': 12.35,
      'MEM USAGE(MiB)': 3,
      'MEM LIMIT(MiB)': 512,
      'MEM %': 0.59,
      'BLOCK I/O(B)': '10/20',
      'NET I/O(B)': '30/40',
    })
    const top = await cloud.ask('GET', '/v1/containers/test/top?ps_args=None')
    expect(top.json).toEqual({ Titles: ['PID', 'CMD'], Processes: [['1', 'ping']] })
    const stopped = await cloud.ask('POST', '/v1/containers/test/stop')
    const id = stopped.headers.get('x-openstack-request-id')
    expect(id).toMatch(/^req-[0-9a-f-]{36}$/)
    const list = await cloud.ask('GET', '/v1/containers/test/container_actions')
    expect(list.json).toMatchObject({ containerActions: [{ action: 'stop', request_id: id }, { action: 'create' }] })
    const action = `/v1/containers/test/container_actions/${id}`
    expect((await cloud.ask('GET', action)).json).toMatchObject({
      start_time: '2026-01-02T03:04:05.678000',
      message: null,
      events: [{ event: 'compute_start', result: 'Success', traceback: null }],
    })
    expect((await cloud.ask('GET', action, { token: 'admin' })).json).toMatchObject({
      events: [{ traceback: 'a trace' }],
    })
    const unknown = await cloud.ask('GET', '/v1/containers/test/container_actions/req-1')
    expect(unknown.json).toEqual(oneError('resource-not-found', 404))
  })

  test('commit, images and search', async () => {
    await run()
    const committed = await cloud.ask('POST', '/v1/containers/test/commit?repository=my/app&tag=v1')
    expect(committed).toMatchObject({ status: 202, json: { uuid: expect.any(String) } })
    const { uuid } = committed.json as { uuid: string }
    const shown = { uuid, repo: 'my/app', tag: 'v1', size: '1234', host: '', image_id: null }
    expect((await cloud.ask('GET', `/v1/images/${uuid}`)).json).toMatchObject(shown)
    expect((await cloud.ask('GET', '/v1/images/')).json).toMatchObject({ images: [shown], next: null })
    cloud.control.next.registry = async () => [
      { name: 'library/app', description: 'An app', official: true, automated: false, stars: 7 },
      { name: 'my/app', description: 'of the same name', official: false, automated: false, stars: 0 },
    ]
    const searched = (path: string) => cloud.ask('GET', `/v1/images/${path}`)
    expect((await searched('app/search?image_driver=docker')).json).toEqual([
      expect.objectContaining({ name: 'my/app', description: 'my/app:v1' }),
      {
        name: 'library/app',
        description: 'An app',
        is_automated: false,
        metadata: { is_official: true, star_count: 7 },
      },
    ])
    expect((await searched('my/app/search?exact_match=True')).json).toHaveLength(1)
    expect((await searched('app/search?image_driver=glance')).json).toEqual([
      expect.objectContaining({ id: uuid, name: 'my/app', tags: ['v1'], status: 'active', size: 1234 }),
    ])
    expect((await searched('app/search?image_driver=rkt')).status).toBe(400)
    cloud.control.next.registry = async () => {
      throw new Fault('engine.unreachable', { host: 'compute1', reason: 'no route to the registry' })
    }
    expect((await searched('nothing/search')).json).toEqual(oneError('', 503))
    for (const name of ['app', 'my/app', 'my%2Fapp']) {
      const { json } = await searched(`${name}/search?image_driver=docker`)
      expect(json).toMatchObject([
        { name: 'my/app', is_automated: false, metadata: { is_official: false, star_count: 0 } },
      ])
    }
    expect(await cloud.ask('DELETE', `/v1/images/${uuid}`)).toMatchObject({ status: 200, text: 'null' })
    expect((await cloud.ask('GET', `/v1/images/${uuid}`)).json).toEqual(oneError('image-not-found', 404))
    const pull = { repo: 'alpine', host: 'nohost' }
    expect((await cloud.ask('POST', '/v1/images', { token: 'admin', body: pull })).status).toBe(400)
    const pulled = await cloud.ask('POST', '/v1/images', { token: 'admin', body: { ...pull, host: 'compute1' } })
    expect(pulled).toMatchObject({ status: 202, json: { repo: 'alpine', tag: 'latest' } })
    expect(pulled.headers.get('location')).toContain('/container/v1/images/')
  })

  test('hosts, services and zones', async () => {
    const admin = { token: 'admin', version: '1.40' }
    const hosts = await cloud.ask('GET', '/v1/hosts?limit=1', admin)
    expect(hosts.json).toMatchObject({
      hosts: [{ hostname: 'compute1', mem_total: 16_000, cpus: 8, runtimes: ['runc'] }],
    })
    const { next } = hosts.json as { next: string }
    expect(next.startsWith(`${cloud.origin}/v1/hosts?`)).toBe(true)
    const second = await cloud.ask('GET', next.slice(cloud.origin.length), admin)
    expect(second.json).toMatchObject({ hosts: [{ hostname: 'compute2' }] })
    expect((await cloud.ask('GET', '/v1/hosts/none', admin)).json).toEqual(oneError('compute-node-not-found', 404))
    expect((await cloud.ask('GET', '/v1/hosts', { version: '1.40' })).json).toEqual(
      oneError('policy-not-authorized', 403),
    )
    const disabled = await cloud.ask(
      'PUT',
      '/v1/services/disable?host=compute1&binary=zun-compute&disabled_reason=x',
      admin,
    )
    const service = { host: 'compute1', binary: 'zun-compute', disabled: true, disabled_reason: 'x' }
    expect(disabled.json).toEqual({ service })
    expect((await cloud.ask('GET', '/v1/services', admin)).json).toMatchObject({
      services: [{ ...service, state: 'up', last_seen_up: '2026-01-02T03:04:05.678000' }, { host: 'compute2' }],
    })
    const wrong = await cloud.ask('PUT', '/v1/services/enable?host=compute1&binary=zun-api', admin)
    expect(wrong.json).toEqual(oneError('zun-service-not-found', 404))
    const zones = await cloud.ask('GET', '/v1/availability_zones')
    expect(zones.json).toEqual({ availability_zones: [{ availability_zone: 'nova' }], next: null })
  })

  test('quotas', async () => {
    const flat = { containers: 40, memory: 51_200, cpu: 20, disk: 100 }
    expect((await cloud.ask('GET', '/v1/quotas/p')).json).toEqual(flat)
    expect((await cloud.ask('GET', '/v1/quotas/p?usages=True')).json).toMatchObject({ cpu: { limit: 20, in_use: 0 } })
    expect((await cloud.ask('GET', '/v1/quotas/p/defaults')).json).toEqual(flat)
    const put = (body: object, token = 'admin') => cloud.ask('PUT', '/v1/quotas/p', { token, body })
    expect((await put({ cpu: '3', disk: -1 })).json).toEqual({ ...flat, cpu: 3, disk: -1 })
    for (const body of [{ cpu: -2 }, { cpu: 'x' }, { cpu: 1.5 }, { gpu: 1 }]) expect((await put(body)).status).toBe(400)
    expect((await put({ cpu: 1 }, 'demo')).status).toBe(403)
    expect(await cloud.ask('DELETE', '/v1/quotas/p', { token: 'admin' })).toMatchObject({ status: 200, text: 'null' })
    const set = await cloud.ask('PUT', '/v1/quota_classes/default', { token: 'admin', body: { containers: 1 } })
    expect(set.json).toEqual({ ...flat, containers: 1 })
  })

  test('attach and interactive execute point to a websocket', async () => {
    await run({ interactive: true })
    const ws = cloud.origin.replace('http', 'ws')
    const uuid = [...cloud.control.rows.keys()].at(-1)
    const attach = await cloud.ask('GET', '/v1/containers/test/attach')
    expect(attach).toMatchObject({ status: 200, json: `${ws}/container/console/?token=token-1&uuid=${uuid}` })
    expect(attach.headers.get('content-type')).toContain('application/json')
    const { json } = await cloud.ask('POST', '/v1/containers/test/execute?command=sh&run=False&interactive=True')
    const execId = '2'.padStart(64, '0')
    expect(json).toEqual({
      output: null,
      exit_code: null,
      exec_id: execId,
      proxy_url: `${ws}/container/console/?token=token-2&uuid=${uuid}&exec_id=${execId}`,
    })
    expect((await cloud.ask('POST', '/v1/containers/test/stop')).status).toBe(202)
    expect((await cloud.ask('GET', '/v1/containers/test/attach')).status).toBe(409)
    // A client that resizes after the end of the process goes on only after a 400.
    expect((await cloud.ask('POST', '/v1/containers/test/resize?h=24&w=80')).status).toBe(400)
    const late = `/v1/containers/test/execute_resize?exec_id=${execId}&h=24&w=80`
    expect((await cloud.ask('POST', late)).status).toBe(400)
  })
})
