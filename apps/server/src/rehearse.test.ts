import { type Control, createControl, defaultPolicy, type RemotePorts, type RemoteVolumes } from '@gantry/control'
import { createSimHost, unfaked } from '@gantry/control/testing'
import { randomIds } from '@gantry/kernel'
import { defaultSpec, type Publish } from '@gantry/model'
import { createStore, openSqlite } from '@gantry/store'
import { expect, test } from 'vitest'
import { aCaller, aWorld, simHostId, someProviders } from './testing/a-world.ts'

const spec = { ...defaultSpec('busybox:latest'), cpu: 0.01, memory: 4 }
const asked = { name: 'web', spec, run: true }
const me = aCaller()

function publishing(...ports: Partial<Publish>[]) {
  const one = { protocol: 'tcp', containerPort: 80, publicPort: null, address: null } as const
  return { ...asked, spec: { ...spec, options: { publish: ports.map((port) => ({ ...one, ...port })) } } }
}

/** All of a project that a create may leave behind. */
async function traces({ containers, network, storage, quotas }: Control) {
  return {
    containers: (
      await containers.list(me, {
        allProjects: false,
        filters: {},
        sortKey: 'created_at',
        descending: false,
        limit: 100,
        marker: null,
      })
    ).map(({ name }) => name),
    networks: (await network.networks.list(me)).map(({ name }) => name),
    ports: (await network.ports.list(me)).length,
    groups: (await network.groups.list(me)).map(({ name }) => name),
    floatingIps: (await network.floatingIps.list(me)).length,
    volumes: (await storage.volumes.list(me)).length,
    used: (await quotas.get(me, me.projectId)).used,
  }
}

test('a rehearsal answers with what would be, and nothing is there afterwards', async () => {
  await using world = await aWorld()
  const { control } = world
  const before = await traces(control)
  const mounts = [{ kind: 'new', size: 1, destination: '/data', readOnly: false } as const]
  const made = await control.containers.rehearse(me, { ...publishing({ publicPort: 8080 }), mounts }, 1)
  expect(made).toMatchObject({ name: 'web', status: 'Creating', nics: [{ addresses: [{ version: 4 }] }] })
  expect(made.mounts).toHaveLength(1)
  await expect(control.containers.get(me, made.id)).rejects.toMatchObject({ code: 'container.not-found' })
  expect(await traces(control)).toEqual(before)
  // And it may be asked for after that.
  await control.containers.create(me, publishing({ publicPort: 8080 }))
})

test('a rehearsal is refused for what the create would be refused for', async () => {
  await using world = await aWorld()
  const { control } = world
  await control.quotas.set(aCaller('admins', ['admin']), me.projectId, { containers: 3 })
  await control.containers.create(me, publishing({ publicPort: 8080 }))
  const before = await traces(control)
  const refused = async (input: Parameters<Control['containers']['rehearse']>[1], count: number, code: string) => {
    await expect(control.containers.rehearse(me, input, count)).rejects.toMatchObject({ code })
  }
  await refused(publishing({ publicPort: 8080 }), 1, 'port.allocated')
  await refused({ ...asked, nets: [{ network: 'nowhere', addresses: [] }] }, 1, 'network.not-found')
  await refused({ ...asked, groups: ['nobody'] }, 1, 'network.not-found')
  await refused({ ...asked, name: '-' }, 1, 'request.invalid')
  await refused(asked, 3, 'quota.exceeded')
  await refused(asked, 0, 'request.invalid')
  const volume = await control.storage.volumes.create(me, { name: 'data', size: 1 })
  const source = { kind: 'volume', source: volume.id, destination: '/data', readOnly: false } as const
  await expect(control.containers.rehearse(me, { ...asked, mounts: [{ ...source, source: 'none' }] }, 1))
    .rejects //
    .toMatchObject({ code: 'volume.not-found' })
  expect(await traces(control)).toMatchObject({ containers: before.containers, ports: before.ports, used: before.used })
  expect((await control.containers.rehearse(me, asked, 2)).name).toBe('web-1')
})

test('of many, only one can have an address, and a public port that is named', async () => {
  await using world = await aWorld()
  const { control } = world
  const network = await control.network.networks.ensureUsual(me)
  const [subnet] = await control.network.subnets.list(me, { network: network.id })
  const address = subnet?.pools[0]?.end ?? ''
  const fixed = { ...asked, nets: [{ network: network.id, addresses: [address] }] }
  for (const verb of ['rehearse', 'createMany'] as const) {
    const of = (input: typeof asked) => control.containers[verb](me, input, 2)
    await expect(of(fixed)).rejects.toMatchObject({ code: 'address.in-use' })
    await expect(of(publishing({ publicPort: 8080 }))).rejects.toMatchObject({ code: 'port.for-one' })
    await of(publishing({ publicPort: null }))
  }
})

test('a public port is asked for once, on an address of the project', async () => {
  await using world = await aWorld()
  const { control } = world
  const twice = publishing({ publicPort: 8080 }, { publicPort: 8080, containerPort: 81 })
  await expect(control.containers.create(me, twice)).rejects.toMatchObject({ code: 'port.repeated' })
  await control.containers.rehearse(me, publishing({ publicPort: 53 }, { publicPort: 53, protocol: 'udp' }), 1)
  await control.containers.rehearse(me, publishing({ publicPort: 8080 }, { publicPort: 8080 }), 1)
  const elsewhere = publishing({ publicPort: 8080, address: '10.0.0.1' })
  await expect(control.containers.create(me, elsewhere)).rejects.toMatchObject({
    code: 'network.not-found',
    details: { type: 'floating IP' },
  })
  const tooMany = publishing(...Array.from({ length: 101 }, (_, index) => ({ containerPort: index + 1 })))
  await expect(control.containers.create(me, tooMany)).rejects.toMatchObject({ code: 'request.invalid' })
})

test('what other services keep is looked up, and nothing is asked to be made there', async () => {
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const clock = { now: () => 1_700_000_000_000 }
  const { links } = createSimHost(simHostId, () => unfaked('reports'))
  await using providers = await someProviders(store, links, clock)
  const ports = { ...unfaked<RemotePorts>('ports'), onBound: () => undefined }
  const { control, reconciler } = createControl({
    store,
    links,
    ...providers,
    // Each verb but these fails the test.
    networks: {
      ...providers.networks,
      remote: ports,
      reserve: async (_tables, _caller, _request, made = []) => [...made],
    },
    volumes: { ...providers.volumes, remote: unfaked<RemoteVolumes>('volumes'), reserve: async () => [] },
    clock,
    ids: randomIds,
    log: { info() {}, warn() {}, error() {} },
    gauges: { step() {}, settled() {}, waiting() {} },
    policy: defaultPolicy,
  })
  const { name: network } = await control.network.networks.create(me, { name: 'shop', shared: false, external: false })
  const mount = { kind: 'volume', destination: '/data', readOnly: false } as const
  const of = (nets: string, source: string) => {
    const input = { ...publishing({ publicPort: 8080 }), nets: [{ network: nets, addresses: [] }] }
    return control.containers.rehearse(me, { ...input, mounts: [{ ...mount, source }] }, 1)
  }
  await expect(of('nowhere', 'none')).rejects.toMatchObject({ code: 'network.not-found' })
  await expect(of(network, 'none')).rejects.toMatchObject({ code: 'volume.not-found' })
  // One that gets its host with its first container.
  const { id } = await control.storage.volumes.create(me, { name: 'data', size: 1, shared: true })
  expect(await of(network, id)).toMatchObject({ name: 'web', nics: [], mounts: [] })
  expect((await traces(control)).containers).toEqual([])
  await reconciler[Symbol.asyncDispose]()
  await db.destroy()
})
