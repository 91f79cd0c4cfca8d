import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { oneError } from './zun-errors.ts'

/** How containers are described, echoed, shown and listed. */
let cloud: FakeCloud
beforeEach(async () => {
  cloud = await fakeCloud()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const run = (body: object = {}, version = '1.40') =>
  cloud.ask('POST', '/v1/containers?run=true', { version, body: { image: 'busybox', name: 'test', ...body } })

describe('a container', () => {
  test('is echoed with nulls and shown without them', async () => {
    const created = await run({ restart_policy: { Name: 'on-failure', MaximumRetryCount: 2 }, labels: { a: 1 } })
    const { uuid } = created.json as { uuid: string }
    expect(created.status).toBe(202)
    expect(created.headers.get('location')).toBe(`${cloud.origin}/container/v1/containers/${uuid}`)
    expect(created.json).toMatchObject({
      name: 'test',
      command: null,
      environment: null,
      addresses: null,
      ports: null,
      security_groups: null,
      labels: { a: '1' },
      restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' },
      status: 'Creating',
    })
    const { json } = await cloud.ask('GET', '/v1/containers/test')
    expect(json).toEqual({
      uuid,
      links: [
        { href: `${cloud.origin}/container/v1/containers/${uuid}`, rel: 'self' },
        { href: `${cloud.origin}/container/containers/${uuid}`, rel: 'bookmark' },
      ],
      name: 'test',
      project_id: 'project-demo',
      user_id: 'user-demo',
      image: 'busybox',
      cpu: 1,
      cpu_policy: 'shared',
      memory: '512',
      command: ['sh'],
      status: 'Running',
      status_reason: null,
      task_state: null,
      environment: {},
      workdir: '/',
      auto_remove: false,
      ports: [80],
      hostname: 'c0ffee',
      labels: { a: '1' },
      addresses: {
        'net-1': [
          { addr: '10.0.0.2', version: 4, port: 'port-1', subnet_id: 'subnet-of-net-1', preserve_on_delete: false },
        ],
      },
      restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' },
      status_detail: 'Up 3 mins',
      interactive: false,
      tty: false,
      image_driver: 'docker',
      security_groups: ['group-default'],
      disk: expect.any(Number),
      auto_heal: false,
      healthcheck: {},
      registry_id: null,
      entrypoint: [],
      created_at: '2026-01-02 03:04:05.678000',
      updated_at: null,
    })
  })

  test('shows its host only to administrators', async () => {
    await run()
    const { json } = await cloud.ask('GET', '/v1/containers/test', { token: 'admin' })
    expect(json).toMatchObject({
      host: 'compute1',
      image_pull_policy: 'ifnotpresent',
      runtime: null,
      privileged: false,
    })
    expect((await cloud.ask('GET', '/v1/containers', { token: 'admin' })).text).toContain('"host":"compute1"')
    expect((await cloud.ask('GET', '/v1/containers')).text).not.toContain('compute1')
  })

  test('is changed by PATCH, unchanged by an empty one', async () => {
    await run()
    expect(await cloud.ask('PATCH', '/v1/containers/test', { body: {} })).toMatchObject({ status: 200 })
    expect(cloud.control.calls.at(-1)?.name).toBe('containers.get')
    const changed = await cloud.ask('PATCH', '/v1/containers/test', {
      body: { cpu: '0.5', memory: '256', name: 'other' },
    })
    expect(changed).toMatchObject({ status: 200, json: { cpu: 0.5, memory: '256', name: 'other' } })
    const resized = await cloud.ask('POST', '/v1/containers/other/resize_container', {
      version: '1.19',
      body: { cpu: 2 },
    })
    expect(resized).toMatchObject({ status: 202, json: { cpu: 0.5 } })
    for (const body of [{ image: 'x' }, { cpu: 99 }, { memory: 'x' }, { name: '-' }]) {
      expect((await cloud.ask('PATCH', '/v1/containers/other', { body })).status).toBe(400)
    }
    const same = await cloud.ask('POST', '/v1/containers/other/rename?name=other')
    expect(same.json).toEqual(oneError('conflict', 409))
  })

  test('a command from before 1.20 is split like a shell does', async () => {
    const { json } = await run({ command: '"ping" "-c" "4"' }, '1.12')
    expect(json).toMatchObject({ command: ['ping', '-c', '4'] })
  })

  test('an unknown host is a 404 of its own', async () => {
    const body = { image: 'busybox', host: 'nohost' }
    const { json } = await cloud.ask('POST', '/v1/containers', { token: 'admin', version: '1.40', body })
    expect(json).toEqual(oneError('requested-host-not-found', 404))
  })
})

describe('lists', () => {
  test('page by page, with next cut the way clients cut it', async () => {
    for (const name of ['aa', 'bb', 'cc']) await run({ name })
    const first = await cloud.ask('GET', '/v1/containers/?limit=2&sort_key=name&status=Running')
    const { containers, next } = first.json as { containers: { name: string; links?: unknown }[]; next: string }
    expect(containers.map(({ name }) => name)).toEqual(['aa', 'bb'])
    expect(containers[0]).not.toHaveProperty('links')
    expect(next.startsWith(`${cloud.origin}/v1/containers?`)).toBe(true)
    expect(Object.fromEntries(new URL(next).searchParams)).toMatchObject({
      status: 'Running',
      sort_key: 'name',
      limit: '2',
    })
    const second = await cloud.ask('GET', next.slice(cloud.origin.length))
    expect(second.json).toMatchObject({ containers: [{ name: 'cc' }], next: null })
  })

  test('limit is capped, markers must exist, and nobody filters by what they cannot see', async () => {
    await run()
    await cloud.ask('GET', '/v1/containers?limit=99999')
    expect(cloud.control.calls.at(-1)?.args[0]).toMatchObject({ limit: 1000, sortKey: 'id', descending: false })
    for (const marker of ['test', '00000000-0000-4000-8000-0000000000ff']) {
      const { json } = await cloud.ask('GET', `/v1/containers?marker=${marker}`)
      expect(json).toEqual(oneError('container-not-found', 404))
    }
    const refused = await cloud.ask('GET', '/v1/containers?host=compute1')
    expect(refused.json).toEqual(oneError('policy-not-authorized', 403))
    expect((await cloud.ask('GET', '/v1/containers?host=compute1', { token: 'admin' })).status).toBe(200)
  })

  test('every filter reaches the query', async () => {
    const query =
      'name=a&image=b&project_id=c&user_id=d&memory=512&host=e&task_state=None&status=Running&auto_remove=True'
    await cloud.ask('GET', `/v1/containers?${query}&sort_dir=desc&all_projects=True`, { token: 'admin' })
    const filters = { name: 'a', image: 'b', projectId: 'c', userId: 'd', memory: 512, host: 'e', task: null }
    expect(cloud.control.calls.at(-1)?.args[0]).toEqual({
      filters: { ...filters, status: 'Running', autoRemove: true },
      sortKey: 'id',
      descending: true,
      limit: 1000,
      marker: null,
      allProjects: true,
    })
  })
})
