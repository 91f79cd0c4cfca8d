import type { ContainerId, HostId, Mount, Nic, NetworkId, PortId, RegistryId, SubnetId } from '@gantry/model'
import type { ContainerFilters } from '@gantry/control'
import { anEngineContainer } from '@gantry/model/testing'
import { expect, test } from 'vitest'
import { onSqlite, openStore } from '../testing/open-store.ts'
import { aContainer, inCapsule, ours, theirs } from '../testing/samples.ts'

const nic: Nic = {
  portId: 'port-1' as PortId,
  networkId: 'n1' as NetworkId,
  mac: 'fa:16:3e:00:00:01',
  addresses: [{ address: '10.0.0.2', prefix: 24, version: 4, subnetId: 's1' as SubnetId, gateway: '10.0.0.1' }],
  groups: [],
  filtered: true,
  preserve: false,
}
const mount: Mount = { kind: 'file', destination: '/etc/motd', content: 'aGk=' }

test('interfaces, mounts, registry and place in a capsule are kept and changed with the container', async () => {
  await using opened = await openStore()
  const { containers } = opened.store
  const container = aContainer('c1', {
    nics: [nic],
    mounts: [mount],
    registryId: 'r1' as RegistryId,
    sealedRegistryAuth: 'sealed',
    capsule: inCapsule('member', 3),
  })
  await containers.insert(container)
  expect(await containers.get(container.id)).toEqual(container)
  await containers.update(container.id, { nics: [], mounts: [], sealedRegistryAuth: null })
  expect(await containers.get(container.id)).toEqual({ ...container, nics: [], mounts: [], sealedRegistryAuth: null })
})

test('a sandbox takes its share of project and host but does not count as a container', async () => {
  await using opened = await openStore()
  const { containers, hosts } = opened.store
  await containers.insert(aContainer('alone'))
  await containers.insert(aContainer('box', { capsule: inCapsule('sandbox') }))
  await containers.insert(aContainer('web', { capsule: inCapsule('member') }))
  const used = { containers: 2, cpu: 0.3, memory: 192, disk: 3 }
  expect(await containers.usageOfProject(ours)).toEqual(used)
  expect(await containers.usageOfHost('h1' as HostId)).toEqual(used)
  await hosts.upsert({ id: 'h1' as HostId, name: 'host-1', availabilityZone: 'nova', facts: {} as never, at: 1 })
  expect((await hosts.get('h1' as HostId))?.used).toEqual(used)
  await containers.remove('alone' as ContainerId)
  expect((await containers.usageOfProject(ours)).containers).toBe(1)
  expect(await containers.usageOfProject('nobody' as typeof ours)).toEqual({
    containers: 0,
    cpu: 0,
    memory: 0,
    disk: 0,
  })
})

onSqlite('what the containers of a project or a host use is answered from an index alone', async () => {
  await using opened = await openStore()
  const { containers } = opened.store
  const alone = [expect.stringContaining('USING INDEX')]
  expect(await opened.planOf(() => containers.usageOfProject(ours))).toEqual(alone)
  expect(await opened.planOf(() => containers.usageOfHost('h1' as HostId))).toEqual(alone)
})

onSqlite('a page of the newest containers is read in order, without sorting all of them', async () => {
  await using opened = await openStore()
  const { containers } = opened.store
  await containers.insert(aContainer('c1'))
  const query = { filters: {}, sortKey: 'created_at', descending: true, limit: 10, marker: null } as const
  for (const scope of [ours, null]) {
    const plan = await opened.planOf(() => containers.list(scope, query))
    expect(plan).toEqual([expect.stringMatching(/USING INDEX containers_by_age/)])
  }
})

onSqlite('an administrator finds those of a project or of a host without a look at all others', async () => {
  await using opened = await openStore()
  const { containers } = opened.store
  const query = { sortKey: 'created_at', descending: true, limit: 10, marker: null } as const
  const planOf = (filters: ContainerFilters) => opened.planOf(() => containers.list(null, { ...query, filters }))
  expect((await planOf({ projectId: ours }))[0]).toMatch(/USING INDEX containers_by_age_in_project/)
  expect((await planOf({ host: 'host-1', hostId: 'h1' as HostId }))[0]).toMatch(/USING INDEX containers_by_host/)
})

onSqlite('a page of a project by name is read in order, without sorting all of it', async () => {
  await using opened = await openStore()
  const { containers } = opened.store
  const query = { filters: {}, sortKey: 'name', descending: false, limit: 10, marker: null } as const
  const plan = await opened.planOf(() => containers.list(ours, query))
  expect(plan).toEqual([expect.stringMatching(/USING INDEX containers_by_name_in_project/)])
})

test('containers are counted by status, and those whose health checks fail are found', async () => {
  await using opened = await openStore()
  const { containers } = opened.store
  const sick = (health: 'healthy' | 'unhealthy') => ({
    observed: { engine: anEngineContainer({ health }), settled: 1, failure: null },
  })
  // A reason that quotes the same words is none.
  const liar = { step: 'start', reason: '"health":"unhealthy"' } as const
  await containers.insertMany([
    aContainer('a', { status: 'Running', ...sick('unhealthy') }),
    aContainer('b', { status: 'Running', ...sick('healthy') }),
    aContainer('c', { status: 'Running', observed: { engine: null, settled: 1, failure: liar } }),
    aContainer('d', { status: 'Stopped', ...sick('unhealthy') }),
    aContainer('e', { status: 'Running', projectId: theirs }),
    aContainer('f', { status: 'Running', capsule: inCapsule('member') }),
  ])
  expect(await containers.counts(ours)).toEqual({ byStatus: { Running: 3, Stopped: 1 }, unhealthy: 1 })
  expect(await containers.counts(null)).toEqual({ byStatus: { Running: 4, Stopped: 1 }, unhealthy: 1 })
  expect(await containers.counts('nobody' as typeof ours)).toEqual({ byStatus: {}, unhealthy: 0 })
  const page = { sortKey: 'name', descending: false, limit: 10, marker: null } as const
  const found = await containers.list(ours, { ...page, filters: { health: 'unhealthy', status: 'Running' } })
  expect(found.map(({ name }) => name)).toEqual(['a'])
})
