import { readdir } from 'node:fs/promises'
import type { MountRequest } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { ContainerId, HostId, Volume, VolumeReport } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { listeningHost, waitingCopies } from './testing/listening-hosts.ts'
import { one, openVolumeWorld, ours, two } from './testing/volume-world.ts'

const limits = { volumes: 8, snapshots: 4, gigabytes: 24, backups: 3, backupGigabytes: 6 }

/**
 * Users, containers and hosts in any order: hosts hear late, fail, repeat themselves, and hear everything again when they
 * come back; copies come late or break off. No volume may ever be in two containers or on two hosts, lose its data or get
 * another's, no quota may be passed, and nothing may be left in the end.
 */
test('volumes end well whatever happens to them', { timeout: 180_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60, size: 'max' }), async (events) => {
      const hosts = new Map([one, two].map((id) => [id, listeningHost(id)]))
      const copying = waitingCopies(hosts)
      await using world = await openVolumeWorld(limits, copying.copies)
      const life = liveIn(world, hosts, copying)
      for (const event of [...beginning, ...events]) {
        await life.happen(event)
        await life.expectOrder()
      }
      await life.endAll()
      expect(await world.store.volumes.list(null)).toEqual([])
      expect(await world.store.snapshots.list(null)).toEqual([])
      expect(await world.store.backups.list(null)).toEqual([])
      expect(life.filesLeft()).toEqual([])
      expect(await readdir(world.backupFolder)).toEqual([])
    }),
    { numRuns: 60 },
  )
})

const pick = fc.nat({ max: 7 })
/** Something to do things with. */
const beginning = (['create', 'create', 'hear', 'hear', 'backup', 'copyOn'] as const).map((kind) => ({ kind, pick: 0 }))
const kinds = (...kinds: readonly Kind[]) => fc.record({ kind: fc.constantFrom(...kinds), pick })
// Enough volumes that are heard of for the rest to find some.
const event = fc.oneof(
  { weight: 2, arbitrary: kinds('create') },
  { weight: 5, arbitrary: kinds('snapshot', 'copy', 'clone', 'extend', 'delete', 'deleteSnapshot') },
  { weight: 3, arbitrary: kinds('backup', 'backup', 'restore', 'restore', 'deleteBackup') },
  { weight: 3, arbitrary: kinds('run', 'runNew', 'place', 'remove') },
  { weight: 6, arbitrary: kinds('hear', 'hear', 'hear', 'hear', 'hear', 'fail', 'repeat', 'reconnect') },
  { weight: 3, arbitrary: kinds('copyOn', 'copyOn', 'copyOn', 'copyFail') },
)
type Kind =
  | 'create'
  | 'snapshot'
  | 'copy'
  | 'clone'
  | 'extend'
  | 'delete'
  | 'deleteSnapshot'
  | 'backup'
  | 'restore'
  | 'deleteBackup'
  | 'run'
  | 'runNew'
  | 'place'
  | 'remove'
  | 'hear'
  | 'fail'
  | 'repeat'
  | 'reconnect'
  | 'copyOn'
  | 'copyFail'
type Event = { readonly kind: Kind; readonly pick: number }

type World = Awaited<ReturnType<typeof openVolumeWorld>>
type Hosts = ReadonlyMap<HostId, ReturnType<typeof listeningHost>>

function liveIn(world: World, hosts: Hosts, copying: ReturnType<typeof waitingCopies>) {
  const { provider, source, store } = world
  const { volumes, snapshots, backups } = provider
  const containers = new Map<ContainerId, string[]>()
  const said: [HostId, VolumeReport][] = []
  /** What each volume, snapshot and backup must have as data. */
  const expected = new Map<string, string>()
  let count = 0
  source.onChange((hostId, plan) => hosts.get(hostId)?.waiting.push(plan))

  const some = async <T>(list: Promise<T[]>, pick: number): Promise<T | undefined> => {
    const all = await list
    return all[pick % Math.max(1, all.length)]
  }
  const idOf = async (list: Promise<{ readonly id: string }[]>, pick: number) => (await some(list, pick))?.id ?? ''
  const begins = async (made: Promise<{ readonly id: string }>, from: string | null) => {
    const { id } = await made
    expected.set(id, from === null ? id : (expected.get(from) ?? ''))
  }
  const hear = async (pick: number, failing: boolean) => {
    const told = [...hosts.values()].filter(({ waiting }) => waiting.length > 0)
    const host = told[pick % Math.max(1, told.length)]
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
    for (const volume of containers.get(id) ?? []) if (!expected.has(volume)) expected.set(volume, volume)
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
  const madeFrom = async (kind: 'snapshot' | 'volume' | 'backup', id: string, size?: number) =>
    begins(volumes.create(ours, { name: '', [kind]: id, ...(size && { size }) }), id)

  const deeds: Record<Kind, (pick: number) => Promise<unknown>> = {
    create: () => begins(volumes.create(ours, { name: '', size: 1 }), null),
    snapshot: async (pick) => {
      const id = await idOf(volumes.list(ours), pick)
      await begins(snapshots.create(ours, id, ''), id)
    },
    copy: async (pick) => madeFrom('snapshot', await idOf(snapshots.list(ours), pick)),
    clone: async (pick) => madeFrom('volume', await idOf(volumes.list(ours), pick), pick > 3 ? 3 : undefined),
    extend: async (pick) => volumes.extend(ours, await idOf(volumes.list(ours), pick), 1 + pick),
    delete: async (pick) => volumes.delete(ours, await idOf(volumes.list(ours), pick)),
    deleteSnapshot: async (pick) => snapshots.delete(ours, await idOf(snapshots.list(ours), pick)),
    backup: async (pick) => {
      const id = await idOf(volumes.list(ours), pick)
      await begins(backups.create(ours, id, ''), id)
    },
    restore: async (pick) => madeFrom('backup', await idOf(backups.list(ours), pick)),
    deleteBackup: async (pick) => backups.delete(ours, await idOf(backups.list(ours), pick)),
    run: async (pick) => {
      const source = await idOf(volumes.list(ours), pick)
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
    copyOn: () => endsOf(() => copying.next()?.goOn()),
    copyFail: () => endsOf(() => copying.next()?.fail()),
  }

  const expectData = ({ id, hostId, status, size }: Volume) => {
    const at = [...hosts.values()].filter(({ files }) => files.has(id))
    expect(at.length).toBeLessThanOrEqual(1)
    if (hostId === null || (status !== 'available' && status !== 'in-use')) return
    expect(at[0]?.id).toBe(hostId)
    expect(at[0]?.files.get(id)?.data).toBe(expected.get(id))
    // It may not have heard yet; but it never has more than was counted.
    expect(at[0]?.files.get(id)?.size).toBeLessThanOrEqual(size)
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
      const all = await store.volumes.list(null)
      const holders = new Map([...containers].flatMap(([id, held]) => held.map((volume) => [volume, id] as const)))
      for (const volume of all) {
        const { id, status, containerId, ephemeral } = volume
        expect(containerId).toBe(holders.get(id) ?? null)
        if (status === 'in-use') expect(containerId).not.toBeNull()
        if (status === 'available' || status === 'deleting') expect(containerId).toBeNull()
        if (ephemeral && containerId === null) expect(status).toBe('deleting')
        expectData(volume)
        holders.delete(id)
      }
      // A container's volume is never taken from under it.
      expect([...holders.keys()]).toEqual([])
      await expectQuota(all)
    },
    endAll: async () => {
      for (const id of containers.keys()) await remove(id)
      await endCopies()
      for (const host of hosts.values()) {
        await reconnect(host.id)
        while (host.waiting.length > 0) await source.report(host.id, host.next(false) as VolumeReport)
      }
      for (const { id, hostId, status, size } of await volumes.list(ours)) {
        if (status === 'available' && hostId) expect(hosts.get(hostId)?.files.get(id)?.size).toBe(size)
      }
      // Nobody has to delete what was a container's own.
      expect((await volumes.list(ours)).filter(({ ephemeral }) => ephemeral)).toEqual([])
      for (const { id } of await snapshots.list(ours)) await snapshots.delete(ours, id)
      await settle()
      for (const { id } of await volumes.list(ours)) await volumes.delete(ours, id)
      await settle()
      for (const { id } of await backups.list(ours)) await backups.delete(ours, id)
    },
    filesLeft: () => [...hosts.values()].flatMap(({ files }) => [...files]),
  }

  async function expectQuota(all: readonly Volume[]) {
    const sum = (pieces: readonly { readonly size: number }[]) => pieces.reduce((total, { size }) => total + size, 0)
    const pictures = await store.snapshots.list(null)
    const kept = await store.backups.list(null)
    expect(all.length).toBeLessThanOrEqual(limits.volumes)
    expect(sum(all) + sum(pictures)).toBeLessThanOrEqual(limits.gigabytes)
    expect(kept.length).toBeLessThanOrEqual(limits.backups)
    expect(sum(kept)).toBeLessThanOrEqual(limits.backupGigabytes)
    expect(await store.volumes.usageOf(ours.projectId)).toEqual({ volumes: all.length, gigabytes: sum(all) })
    expect(await store.backups.usageOf(ours.projectId)).toEqual({ backups: kept.length, gigabytes: sum(kept) })
  }

  async function copiesUnderWay() {
    return [
      ...(await volumes.list(ours)).filter(({ backupId, status }) => backupId && status === 'creating'),
      ...(await backups.list(ours)).filter(({ status }) => status === 'creating'),
    ]
  }

  /** Resolves when what was let go on is over. */
  async function endsOf(letGo: () => unknown) {
    const before = (await copiesUnderWay()).length
    if (before === 0) return
    const left = async () => {
      // It may not wait yet.
      letGo()
      return (await copiesUnderWay()).length
    }
    await expect.poll(left, { interval: 1, timeout: 10_000 }).toBeLessThan(before)
  }

  /** What is still under way between hosts and server comes to its end. */
  async function endCopies() {
    const underWay = () => {
      copying.next()?.goOn()
      return copiesUnderWay()
    }
    await expect.poll(underWay, { interval: 5, timeout: 10_000 }).toEqual([])
  }

  async function settle() {
    for (const host of hosts.values()) {
      for (let report = host.next(false); report; report = host.next(false)) await source.report(host.id, report)
    }
  }
}
