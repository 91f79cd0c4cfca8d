import { describe, expect, test } from 'vitest'
import { type ServedCloud, serveFakeCloud } from './testing/index.ts'

async function ask(cloud: ServedCloud, method: string, path: string, body?: unknown, token = 'demo-token') {
  const headers = { 'x-auth-token': token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const response = await fetch(`http://127.0.0.1:${cloud.port}/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

/** A network `shop` with the subnet 10.7.0.0/24. */
async function withShop(cloud: ServedCloud): Promise<string> {
  const { body } = await ask(cloud, 'POST', '/networks', { name: 'shop' })
  await ask(cloud, 'POST', '/subnets', { network: 'shop', name: 'shop-4', cidr: '10.7.0.0/24' })
  return body.id
}

describe('networks', () => {
  test('and subnets are created, listed, renamed and deleted', async () => {
    await using cloud = await serveFakeCloud()
    const made = await ask(cloud, 'POST', '/networks', { name: 'shop' })
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`/v1/networks/${made.body.id}`)
    expect(made.body).toMatchObject({
      name: 'shop',
      shared: false,
      external: false,
      createdAt: '1970-01-01T00:00:00.000Z',
    })
    const subnet = await ask(cloud, 'POST', '/subnets', { network: 'shop', cidr: '10.7.0.0/24', gateway: null })
    expect(subnet).toMatchObject({ status: 201, body: { networkId: made.body.id, gateway: null, version: 4 } })
    const names = async (token?: string) =>
      (await ask(cloud, 'GET', '/networks', undefined, token)).body.networks.map((one: { name: string }) => one.name)
    expect(await names()).toEqual(['public', 'shop'])
    expect(await names('other-token')).toEqual(['public'])
    expect((await ask(cloud, 'GET', '/subnets?network=shop')).body.subnets).toHaveLength(1)
    expect((await ask(cloud, 'PATCH', '/networks/shop', { name: 'store' })).body.name).toBe('store')
    expect((await ask(cloud, 'DELETE', `/subnets/${subnet.body.id}`)).status).toBe(204)
    expect((await ask(cloud, 'DELETE', '/networks/store')).status).toBe(204)
    expect(await ask(cloud, 'GET', '/networks/store')).toMatchObject({
      status: 404,
      body: { error: { code: 'network.not-found', message: 'The network store could not be found.' } },
    })
    expect((await ask(cloud, 'POST', '/networks', { name: 'all', shared: true })).status).toBe(403)
  })

  test('of another project do not exist, whatever is asked of them', async () => {
    await using cloud = await serveFakeCloud()
    await withShop(cloud)
    await ask(cloud, 'POST', '/security-groups', { name: 'web' })
    await ask(cloud, 'POST', '/routers', { name: 'r' })
    await ask(cloud, 'POST', '/volumes', { name: 'data', size: 1 })
    for (const path of ['/networks/shop', '/subnets/shop-4', '/security-groups/web', '/routers/r', '/volumes/data']) {
      for (const method of ['GET', 'DELETE']) {
        expect((await ask(cloud, method, path, undefined, 'other-token')).status, `${method} ${path}`).toBe(404)
        expect((await ask(cloud, 'GET', path)).status).toBe(200)
      }
    }
  })

  test('a port tells its host to administrators only', async () => {
    await using cloud = await serveFakeCloud()
    await withShop(cloud)
    const port = { network: 'shop', name: 'p', fixedIps: [{ address: '10.7.0.9' }], mac: 'FA:16:3E:00:00:01' }
    const made = await ask(cloud, 'POST', '/ports', port)
    expect(made.body).toMatchObject({ mac: 'fa:16:3e:00:00:01', securityGroups: [], deviceId: null, hostId: null })
    expect((await ask(cloud, 'PATCH', '/ports/p', { filtered: false })).body.filtered).toBe(false)
    expect((await ask(cloud, 'GET', '/ports?network=shop')).body.ports).toHaveLength(1)
    expect((await ask(cloud, 'GET', '/ports?device=nobody')).body.ports).toHaveLength(0)
  })

  test('rules of security groups, removed only through their own group', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/security-groups', { name: 'web', description: 'fronts' })
    await ask(cloud, 'POST', '/security-groups', { name: 'db' })
    const rule = { direction: 'ingress', protocol: 'tcp', portMin: 80, remoteGroup: 'db' }
    const made = await ask(cloud, 'POST', '/security-groups/web/rules', rule)
    expect(made).toMatchObject({ status: 201, body: { portMin: 80, portMax: 80, version: 4, remotePrefix: null } })
    expect((await ask(cloud, 'GET', '/security-groups/web')).body.rules).toHaveLength(3)
    const other = await ask(cloud, 'DELETE', `/security-groups/db/rules/${made.body.id}`)
    expect(other).toMatchObject({ status: 404, body: { error: { code: 'network.not-found' } } })
    expect((await ask(cloud, 'DELETE', `/security-groups/web/rules/${made.body.id}`)).status).toBe(204)
    expect((await ask(cloud, 'GET', '/security-groups/web')).body.rules).toHaveLength(2)
  })

  test('routers join subnets and lead out; floating IPs lead to ports, whole or by port', async () => {
    await using cloud = await serveFakeCloud()
    await withShop(cloud)
    await ask(cloud, 'POST', '/routers', { name: 'r' })
    const out = await ask(cloud, 'PUT', '/routers/r/gateway', { network: 'public' })
    expect(out.body.gateway).toMatchObject({ snat: true })
    const joined = await ask(cloud, 'POST', '/routers/r/interfaces', { subnet: 'shop-4' })
    expect(joined.body.interfaces).toMatchObject([{ address: '10.7.0.1' }])
    expect((await ask(cloud, 'DELETE', '/routers/r/interfaces?subnet=shop-4')).body.interfaces).toEqual([])
    expect((await ask(cloud, 'DELETE', '/routers/r/gateway')).body.gateway).toBeNull()

    await ask(cloud, 'POST', '/ports', { network: 'shop', name: 'p', fixedIps: [{ address: '10.7.0.9' }] })
    const { body: ip } = await ask(cloud, 'POST', '/floating-ips', { port: 'p' })
    expect(ip).toMatchObject({ fixedAddress: '10.7.0.9', forwardings: [] })
    const nowhere = await ask(cloud, 'PATCH', `/floating-ips/${ip.address}`, { port: null })
    expect(nowhere.body).toMatchObject({ portId: null, fixedAddress: null })
    const forwarding = { externalPort: 8080, internalPort: 80, port: 'p' }
    const made = await ask(cloud, 'POST', `/floating-ips/${ip.id}/forwardings`, forwarding)
    expect(made).toMatchObject({ status: 201, body: { protocol: 'tcp', address: '10.7.0.9' } })
    expect((await ask(cloud, 'DELETE', `/floating-ips/${ip.id}/forwardings/${made.body.id}`)).status).toBe(204)
    expect((await ask(cloud, 'DELETE', `/floating-ips/${ip.id}`)).status).toBe(204)
  })
})

describe('a container', () => {
  test('shows its addresses, groups and mounts, and never what is in a file', async () => {
    await using cloud = await serveFakeCloud()
    const network = await withShop(cloud)
    const group = await ask(cloud, 'POST', '/security-groups', { name: 'web' })
    const volume = await ask(cloud, 'POST', '/volumes', { name: 'data', size: 2 })
    const content = Buffer.from('a secret').toString('base64')
    const { status, body } = await ask(cloud, 'POST', '/containers', {
      image: 'nginx',
      name: 'web',
      nets: [{ network: 'shop', addresses: ['10.7.0.20'] }],
      securityGroups: ['web'],
      mounts: [
        { source: 'data', destination: '/data', readOnly: true },
        { content, destination: '/etc/secret' },
      ],
    })
    expect(status).toBe(202)
    expect(body.addresses).toEqual([
      {
        network,
        port: expect.any(String),
        address: '10.7.0.20',
        version: 4,
        subnet: expect.any(String),
        mac: expect.any(String),
      },
    ])
    expect(body.securityGroups).toEqual([group.body.id])
    expect(body.mounts).toEqual([
      { kind: 'volume', destination: '/data', readOnly: true, volumeId: volume.body.id, size: null },
      { kind: 'file', destination: '/etc/secret', readOnly: true, volumeId: null, size: 8 },
    ])
    expect(JSON.stringify(body)).not.toContain(content)
    expect((await ask(cloud, 'GET', '/volumes/data')).body).toMatchObject({ status: 'in-use', containerId: body.id })
    expect((await ask(cloud, 'DELETE', '/volumes/data')).status).toBe(409)
  })

  test('is plugged into networks, unplugged, and put into groups', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/containers', { image: 'nginx', name: 'web' })
    const network = await withShop(cloud)
    await ask(cloud, 'POST', '/security-groups', { name: 'web' })
    const attached = await ask(cloud, 'POST', '/containers/web/networks', { network: 'shop' })
    expect(attached).toMatchObject({ status: 202, body: { addresses: [{}, { network }] } })
    const added = await ask(cloud, 'POST', '/containers/web/security-groups', { securityGroup: 'web' })
    expect(added.body.securityGroups).toHaveLength(1)
    expect((await ask(cloud, 'POST', '/containers/web/security-groups', { securityGroup: 'web' })).status).toBe(400)
    const removed = await ask(cloud, 'DELETE', '/containers/web/security-groups?securityGroup=web')
    expect(removed.body.securityGroups).toEqual([])
    expect((await ask(cloud, 'DELETE', '/containers/web/networks?network=shop')).body.addresses).toHaveLength(1)
    expect((await ask(cloud, 'DELETE', '/containers/web/networks?network=shop')).status).toBe(400)
  })
})

describe('capsules', () => {
  test('a capsule is made of a template, shown with its containers, listed by page and deleted', async () => {
    await using cloud = await serveFakeCloud()
    const template = (name: string) => ({ metadata: { name }, spec: { containers: [{ image: 'nginx' }] } })
    const made = await ask(cloud, 'POST', '/capsules', { template: template('shop') })
    expect(made).toMatchObject({
      status: 202,
      body: { name: 'shop', status: 'Running', host: null, restartPolicy: 'always', containers: [{ image: 'nginx' }] },
    })
    await ask(cloud, 'POST', '/capsules', { template: JSON.stringify(template('other')) })
    const first = await ask(cloud, 'GET', '/capsules?limit=1')
    expect(first.body).toMatchObject({ capsules: [{ name: 'shop' }], next: made.body.id })
    const second = await ask(cloud, 'GET', `/capsules?limit=1&marker=${first.body.next}`)
    expect(second.body).toMatchObject({ capsules: [{ name: 'other' }], next: null })
    expect((await ask(cloud, 'DELETE', '/capsules/shop')).status).toBe(202)
    expect((await ask(cloud, 'GET', '/capsules/shop')).status).toBe(404)
  })
})
