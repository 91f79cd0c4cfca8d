import { expect, describe, test } from 'vitest'
import { allOf, firstOf } from './collection.ts'
import { bufferContent } from './content.ts'
import { kinds } from './service-kind.ts'
import { computeService } from './services/compute.ts'
import { identityService } from './services/identity.ts'
import { imageService } from './services/image.ts'
import { networkService } from './services/network.ts'
import { objectStoreService } from './services/object-store.ts'
import { orchestrationService } from './services/orchestration.ts'
import { placementService } from './services/placement.ts'
import { volumeService } from './services/volume.ts'
import { context, json, type SmallCloud, smallCloud } from './testing/small-cloud.ts'

const port = (id: string) => ({
  id,
  network_id: 'n',
  mac_address: 'fa:16:3e:00:00:01',
  status: 'ACTIVE',
  fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.5' }],
  'binding:vif_type': 'bridge',
})
const lines = ({ calls }: SmallCloud) => calls().map(({ method, url }) => `${method} ${url}`)

describe('lists', () => {
  test('follow links by their markers, at the place that the catalog names', async () => {
    await using small = await smallCloud(({ url }, response) => {
      const marker = new URL(url, 'http://x').searchParams.get('marker')
      const next = { rel: 'next', href: 'http://stranger/v2.0/ports?limit=2&marker=b' }
      return marker === null
        ? json(response, 200, { ports: [port('a'), port('b')], ports_links: [next] })
        : json(response, 200, { ports: [port('c')], ports_links: [{ rel: 'previous', href: 'x' }] })
    })
    const ports = await allOf(networkService(small.session()).ports.list({ tags: 'x,y' }, context()))
    expect(ports.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(lines(small)).toEqual([
      'GET /network/v2.0/ports?tags=x%2Cy&limit=500',
      'GET /network/v2.0/ports?tags=x%2Cy&limit=500&marker=b',
    ])
  })

  test('ask for no page that nobody reads', async () => {
    await using small = await smallCloud((_, response) =>
      json(response, 200, { ports: [port('a')], ports_links: [{ rel: 'next', href: '/?marker=a' }] }),
    )
    const { ports } = networkService(small.session())
    expect((await firstOf(ports.list({}, context())))?.id).toBe('a')
    expect(small.calls()).toHaveLength(1)
    await expect(allOf(ports.list({}, context()))).rejects.toThrow(/leads to itself/)
  })

  test('of Swift go on until a page is empty', async () => {
    await using small = await smallCloud(({ url }, response) => {
      const names = url.includes('marker=b') ? [] : ['a', 'b']
      json(
        response,
        200,
        names.map((name) => ({ name, bytes: 1, hash: 'h' })),
      )
    })
    const objects = await allOf(objectStoreService(small.session()).objects('backups', { prefix: 'x/' }, context()))
    expect(objects.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(lines(small)[1]).toBe('GET /v1/AUTH_p1/backups?prefix=x%2F&format=json&limit=500&marker=b')
  })

  test('of Keystone do not say how much a page holds, and follow its links', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    const session = small.session()
    await session.info(context())
    small.keystone = ({ url }, response) => {
      if (url.includes('limit'))
        return json(response, 400, { error: { message: 'Additional properties are not allowed' } })
      const links = { next: url.includes('marker') ? null : 'http://stranger/v3/roles?marker=a' }
      return json(response, 200, { roles: [{ id: url.includes('marker') ? 'b' : 'a', name: 'member' }], links })
    }
    const roles = await allOf(identityService(session).roles.list({ name: 'member' }, context()))
    expect(roles.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test.each([
    ['no JSON', '<p>', /no list "ports"/],
    ['another document', '{"networks": []}', /no list "ports"/],
    ['a port without its address', '{"ports": [{"id": "a"}]}', /cannot be read/],
    ['null', 'null', /no list "ports"/],
  ])('that are %s are an error', async (_, text, reason) => {
    await using small = await smallCloud((_, response) => response.end(text))
    const listed = allOf(networkService(small.session()).ports.list({}, context()))
    await expect(listed).rejects.toMatchObject({ failure: 'unreadable', message: expect.stringMatching(reason) })
  })
})

describe('things', () => {
  test('are wrapped in their name, and going twice is the same as once', async () => {
    await using small = await smallCloud(({ method }, response) =>
      method === 'DELETE' ? json(response, 404, {}) : json(response, 201, { port: port('a') }),
    )
    const { ports } = networkService(small.session())
    const made = await ports.create(
      { network_id: 'n', 'binding:host_id': 'h1', device_owner: 'compute:kuryr' },
      context(),
    )
    expect(made['binding:vif_type']).toBe('bridge')
    expect(JSON.parse(small.calls()[0]?.text ?? '')).toEqual({
      port: { network_id: 'n', 'binding:host_id': 'h1', device_owner: 'compute:kuryr' },
    })
    await ports.update('a', { 'binding:host_id': null }, context())
    expect(await ports.remove('a', context())).toBe(false)
    await ports.show('../networks', context())
    expect(lines(small)).toEqual([
      'POST /network/v2.0/ports',
      'PUT /network/v2.0/ports/a',
      'DELETE /network/v2.0/ports/a',
      'GET /network/v2.0/ports/..%2Fnetworks',
    ])
  })

  test('of Neutron beside the collections', async () => {
    await using small = await smallCloud(({ url }, response) => {
      if (url.endsWith('/extensions')) return json(response, 200, { extensions: [{ alias: 'trunk', name: 'T' }] })
      if (url.endsWith('details.json'))
        return json(response, 200, { quota: { port: { limit: 5, used: 1, reserved: 0 } } })
      return json(response, 200, {
        port_forwarding: { id: 'f', protocol: 'tcp', internal_port_id: 'a', internal_ip_address: 'x' },
      })
    })
    const network = networkService(small.session())
    expect(await network.extensions(context())).toEqual(new Set(['trunk']))
    expect(await network.quota('p1', context())).toEqual({ port: { limit: 5, used: 1, reserved: 0 } })
    const forwarding = {
      protocol: 'tcp',
      internal_port_id: 'a',
      internal_ip_address: 'x',
      internal_port: 80,
      external_port: 8080,
    }
    expect((await network.portForwardings('fip').create(forwarding, context())).id).toBe('f')
    await network.replaceTags('ports', 'a', ['one'], context())
    await network.addInterface('r', { subnet_id: 's' }, context())
    expect(lines(small).slice(2)).toEqual([
      'POST /network/v2.0/floatingips/fip/port_forwardings',
      'PUT /network/v2.0/ports/a/tags',
      'PUT /network/v2.0/routers/r/add_router_interface',
    ])
  })

  test('of Keystone: a token that is none is null', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    const session = small.session()
    await session.info(context())
    const issue = small.keystone
    small.keystone = ({ headers }, response) =>
      headers['x-subject-token'] === 'good'
        ? issue({ method: 'GET', url: '', headers, text: '' }, response, {} as never)
        : json(response, 404, { error: { message: 'This is not a recognized Fernet token' } })
    const identity = identityService(session)
    expect(await identity.validate('bad', context())).toBeNull()
    expect((await identity.validate('good', context()))?.user.name).toBe('demo')
    expect(await identity.revoke('bad', context())).toBe(false)
    expect(small.logIns().at(-3)?.headers).toMatchObject({ 'x-auth-token': 'token-1', 'x-subject-token': 'bad' })
  })

  test('of Glance are patched in its own media type', async () => {
    await using small = await smallCloud(({ url }, response) =>
      url === '/image/'
        ? response.writeHead(404).end()
        : json(response, 200, { id: 'i', status: 'active', own: 'mine' }),
    )
    const patched = await imageService(small.session()).update(
      'i',
      [{ op: 'replace', path: '/name', value: 'n' }],
      context(),
    )
    expect(patched['own']).toBe('mine')
    const [, patch] = small.calls()
    expect(patch?.url).toBe('/image/v2/images/i')
    expect(patch?.headers['content-type']).toBe('application/openstack-images-v2.1-json-patch')
  })

  test('of Swift may have slashes in their names', async () => {
    await using small = await smallCloud((_, response, request) => {
      request.resume().once('end', () => response.writeHead(201, { etag: 'md5' }).end())
    })
    const store = objectStoreService(small.session())
    const sent = store.upload('c', 'a/b c', bufferContent(Buffer.from('x')), context(), { metadata: { By: 'me' } })
    expect(await sent).toBe('md5')
    expect(lines(small)).toEqual(['PUT /v1/AUTH_p1/c/a/b%20c'])
    expect(small.calls()[0]?.headers['x-object-meta-by']).toBe('me')
    expect(() => store.removeObject('c', '../d', context())).toThrow(/cannot have/)
  })

  test('of Heat are named by both words', async () => {
    await using small = await smallCloud((_, response) => json(response, 201, { stack: { id: 's1' } }))
    const heat = orchestrationService(small.session())
    const stack = await heat.create({ stack_name: 'web', template: '{}' }, context())
    await heat.remove(stack, context())
    expect(lines(small)).toEqual(['POST /v1/p1/stacks', 'DELETE /v1/p1/stacks/web/s1'])
  })
})

describe('microversions', () => {
  const offering = (most: string) => ({ versions: [{ id: 'v3.0', version: most, min_version: '3.0' }] })

  test('are the newest that both know, found out once', async () => {
    await using small = await smallCloud(({ url }, response) =>
      url === '/volume/v3/'
        ? json(response, 200, offering('3.50'))
        : json(response, 200, { volume: { id: 'v', status: 'in-use', size: 1 } }),
    )
    const { volumes } = volumeService(small.session())
    await volumes.show('v', context())
    await volumeService(small.session()).volumes.show('v', context())
    expect(lines(small)).toEqual(['GET /volume/v3/', 'GET /volume/v3/p1/volumes/v', 'GET /volume/v3/p1/volumes/v'])
    expect(small.calls()[1]?.headers['openstack-api-version']).toBe('volume 3.50')
  })

  test('that a service is too old for are an error that says so', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, offering('3.27')))
    await expect(volumeService(small.session()).volumes.show('v', context())).rejects.toMatchObject({
      failure: 'unfit',
      reason: 'a microversion from 3.44 to 3.59 is needed, and it offers 3.0 to 3.27',
    })
  })

  test('of Nova’s quotas are found where they are nested', async () => {
    await using small = await smallCloud(({ url }, response) => {
      if (url === '/compute/v2.1/')
        return json(response, 200, { version: { id: 'v2.1', version: '2.93', min_version: '2.1' } })
      return json(response, 200, { limits: { rate: [], absolute: { maxTotalInstances: 10, totalInstancesUsed: 2 } } })
    })
    expect(await computeService(small.session()).limits(context())).toEqual({
      maxTotalInstances: 10,
      totalInstancesUsed: 2,
    })
  })

  test('of Nova and Placement', async () => {
    await using small = await smallCloud(({ url }, response) => {
      if (url === '/compute/v2.1/')
        return json(response, 200, { version: { id: 'v2.1', version: '2.93', min_version: '2.1' } })
      if (url === '/placement/')
        return json(response, 200, { versions: [{ id: 'v1.0', max_version: '1.39', min_version: '1.0' }] })
      return json(response, 200, { server: { id: 's', name: 'n', status: 'ACTIVE' }, resource_providers: [] })
    })
    await computeService(small.session()).servers.show('s', context())
    await allOf(placementService(small.session()).providers({}, context()))
    expect(small.calls().map(({ headers }) => headers['openstack-api-version'])).toEqual([
      undefined,
      'compute 2.87',
      undefined,
      'placement 1.39',
    ])
  })
})

describe('places', () => {
  test('come from the interface that was chosen, or from what was said instead', async () => {
    await using inside = await smallCloud((_, response) => json(response, 200, {}), { interface: 'internal' })
    expect((await inside.session().endpoint(kinds.network, context())).pathname).toBe('/inside/network/v2.0')
    await using moved = await smallCloud((_, response) => json(response, 200, {}), {
      endpoints: { network: 'http://127.0.0.1:1/else/v2.0' },
    })
    expect((await moved.session().endpoint(kinds.network, context())).href).toBe('http://127.0.0.1:1/else/v2.0')
    await using far = await smallCloud((_, response) => json(response, 200, {}), { region: 'nowhere' })
    await expect(far.session().endpoint(kinds.network, context())).rejects.toThrow(
      /in region nowhere, but public in here/,
    )
  })

  test('without the version that is needed are an error', async () => {
    await using small = await smallCloud((_, response) =>
      json(response, 300, { versions: [{ id: 'v1.1', status: 'CURRENT' }] }),
    )
    await expect(small.session().endpoint(kinds.image, context())).rejects.toThrow(
      /version 2 of its API is needed, and it offers v1.1/,
    )
  })

  test('whose versions cannot be read for a moment are asked for again', async () => {
    const state = { isDown: true }
    await using small = await smallCloud((_, response) =>
      state.isDown
        ? response.writeHead(503).end()
        : json(response, 300, { versions: [{ id: 'v2.9', status: 'CURRENT' }] }),
    )
    const session = small.session()
    await expect(session.endpoint(kinds.image, context())).rejects.toMatchObject({ status: 503 })
    state.isDown = false
    expect((await session.endpoint(kinds.image, context())).pathname).toBe('/image/v2')
  })
})
