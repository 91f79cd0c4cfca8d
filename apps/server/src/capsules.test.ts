import type { NewCapsule } from '@gantry/control'
import { type ContainerId, defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld, type World } from './testing/a-world.ts'

const caller = aCaller('p1')
const container = (image = 'busybox') => ({ spec: { ...defaultSpec(image), cpu: 0.5, memory: 64 }, mounts: [] })
const pod = (over: Partial<NewCapsule> = {}): NewCapsule => ({
  name: 'pod',
  labels: {},
  annotations: {},
  restartPolicy: 'always',
  availabilityZone: null,
  containers: [container(), container()],
  initContainers: [],
  ...over,
})

const engineIds = ({ host }: World) => [...host.engine.keys()]

test('a capsule runs on one host, sandbox first, with one set of addresses; its containers are no one else’s', async () => {
  await using world = await aWorld()
  const { capsules, containers } = world.control
  const made = await capsules.create(caller, pod())
  expect(made.status).toBe('Creating')
  await world.host.idle()
  const { status, nics, containers: members } = await capsules.get(caller, 'pod')
  expect(status).toBe('Running')
  expect(nics).toHaveLength(1)
  expect(engineIds(world)[0]).toBe(made.capsule.id)
  expect(engineIds(world)).toHaveLength(3)
  expect(await containers.list(caller, everything)).toEqual([])
  const [first] = members
  for (const attempt of [
    () => containers.delete(caller, first?.id ?? '', { stop: true, force: false }),
    () => containers.stop(caller, first?.id ?? '', { graceSeconds: 0 }),
    () => containers.attachNetwork(caller, made.capsule.id, { network: 'private', addresses: [] }),
  ]) {
    await expect(attempt()).rejects.toMatchObject({ code: 'capsule.member' })
  }
  await expect(capsules.get(aCaller('p2'), made.capsule.id)).rejects.toMatchObject({ code: 'capsule.not-found' })
  expect(world.host.problems).toEqual([])
})

test('init containers run one after another, and the rest waits for them', async () => {
  await using world = await aWorld()
  const { capsules } = world.control
  const { capsule } = await capsules.create(caller, pod({ initContainers: [container(), container()] }))
  await world.host.idle()
  const initIds = async () => (await capsules.get(caller, capsule.id)).initContainers.map(({ id }) => id)
  const [one, two] = (await initIds()) as [ContainerId, ContainerId]
  expect(engineIds(world)).toEqual([capsule.id, one])
  await world.host.exit(one, 0)
  await world.host.idle()
  expect(engineIds(world)).toEqual([capsule.id, one, two])
  await world.restart()
  await world.host.idle()
  expect(engineIds(world)).toEqual([capsule.id, one, two])
  await world.host.exit(two, 1)
  await world.host.idle()
  expect((await capsules.get(caller, capsule.id)).status).toBe('Error')
  expect(engineIds(world)).toHaveLength(3)
  await capsules.delete(caller, capsule.id)
  await world.host.idle()
  expect(engineIds(world)).toEqual([])
  await expect(capsules.get(caller, capsule.id)).rejects.toMatchObject({ code: 'capsule.not-found' })
  expect(await world.control.network.ports.list(caller)).toHaveLength(1)
})

test('a capsule counts in the quota as its containers, and one that finds no host can be deleted', async () => {
  await using world = await aWorld()
  const { capsules, quotas } = world.control
  await quotas.set(aCaller('a', ['admin']), caller.projectId, { containers: 3 })
  await capsules.create(caller, pod())
  expect((await quotas.get(caller, caller.projectId)).used).toMatchObject({ containers: 2, cpu: 1.01 })
  await expect(capsules.create(caller, pod({ name: 'second' }))).rejects.toMatchObject({ code: 'quota.exceeded' })
  const lost = await capsules.create(caller, pod({ name: 'lost', availabilityZone: 'moon', containers: [container()] }))
  await world.host.idle()
  expect(await capsules.get(caller, lost.capsule.id)).toMatchObject({ status: 'Error' })
  await capsules.delete(caller, lost.capsule.id)
  await expect(capsules.get(caller, lost.capsule.id)).rejects.toMatchObject({ code: 'capsule.not-found' })
})

const everything = {
  allProjects: false,
  filters: {},
  sortKey: 'id',
  descending: false,
  limit: 100,
  marker: null,
} as const

test('containers of a capsule share its volumes, which stay or go with it as they were asked for', async () => {
  await using world = await aWorld()
  const { capsules, storage } = world.control
  const ours = await storage.volumes.create(caller, { name: 'ours', size: 1 })
  await world.host.idle()
  const fresh = (share: string, destination: string, keep: boolean) =>
    ({ kind: 'new', size: 1, destination, readOnly: false, share, keep }) as const
  const own = { kind: 'volume', source: 'ours', destination: '/ours', readOnly: true } as const
  const mounting = (...mounts: NewCapsule['containers'][number]['mounts']) => ({ ...container(), mounts })
  const { capsule } = await capsules.create(
    caller,
    pod({
      initContainers: [mounting(fresh('logs', '/seed', true))],
      containers: [
        mounting(fresh('tmp', '/tmp', false), own, fresh('logs', '/a', true), fresh('tmp', '/var/tmp', false)),
        mounting(fresh('tmp', '/scratch', false), own),
      ],
    }),
  )
  await world.host.idle()
  const { initContainers, containers } = await capsules.get(caller, capsule.id)
  const volumesOf = (one: (typeof containers)[number] | undefined) =>
    one?.mounts.map((mount) => (mount.kind === 'volume' ? [mount.destination, mount.volumeId] : []))
  const all = await storage.volumes.list(caller)
  const [logs, tmp] = [all.find(({ name }) => name === 'logs')?.id, all.find(({ ephemeral }) => ephemeral)?.id]
  expect(all).toHaveLength(3)
  expect(volumesOf(initContainers[0])).toEqual([['/seed', logs]])
  expect(volumesOf(containers[0])).toEqual([
    ['/tmp', tmp],
    ['/ours', ours.id],
    ['/a', logs],
    ['/var/tmp', tmp],
  ])
  expect(volumesOf(containers[1])).toEqual([
    ['/scratch', tmp],
    ['/ours', ours.id],
  ])
  await capsules.delete(caller, capsule.id)
  await world.host.idle()
  const left = await storage.volumes.list(caller)
  const kept = left.filter(({ status }) => status !== 'deleting').map(({ id }) => id)
  expect(new Set(kept)).toEqual(new Set([ours.id, logs]))
  expect(left.every(({ containerId }) => containerId === null)).toBe(true)
})
