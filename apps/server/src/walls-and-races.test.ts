import type { HostLinks } from '@gantry/control'
import { defaultSpec, type HostId, type PortId } from '@gantry/model'
import { systemClock } from '@gantry/kernel'
import { openSqlite } from '@gantry/store'
import { expect, test } from 'vitest'
import { aCaller, aWorld, someProviders, type World } from './testing/a-world.ts'

const caller = aCaller('p1')
const admin = aCaller('operators', ['admin', 'member'])
const spec = { ...defaultSpec('busybox'), cpu: 0.1, memory: 16 }

async function running(world: World, more: object = {}) {
  const { id } = await world.control.containers.create(caller, { name: null, spec, run: true, ...more })
  await world.host.idle()
  return world.control.containers.get(caller, id)
}

async function aNetwork({ control }: World, name: string, cidr: string): Promise<string> {
  const { id } = await control.network.networks.create(caller, { name, shared: false, external: false })
  await control.network.subnets.create(caller, { network: id, name: '', cidr })
  return id
}

async function aCapsule({ control, host }: World): Promise<string> {
  const { capsule } = await control.capsules.create(caller, {
    name: null,
    labels: {},
    annotations: {},
    restartPolicy: 'no',
    availabilityZone: null,
    containers: [{ spec, mounts: [] }],
    initContainers: [],
  })
  const members = () => control.capsules.get(caller, capsule.id).then(({ containers }) => containers)
  await expect
    .poll(async () => (await members()).map(({ status, task }) => [status, task]))
    .toEqual([['Running', null]])
  await host.idle()
  return capsule.id
}

test('a host hears of a network before anything that stands on it, whatever is asked at the same time', async () => {
  await using world = await aWorld()
  const { containers } = world.control
  const { id } = await running(world)
  for (let round = 0; round < 3; round += 1) {
    const network = await aNetwork(world, `n${round}`, `10.9.${round}.0/24`)
    const names = Array.from({ length: 6 }, (_, index) => `name-${round}-${index}`)
    await Promise.all([
      containers.attachNetwork(caller, id, { network, addresses: [] }),
      ...names.map((name) => containers.rename(caller, id, name)),
    ])
  }
  await world.host.idle()
  expect(world.host.problems).toEqual([])
  expect((await containers.get(caller, id)).observed.engine?.nics).toHaveLength(4)
})

test('a port that is changed in two ways at once ends the same on the port and in its container', async () => {
  await using world = await aWorld()
  const { containers, network } = world.control
  const { id, nics } = await running(world)
  const portId = nics[0]?.portId ?? ''
  for (const name of ['closed', 'web']) await network.groups.create(caller, { name, description: '' })
  const closed = (await network.groups.get(caller, 'closed')).id
  await Promise.all([
    network.ports.update(caller, portId, { groups: ['closed'] }),
    containers.addSecurityGroup(caller, id, 'web'),
  ])
  const { groups } = await network.ports.get(caller, portId)
  expect((await containers.get(caller, id)).nics[0]?.groups).toEqual(groups)
  expect(groups[0]).toBe(closed)
})

test('a server that died between a port and its container makes them agree at its next start', async () => {
  await using world = await aWorld()
  const { containers, network } = world.control
  const { id, nics } = await running(world)
  const { id: closed } = await network.groups.create(caller, { name: 'closed', description: '' })
  const portId = nics[0]?.portId as PortId
  await world.store.ports.update(portId, { groups: [closed] })
  const links = { connected: () => false } as unknown as HostLinks
  await (await someProviders(world.store, links, systemClock)).networks.sweep()
  expect((await containers.get(caller, id)).nics.map(({ groups }) => groups)).toEqual([[closed]])
})

test('a container whose registry was deleted can be made anew, from the same image or from another', async () => {
  await using world = await aWorld()
  const { containers, registries } = world.control
  const login = { name: 'r', domain: 'registry.example.com', username: 'u', password: 'secret' }
  await registries.create(caller, login)
  const { id, imageRef } = await running(world, { registry: 'r' })
  await registries.delete(caller, 'r')
  expect(await containers.rebuild(caller, id, {})).toMatchObject({ status: 'Rebuilding', imageRef })
  await world.host.idle()
  const other = await containers.rebuild(caller, id, { image: 'alpine' })
  expect(other).toMatchObject({ imageRef: 'alpine:latest', registryId: null, sealedRegistryAuth: null })
  await world.host.idle()
})

test('every port there is may be named in a create without holding up the server', async () => {
  await using world = await aWorld()
  const exposedPorts = Array.from({ length: 65_535 }, (_, index) => `${index + 1}/tcp`)
  const started = performance.now()
  const asked = { name: null, spec: { ...spec, exposedPorts }, run: true }
  await expect(world.control.containers.create(caller, asked)).rejects.toMatchObject({ code: 'request.invalid' })
  const many = { ...spec, exposedPorts: exposedPorts.slice(0, 1000) }
  await world.control.containers.create(caller, { ...asked, spec: many })
  expect(performance.now() - started).toBeLessThan(2000)
})

test('lists that are looked up one by one have a bound', async () => {
  await using world = await aWorld()
  const nets = Array.from({ length: 33 }, () => ({ network: 'private', addresses: [] }))
  const groups = Array.from({ length: 65 }, () => 'default')
  const mounts = Array.from({ length: 65 }, (_, at) => ({
    kind: 'volume' as const,
    source: 'data',
    destination: `/d${at}`,
    readOnly: false,
  }))
  for (const more of [{ nets }, { groups }, { mounts }]) {
    await expect(
      world.control.containers.create(caller, { name: null, spec, run: true, ...more }),
    ).rejects.toMatchObject({ code: 'request.invalid' })
  }
})

test('a floating IP forwards a bounded number of ports, so that its router fits into one message', async () => {
  await using world = await aWorld()
  const { floatingIps } = world.control.network
  const { nics } = await running(world)
  const { id } = await floatingIps.create(caller, {})
  const forward = (externalPort: number) =>
    floatingIps.addForwarding(caller, id, {
      protocol: 'tcp',
      externalPort,
      internalPort: 80,
      port: nics[0]?.portId ?? '',
    })
  for (let port = 1; port <= 100; port += 1) await forward(port)
  await expect(forward(101)).rejects.toMatchObject({ code: 'quota.exceeded' })
})

test('an administrator wires a tenant’s container with what is the tenant’s', async () => {
  await using world = await aWorld()
  const { containers, network } = world.control
  const { id } = await running(world)
  await aNetwork(world, 'back', '10.9.0.0/24')
  const { nics } = await containers.attachNetwork(admin, id, { network: 'back', addresses: [] })
  const port = await network.ports.get(admin, nics[1]?.portId ?? '')
  expect(port.projectId).toBe(caller.projectId)
  await containers.removeSecurityGroup(admin, id, 'default')
  await containers.detachNetwork(admin, id, { network: 'back' })
  expect((await containers.get(caller, id)).nics).toHaveLength(1)
})

test('no part of a capsule is killed by itself', async () => {
  await using world = await aWorld()
  const capsule = await aCapsule(world)
  const { containers } = await world.control.capsules.get(caller, capsule)
  for (const id of [capsule, containers[0]?.id ?? '']) {
    await expect(world.control.containers.kill(caller, id, 'KILL')).rejects.toMatchObject({ code: 'capsule.member' })
  }
})

test('a host that still has a sandbox is not removed', async () => {
  await using world = await aWorld()
  const capsule = await aCapsule(world)
  const { containers } = await world.control.capsules.get(caller, capsule)
  await world.host.disconnect()
  await world.store.containers.remove(containers[0]?.id as never)
  const host = (await world.store.hosts.list())[0]?.id as HostId
  await expect(world.control.hosts.remove(admin, host)).rejects.toMatchObject({ code: 'request.invalid' })
})

test('what is left of a removed host can be forgotten, and what was being deleted there counts no more', async () => {
  await using world = await aWorld()
  const { control, host, store } = world
  const { id } = await running(world)
  const volume = await control.storage.volumes.create(caller, { name: 'data', size: 1 })
  await host.idle()
  await control.containers.delete(caller, id, { stop: true, force: false })
  await host.idle()
  await host.disconnect()
  await control.storage.volumes.delete(caller, volume.id)
  const [known] = await store.hosts.list()
  await control.hosts.remove(admin, known?.id ?? '')
  expect(await control.storage.volumes.list(caller)).toEqual([])
})

test('a host still connects when the key of registry passwords is lost', async () => {
  const db = await openSqlite(':memory:')
  await using first = await aWorld({ db })
  const login = { name: 'r', domain: 'registry.example.com', username: 'u', password: 'secret' }
  await first.control.registries.create(caller, login)
  const { id } = await running(first, { registry: 'r' })
  await first.host.disconnect()
  // Another world on the same database has another key.
  const second = await aWorld({ db })
  await second.host.idle()
  expect((await second.control.containers.get(caller, id)).hostId).not.toBeNull()
  await second.host.disconnect()
  await second.reconciler[Symbol.asyncDispose]()
})
