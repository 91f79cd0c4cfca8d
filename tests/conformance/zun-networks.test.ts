import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { oneError } from './zun-errors.ts'

/** Networks, ports, security groups and mounts of containers, as requests and as answers. */
let cloud: FakeCloud
beforeEach(async () => {
  cloud = await fakeCloud()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const run = (body: object = {}, version = '1.40') =>
  cloud.ask('POST', '/v1/containers?run=true', { version, body: { image: 'busybox', name: 'test', ...body } })
const post = (path: string, version = '1.40', body?: object) =>
  cloud.ask('POST', `/v1/containers/test/${path}`, { version, ...(body ? { body } : {}) })
const created = () => cloud.control.calls.findLast(({ name }) => name === 'containers.create')?.args[0]

describe('create', () => {
  test('nets, in their order, are the addresses', async () => {
    const nets = [{ network: 'backend', 'v4-fixed-ip': '10.0.0.77' }, { port: 'port-mine' }]
    expect((await run({ nets })).status).toBe(202)
    expect(created()).toMatchObject({ nets: [{ network: 'backend', addresses: ['10.0.0.77'] }, { port: 'port-mine' }] })
    const { json } = await cloud.ask('GET', '/v1/containers/test')
    const given = { port: 'port-mine', subnet_id: 'subnet-of-net-2', preserve_on_delete: true }
    expect(json).toMatchObject({
      addresses: {
        'net-2': [
          { addr: '10.0.0.77', version: 4, port: 'port-1', preserve_on_delete: false },
          { addr: '10.1.0.9', version: 4, ...given },
          { addr: 'fd00::9', version: 6, ...given },
        ],
      },
      security_groups: ['group-default'],
    })
  })

  test('security groups are resolved to ids, each once', async () => {
    await run({ security_groups: ['web', 'group-web', 'default'] })
    expect(created()).toMatchObject({ groups: ['group-web', 'group-default'] })
    expect((await cloud.ask('GET', '/v1/containers/test')).json).toMatchObject({
      security_groups: ['group-web', 'group-default'],
    })
  })

  test.each([
    ['an unknown network', { nets: [{ network: 'nothing' }] }, oneError('network-not-found', 404)],
    ['another project’s network', { nets: [{ network: 'net-other' }] }, oneError('network-not-found', 404)],
    ['an unknown port', { nets: [{ port: 'nothing' }] }, oneError('port-not-found', 404)],
    ['another project’s port', { nets: [{ port: 'port-other' }] }, oneError('port-not-found', 404)],
    ['a port in use', { nets: [{ port: 'port-used' }] }, oneError('port-in-use', 400)],
    ['an unknown group', { security_groups: ['nothing'] }, oneError('invalid-value', 400)],
    ['another project’s group', { security_groups: ['group-other'] }, oneError('invalid-value', 400)],
    ['a group of two of that name', { security_groups: ['twin'] }, oneError('conflict', 409)],
    ['an unknown volume', { mounts: [{ source: 'v', destination: '/d' }] }, oneError('volume-not-found', 404)],
    ['a volume in use', { mounts: [{ source: 'volume-used', destination: '/d' }] }, oneError('volume-in-use', 400)],
    ['an unknown registry', { registry: 'nothing' }, oneError('registry-not-found', 404)],
  ])('%s is refused before anything is written', async (_what, body, error) => {
    expect((await run(body)).json).toEqual(error)
    expect(cloud.control.rows.size).toBe(0)
  })

  test('mounts and fields below their version are 400', async () => {
    for (const [field, value, version] of [
      ['mounts', [{ size: 1, destination: '/d' }], '1.10'],
      ['registry', 'mine', '1.30'],
      ['exposed_ports', { '80': {} }, '1.23'],
    ] as const) {
      expect((await run({ [field]: value }, version)).json).toEqual(oneError('invalid-param-in-version', 400))
    }
    expect((await run({ mounts: [{ size: '2', destination: '/data' }] }, '1.12')).status).toBe(202)
    expect(created()).toMatchObject({ mounts: [{ kind: 'new', size: 2, destination: '/data' }] })
  })
})

describe('attach, detach, list', () => {
  test('one more network, and away again', async () => {
    await run()
    expect(await post('network_attach?network=backend&fixed_ip=10.0.0.50')).toMatchObject({ status: 200, text: 'null' })
    expect(cloud.control.calls.at(-1)?.args[1]).toEqual({ network: 'backend', addresses: ['10.0.0.50'] })
    const list = await cloud.ask('GET', '/v1/containers/test/network_list', { version: '1.18' })
    const first = { ip_address: '10.0.0.2', version: 4, subnet_id: 'subnet-of-net-1' }
    const second = { ip_address: '10.0.0.50', version: 4, subnet_id: 'subnet-of-net-2' }
    expect(list.json).toEqual({
      networks: [
        { net_id: 'net-1', port_id: 'port-1', fixed_ips: [first] },
        { net_id: 'net-2', port_id: 'port-2', fixed_ips: [second] },
      ],
    })
    const older = await cloud.ask('GET', '/v1/containers/test/network_list', { version: '1.17' })
    expect(older.json).toEqual({
      networks: [
        { net_id: 'net-1', port_id: 'port-1', ...first },
        { net_id: 'net-2', port_id: 'port-2', ...second },
      ],
    })
    expect(await post('network_detach?network=backend')).toMatchObject({ status: 202, text: 'null' })
    expect((await post('network_detach?network=backend')).json).toEqual(oneError('invalid', 400))
    expect(await post('network_attach', '1.8', { port: 'port-mine' })).toMatchObject({ status: 200 })
    expect(await post('network_detach?port=port-mine', '1.17')).toMatchObject({ status: 202 })
  })

  test.each([
    ['network_attach', oneError('schema-validation-error', 400)],
    ['network_attach?network=backend&port=port-mine', oneError('schema-validation-error', 400)],
    ['network_attach?network=backend&fixed_ip=here', oneError('schema-validation-error', 400)],
    ['network_attach?port=port-mine&fixed_ip=10.0.0.1', oneError('schema-validation-error', 400)],
    ['network_attach?network=private', oneError('invalid', 400)],
    ['network_attach?network=nothing', oneError('network-not-found', 404)],
    ['network_attach?network=net-other', oneError('network-not-found', 404)],
    ['network_attach?port=port-other', oneError('port-not-found', 404)],
    ['network_attach?port=port-used', oneError('port-in-use', 400)],
    ['network_detach', oneError('schema-validation-error', 400)],
    ['network_detach?network=private&port=port-1', oneError('schema-validation-error', 400)],
    ['network_detach?network=nothing', oneError('network-not-found', 404)],
    ['network_detach?network=backend', oneError('invalid', 400)],
  ])('%s is refused', async (path, error) => {
    await run()
    expect((await post(path)).json).toEqual(error)
  })

  test('a port is detached by name from 1.17 only', async () => {
    await run()
    expect((await post('network_detach?port=port-1', '1.16')).json).toEqual(oneError('invalid-param-in-version', 400))
    expect((await post('network_detach?network=private', '1.6')).status).toBe(202)
  })
})

test('security groups come and go, up to 1.14', async () => {
  await run()
  expect(await post('add_security_group?name=web', '1.14')).toMatchObject({ status: 202, text: 'null' })
  expect((await cloud.ask('GET', '/v1/containers/test')).json).toMatchObject({
    security_groups: ['group-default', 'group-web'],
  })
  expect((await post('add_security_group?name=web', '1.14')).json).toEqual(oneError('invalid', 400))
  expect(await post('remove_security_group', '1.14', { name: 'group-web' })).toMatchObject({ status: 202 })
  expect((await post('remove_security_group?name=web', '1.14')).json).toEqual(oneError('invalid', 400))
  expect((await post('add_security_group?name=nothing', '1.14')).json).toEqual(oneError('invalid-value', 400))
  expect((await post('add_security_group?name=twin', '1.14')).json).toEqual(oneError('conflict', 409))
  expect((await post('add_security_group', '1.14')).json).toEqual(oneError('schema-validation-error', 400))
  expect((await post('add_security_group?name=web', '1.15')).status).toBe(406)
})

test('registering a network tells whether it exists, to administrators', async () => {
  const register = (body: object, token = 'admin') => cloud.ask('POST', '/v1/networks', { token, body })
  const network = { name: 'mine', neutron_net_id: 'net-1' }
  expect(await register(network)).toMatchObject({
    status: 200,
    json: {
      uuid: 'net-1',
      name: 'mine',
      project_id: 'project-demo',
      user_id: 'user-admin',
      network_id: 'net-1',
      neutron_net_id: 'net-1',
    },
  })
  expect((await register({ name: 'mine' })).json).toEqual(oneError('schema-validation-error', 400))
  expect((await register({ ...network, neutron_net_id: 'nothing' })).json).toEqual(oneError('network-not-found', 404))
  expect((await register(network, 'demo')).json).toEqual(oneError('policy-not-authorized', 403))
  const admin = { token: 'admin', version: '1.27' }
  expect(await cloud.ask('DELETE', '/v1/networks/net-1', admin)).toMatchObject({ status: 204, text: '' })
  expect((await cloud.ask('DELETE', '/v1/networks/nothing', admin)).json).toEqual(oneError('network-not-found', 404))
})
