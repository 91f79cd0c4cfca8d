import type { MountRequest } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { ContainerId, HostId, VolumePlan, VolumeReport } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { one, openVolumeWorld, ours, two } from './testing/volume-world.ts'

type World = Awaited<ReturnType<typeof openVolumeWorld>>

/**
 * Users, containers and hosts in any order: hosts hear late, fail, repeat themselves, and hear everything again when they
 * come back. No volume may ever be in two containers, and nothing may be left in the end.
 */
test('volumes end well whatever happens to them', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
      await using world = await openVolumeWorld({ volumes: 8, snapshots: 4 })
      const life = liveIn(world)
      for (const event of events) {
        await life.happen(event)
        await life.expectOrder()
      }
      await life.endAll()
      expect(await world.store.volumes.list(null)).toEqual([])
      expect(await world.store.snapshots.list(null)).toEqual([])
      expect(life.filesLeft()).toEqual([])
    }),
    { numRuns: 200 },
  )
})

const pick = fc.nat({ max: 7 })
const event = fc.oneof(
  fc.record({ kind: fc.constantFrom('create', 'snapshot', 'copy', 'delete', 'deleteSnapshot'), pick }),
  fc.record({ kind: fc.constantFrom('run', 'runNew', 'place', 'remove'), pick }),
  fc.record({ kind: fc.constantFrom('hear', 'hear', 'hear', 'fail', 'repeat', 'reconnect'), pick }),
)
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never

function liveIn(world: World) {
  const { provider, source, store } = world
  const { volumes, snapshots } = provider
  const hosts = new Map([one, two].map((id) => [id, listeningHost(id)]))
  const containers = new Map<ContainerId, string[]>()
  const said: [HostId, VolumeReport][] = []
  let count = 0
  source.onChange((hostId, plan) => hosts.get(hostId)?.waiting.push(plan))

  const some = async <T>(list: Promise<T[]>, pick: number): Promise<T | undefined> => {
    const all = await list
    return all[pick % Math.max(1, all.length)]
  }
  const hear = async (pick: number, failing: boolean) => {
    const host = [...hosts.values()][pick % 2]
    const report = host?.next(failing)
    if (!host || !report) return
    said.push([host.id, report])
    await source.report(host.id, report)
  }
  const run = async (mounts: MountRequest[]) => {
    const id = `container-${++count}` as ContainerId
    await store.transaction(async (tables) => {
      const reserved = await provider.reserve(tables, ours, id, mounts)
      containers.set(
        id,
        reserved.flatMap((mount) => (mount.kind === 'volume' ? [mount.volumeId] : [])),
      )
    })
  }
  const remove = async (id: ContainerId) => {
    await store.transaction((tables) => provider.release(tables, id))
    containers.delete(id)
  }
  const reconnect = async (id: HostId) => {
    // What was under way is lost; everything is told again.
    hosts.get(id)?.waiting.splice(0, Number.POSITIVE_INFINITY, ...(await source.ofHost(id)))
  }
  const theContainer = (pick: number) => [...containers.keys()][pick % Math.max(1, containers.size)]

  const deeds: Record<Event['kind'], (pick: number) => Promise<unknown>> = {
    create: () => volumes.create(ours, { name: '', size: 1 }),
    snapshot: async (pick) => snapshots.create(ours, (await some(volumes.list(ours), pick))?.id ?? '', ''),
    copy: async (pick) =>
      volumes.create(ours, { name: '', snapshot: (await some(snapshots.list(ours), pick))?.id ?? '' }),
    delete: async (pick) => volumes.delete(ours, (await some(volumes.list(ours), pick))?.id ?? ''),
    deleteSnapshot: async (pick) => snapshots.delete(ours, (await some(snapshots.list(ours), pick))?.id ?? ''),
    run: async (pick) => {
      const source = (await some(volumes.list(ours), pick))?.id ?? ''
      const again: MountRequest = { kind: 'new', size: 1, destination: '/scratch', readOnly: false }
      await run([{ kind: 'volume', source, destination: '/data', readOnly: true }, ...(pick > 5 ? [again] : [])])
    },
    runNew: () => run([{ kind: 'new', size: 1, destination: '/data', readOnly: false }]),
    place: async (pick) => {
      const id = theContainer(pick)
      if (id) await store.transaction((tables) => provider.place(tables, id, pick % 2 === 0 ? one : two))
    },
    remove: async (pick) => {
      const id = theContainer(pick)
      if (id) await remove(id)
    },
    hear: (pick) => hear(pick, false),
    fail: (pick) => hear(pick, true),
    repeat: async (pick) => {
      const old = said[pick % Math.max(1, said.length)]
      if (old) await source.report(...old)
    },
    reconnect: (pick) => reconnect(pick % 2 === 0 ? one : two),
  }

  return {
    happen: async ({ kind, pick }: Event) => {
      try {
        await deeds[kind](pick)
      } catch (error) {
        // Being refused is fine; anything else is not.
        if (!(error instanceof Fault) || error.kind === 'internal') throw error
      }
    },
    expectOrder: async () => {
      const holders = new Map([...containers].flatMap(([id, held]) => held.map((volume) => [volume, id] as const)))
      for (const { id, status, containerId, ephemeral } of await store.volumes.list(null)) {
        expect(containerId).toBe(holders.get(id) ?? null)
        if (status === 'in-use') expect(containerId).not.toBeNull()
        if (status === 'available' || status === 'deleting') expect(containerId).toBeNull()
        if (ephemeral && containerId === null) expect(status).toBe('deleting')
        holders.delete(id)
      }
      // A container's volume is never taken from under it.
      expect([...holders.keys()]).toEqual([])
    },
    endAll: async () => {
      for (const id of containers.keys()) await remove(id)
      for (const host of hosts.values()) {
        await reconnect(host.id)
        while (host.waiting.length > 0) await source.report(host.id, host.next(false) as VolumeReport)
      }
      // Nobody has to delete what was a container's own.
      expect((await volumes.list(ours)).filter(({ ephemeral }) => ephemeral)).toEqual([])
      for (const { id } of await snapshots.list(ours)) await snapshots.delete(ours, id)
      await settle()
      for (const { id } of await volumes.list(ours)) await volumes.delete(ours, id)
      await settle()
    },
    filesLeft: () => [...hosts.values()].flatMap(({ files }) => [...files]),
  }

  async function settle() {
    for (const host of hosts.values()) {
      for (let report = host.next(false); report; report = host.next(false)) await source.report(host.id, report)
    }
  }
}

/** What a host does with plans, without any disk. */
function listeningHost(id: HostId) {
  const waiting: VolumePlan[] = []
  const files = new Set<string>()
  const carryOut = ({ id, gone, made }: VolumePlan, failing: boolean): Pick<VolumeReport, 'state' | 'reason'> => {
    if (failing) return { state: 'error', reason: 'The disk of the host is full.' }
    if (gone) {
      files.delete(id)
      return { state: 'gone', reason: '' }
    }
    if (!files.has(id) && made) return { state: 'error', reason: 'The data is missing.' }
    files.add(id)
    return { state: 'available', reason: '' }
  }
  return {
    id,
    waiting,
    files,
    next: (failing: boolean): VolumeReport | undefined => {
      const plan = waiting.shift()
      return plan && { kind: plan.kind, id: plan.id, ...carryOut(plan, failing) }
    },
  }
}
