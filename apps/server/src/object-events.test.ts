/** What is told of everything but containers: each once, as it is at the end of its transaction, and to its own project only. */
import type { ChangePage, CloudPort, CloudVolume } from '@gantry/control'
import { type Caller, type ContainerId, defaultSpec, type NetworkId } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld, simHostId, type World } from './testing/a-world.ts'

const ann = aCaller('p1')
const bob = aCaller('p2')

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

/** What the project is told, from where it stopped listening last. */
function listening({ control }: World, caller: Caller) {
  let since = '0'
  return async () => {
    const told: { type: string; objectId: string; data: Readonly<Record<string, unknown>> }[] = []
    const watch = { since, types: [], follow: false }
    for await (const page of control.events.changes(caller, watch, new AbortController().signal)) {
      told.push(...page.changes)
      since = page.next
    }
    return told
  }
}

test('a network’s parts are told of as they come, change and go', async () => {
  await using world = await aWorld()
  const { network } = world.control
  const hear = listening(world, ann)
  const heard = async () => (await hear()).map(({ type, data }) => `${type} ${textOf(data['name'])}`.trim())

  const net = await network.networks.create(ann, { name: 'net', shared: false, external: false })
  const asked = { network: net.id, name: 'sub', cidr: '10.9.0.0/24' }
  const subnet = await network.subnets.create(ann, asked)
  expect(await heard()).toEqual(['network.create net', 'subnet.create sub'])

  // Its two rules are part of its making, and so is the project's group `default`, which a port is in.
  const group = await network.groups.create(ann, { name: 'web', description: '' })
  expect(await heard()).toEqual(['security_group.create web'])
  const rule = {
    direction: 'ingress',
    protocol: 'tcp',
    portMin: 80,
    portMax: 80,
    remotePrefix: null,
    remoteGroup: null,
  } as const
  const { id: ruleId } = await network.groups.addRule(ann, group.id, rule)
  await network.groups.removeRule(ann, ruleId)
  await network.groups.delete(ann, group.id)
  expect(await heard()).toEqual(['security_group.update web', 'security_group.update web', 'security_group.delete web'])

  const port = await network.ports.create(ann, { network: net.id, name: 'door' })
  await network.ports.update(ann, port.id, { name: 'gate' })
  expect(await heard()).toEqual(['port.create door', 'security_group.create default', 'port.update gate'])

  const router = await network.routers.create(ann, { name: 'r' })
  await network.routers.setGateway(ann, router.id, { network: 'public', snat: true })
  await network.routers.addInterface(ann, router.id, { subnet: subnet.id })
  const wired = await hear()
  expect(wired.filter(({ type }) => type.startsWith('router.')).map(({ type }) => type)).toEqual([
    'router.create',
    'router.update',
    'router.update',
  ])
  expect(wired.at(-1)?.data).toMatchObject({ name: 'r', networkIds: [net.id] })

  const ip = await network.floatingIps.create(ann, {})
  const to = { protocol: 'tcp', externalPort: 80, port: port.id, internalPort: 8080 } as const
  const { id: way } = await network.floatingIps.addForwarding(ann, ip.id, to)
  await network.floatingIps.removeForwarding(ann, ip.id, way)
  await network.floatingIps.delete(ann, ip.id)
  const ips = (await hear()).map(({ type, data }) => `${type} ${textOf(data['address'])}`)
  expect(ips).toEqual(['create', 'update', 'update', 'delete'].map((verb) => `floating_ip.${verb} ${ip.address}`))

  await network.routers.removeInterface(ann, router.id, { subnet: subnet.id })
  await network.routers.delete(ann, router.id)
  await network.ports.delete(ann, port.id)
  await network.networks.delete(ann, net.id)
  const last = await heard()
  expect(last).toEqual(
    expect.arrayContaining(['router.delete r', 'port.delete gate', 'subnet.delete sub', 'network.delete net']),
  )
  expect(await listening(world, bob)()).toEqual([])
})

test('a container’s port comes and goes with it, and on which host it is nobody is told', async () => {
  await using world = await aWorld()
  const { containers } = world.control
  const hear = listening(world, ann)
  const made = await containers.create(ann, { name: 'web', spec: defaultSpec('busybox'), run: true })
  const ofPorts = async () => (await hear()).filter(({ type }) => type.startsWith('port.'))
  const [port, ...others] = (await ofPorts()).filter(({ data }) => data['deviceId'] === made.id)
  expect(port?.type).toBe('port.create')
  expect(others).toEqual([])
  expect(JSON.stringify(port)).not.toMatch(/host/i)
})

test('a registry is told of by name and domain, never by its password', async () => {
  await using world = await aWorld()
  const { registries } = world.control
  const hear = listening(world, ann)
  const hub = { name: 'hub', domain: 'registry.example.com', username: 'ada', password: 'swordfish' }
  const { id } = await registries.create(ann, hub)
  await registries.update(ann, id, { name: 'store' })
  await registries.delete(ann, id)
  const told = await hear()
  expect(told.map(({ type, data }) => [type, data])).toEqual([
    ['registry.create', { name: 'hub', domain: hub.domain }],
    ['registry.update', { name: 'store', domain: hub.domain }],
    ['registry.delete', { name: 'store', domain: hub.domain }],
  ])
})

test('what is rolled back, or made and taken away in one transaction, is not told', async () => {
  await using world = await aWorld()
  const { store } = world
  const hear = listening(world, ann)
  const snapshot = {
    id: 's1',
    projectId: 'p1',
    name: 'before',
    volumeId: 'v1',
    size: 1,
    status: 'creating',
    statusReason: null,
    hostId: simHostId,
    createdAt: 1,
  } as unknown as Parameters<typeof store.snapshots.insert>[0]
  await store.transaction(async ({ snapshots }) => {
    await snapshots.insert(snapshot)
    await snapshots.remove(snapshot.id)
  })
  const failed = store.transaction(async ({ snapshots }) => {
    await snapshots.insert(snapshot)
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(await hear()).toEqual([])
  // Made and changed at once: it was made, as it is by now.
  await store.transaction(async ({ snapshots }) => {
    await snapshots.insert(snapshot)
    await snapshots.update(snapshot.id, { status: 'available' })
  })
  await store.snapshots.update(snapshot.id, { status: 'deleting' })
  await store.snapshots.remove(snapshot.id)
  expect((await hear()).map(({ type, data }) => [type, data['status']])).toEqual([
    ['snapshot.create', 'available'],
    ['snapshot.update', 'deleting'],
    ['snapshot.delete', 'deleting'],
  ])
})

test('administrators may follow hosts: what is done to them is a change, what they carry is told as it is now', async () => {
  await using world = await aWorld()
  const { containers, events, hosts } = world.control
  const root = aCaller('admins', ['admin'])
  const end = new AbortController()
  const watch = { since: 'now', types: [], hosts: true, follow: true }
  await expect(events.changes(ann, watch, end.signal).next()).rejects.toMatchObject({ code: 'policy.forbidden' })

  const pages = events.changes(root, watch, end.signal)
  const until = async (isIt: (page: ChangePage) => boolean) => {
    for (;;) {
      const { value }: { readonly value?: ChangePage } = await pages.next()
      if (!value) throw new Error('the stream has ended')
      expect(value.changes.filter(({ projectId }) => projectId === 'p1')).toEqual([])
      if (isIt(value)) return value
    }
  }
  const carried = ({ hosts: told = [] }: ChangePage) => told.map(({ used }) => used.containers)
  expect(carried(await until((page) => page.hosts !== undefined))).toEqual([0])
  await containers.create(ann, { name: 'web', spec: defaultSpec('busybox'), run: true })
  world.clock.at += 2000
  expect(carried(await until((page) => page.hosts !== undefined))).toEqual([1])
  await hosts.disable(root, simHostId, 'a new disk')
  const [change] = (await until((page) => page.changes.length > 0)).changes
  expect(change).toMatchObject({ type: 'host.update', projectId: null, data: { disabledReason: 'a new disk' } })
  end.abort()
})

test('what Gantry makes at an OpenStack for its containers is told by its rows', async () => {
  await using world = await aWorld()
  const { cloudPorts, cloudVolumes, cloudAttachments, cloudNetworks } = world.store
  const hear = listening(world, ann)
  const heard = async () => (await hear()).map(({ type, objectId }) => `${type} ${objectId}`)
  const port = {
    id: 'port',
    kind: 'port',
    containerId: null,
    projectId: ann.projectId,
    networkId: 'net',
    given: false,
    hostId: null,
    boundTo: null,
    leaving: false,
    createdAt: 1,
  } as unknown as CloudPort
  expect(await cloudPorts.insert(port)).toBe(true)
  expect(await cloudPorts.insert(port)).toBe(false)
  await cloudPorts.insert({ ...port, id: 'own', given: true })
  await cloudPorts.insert({ ...port, id: 'ip', kind: 'address' })
  expect(await heard()).toEqual(['port.create port', 'floating_ip.create ip'])
  expect(await cloudPorts.assign('port', 'c1' as ContainerId)).toBe(true)
  await cloudPorts.place('c1' as ContainerId, simHostId)
  for (const id of ['port', 'own', 'ip']) await cloudPorts.remove(id)
  expect(await heard()).toEqual(['port.update port', 'port.delete port', 'port.update own', 'floating_ip.delete ip'])

  const row = { projectId: ann.projectId, usual: false, labels: null, createdAt: 1 }
  await cloudNetworks.insert({ ...row, id: 'row', networkId: null })
  await cloudNetworks.finish('row', 'net' as NetworkId, false)
  await cloudNetworks.finish('row', 'net' as NetworkId, true)
  expect(await heard()).toEqual(['network.create net', 'network.update net'])

  const volume = {
    id: 'vol',
    backend: 'cinder',
    projectId: ann.projectId,
    userId: ann.userId,
    size: 1,
    containerId: 'c1',
    ephemeral: true,
    shared: false,
    multiattach: false,
    blank: true,
    maybeBlank: false,
    fsType: 'ext4',
    labels: null,
    options: null,
    leaving: false,
    createdAt: 1,
  } as unknown as CloudVolume
  const attachment = {
    id: 'att',
    volumeId: volume.id,
    owner: 'c1',
    serviceId: null,
    hostId: null,
    writable: true,
    sealedConnection: null,
    mounted: false,
    completed: false,
    byService: false,
    leaving: false,
    problem: null,
    createdAt: 1,
  }
  await cloudVolumes.insert(volume)
  await cloudAttachments.insert(attachment)
  expect(await heard()).toEqual(['volume.create vol'])
  await cloudAttachments.update('att', { serviceId: 'theirs' })
  await cloudAttachments.update('att', { mounted: true })
  await cloudAttachments.remove('att')
  await cloudVolumes.update(volume.id, { leaving: true })
  await cloudVolumes.remove(volume.id)
  expect(await heard()).toEqual(['volume.update vol', 'volume.update vol', 'volume.delete vol'])
})
