import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Fault } from '@gantry/kernel'
import type { BackupId, ContainerId, HostId, VolumeId } from '@gantry/model'
import type { VolumeCopies } from '@gantry/providers-embedded'
import { expect, test } from 'vitest'
import { admin, one, openVolumeWorld, ours, theirs, two } from './testing/volume-world.ts'

/** Hosts with contents in memory, which can be made to wait and to fail. */
function contents() {
  const data = new Map<string, Buffer>()
  const place = (hostId: HostId, id: VolumeId) => `${hostId} ${id}`
  let gate = Promise.resolve()
  const copies: VolumeCopies = {
    read: async (hostId, id, signal) => {
      await orGone(gate, signal)
      const content = data.get(place(hostId, id))
      if (!content) throw new Fault('volume.failed', { reason: 'The disk of the host is full.' })
      return Readable.from([content])
    },
    write: async (hostId, { id, sha256 }, input, signal) => {
      await orGone(gate, signal)
      const content = await buffer(input)
      if (createHash('sha256').update(content).digest('hex') !== sha256) throw new Error('The backup is damaged.')
      data.set(place(hostId, id), content)
    },
  }
  return {
    copies,
    put: (hostId: HostId, id: VolumeId, text: string) => data.set(place(hostId, id), Buffer.from(text)),
    at: (hostId: HostId, id: VolumeId) => data.get(place(hostId, id))?.toString(),
    /** Resolve it to let them go on. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return resolve
    },
  }
}

async function orGone(gate: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const gone = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => gone.reject(signal.reason))
  await Promise.race([gate, gone.promise])
}

async function open(limits = {}) {
  const hosts = contents()
  const cloud = await openVolumeWorld(limits, hosts.copies)
  const { backups, volumes } = cloud.provider
  return {
    ...cloud,
    hosts,
    files: () => readdir(cloud.backupFolder),
    written: async (name: string, text: string, size = 1) => {
      const id = await cloud.available(name, size)
      hosts.put(two, id, text)
      return id
    },
    backup: (ref: string, status: string) => expect.poll(() => backups.get(ours, ref)).toMatchObject({ status }),
    volume: (ref: string, status: string) => expect.poll(() => volumes.get(ours, ref)).toMatchObject({ status }),
    [Symbol.asyncDispose]: cloud[Symbol.asyncDispose],
  }
}

test('a backup outlives its volume, and a new one is made of it on another host', async () => {
  await using cloud = await open()
  const { backups, volumes } = cloud.provider
  const id = await cloud.written('data', 'precious', 2)
  await cloud.reserve('web' as ContainerId, 'data')
  const made = await backups.create(ours, 'data', 'nightly')
  expect(made).toEqual({ ...made, volumeId: id, size: 2, status: 'creating', statusReason: null, name: 'nightly' })
  await cloud.backup('nightly', 'available')
  expect(Object.keys(await backups.get(ours, 'nightly'))).not.toContain('sha256')
  await cloud.release('web' as ContainerId)
  await volumes.delete(ours, 'data')
  await cloud.report(two, id, 'gone')

  cloud.set(two, { up: false })
  await expect(volumes.create(ours, { name: '', backup: 'nightly', size: 1 })).rejects.toThrow(
    'The volume must have at least the 2 GiB of backup nightly.',
  )
  const restored = await volumes.create(ours, { name: 'again', backup: 'nightly', size: 3 })
  expect(restored).toMatchObject({ status: 'creating', hostId: one, size: 3, backupId: made.id })
  await cloud.volume('again', 'available')
  expect(cloud.hosts.at(one, restored.id)).toBe('precious')
  // Its host is told of it now, and as of one that is there.
  expect(cloud.told.filter(([, plan]) => plan.id === restored.id)).toEqual([
    [one, { kind: 'volume', id: restored.id, size: 3, source: null, made: true, gone: false }],
  ])
  await backups.delete(ours, 'nightly')
  expect(await backups.list(ours)).toEqual([])
  expect(await cloud.files()).toEqual([])
})

test('while a volume is being restored nobody has it, its host makes nothing else, and its backup stays', async () => {
  await using cloud = await open()
  const { backups, volumes } = cloud.provider
  await cloud.written('data', 'precious')
  await backups.create(ours, 'data', 'b')
  await cloud.backup('b', 'available')
  const goOn = cloud.hosts.hold()
  const { id, hostId } = await volumes.create(ours, { name: 'new', backup: 'b', shared: true })
  await expect(cloud.reserve('web' as ContainerId, 'new')).rejects.toMatchObject({ code: 'volume.state' })
  expect((await cloud.source.ofHost(hostId as HostId)).filter((plan) => plan.id === id)).toEqual([])
  await expect(backups.delete(ours, 'b')).rejects.toThrow('volume new is being made from it')
  goOn()
  await cloud.volume('new', 'available')
  await cloud.reserve('web' as ContainerId, 'new')
})

test('a volume that is deleted while it is restored goes, and what comes too late changes nothing', async () => {
  await using cloud = await open()
  const { backups, volumes } = cloud.provider
  await cloud.written('data', 'precious')
  await backups.create(ours, 'data', 'b')
  await cloud.backup('b', 'available')
  cloud.hosts.hold()
  const { id, hostId } = await volumes.create(ours, { name: 'new', backup: 'b' })
  await volumes.delete(ours, 'new')
  expect(await volumes.get(ours, 'new')).toMatchObject({ status: 'deleting' })
  expect(cloud.told.at(-1)).toEqual([hostId, expect.objectContaining({ id, gone: true })])
  await cloud.report(hostId as HostId, id, 'gone')
  await expect(volumes.get(ours, id)).rejects.toMatchObject({ code: 'volume.not-found' })
})

test('a backup that fails says why and leaves nothing', async () => {
  await using cloud = await open()
  const { backups, volumes } = cloud.provider
  await cloud.available('data')
  await backups.create(ours, 'data', 'b')
  await cloud.backup('b', 'error')
  expect(await backups.get(ours, 'b')).toMatchObject({ statusReason: 'The disk of the host is full.' })
  expect(await cloud.files()).toEqual([])
  await expect(volumes.create(ours, { name: '', backup: 'b' })).rejects.toMatchObject({ code: 'volume.state' })
  cloud.set(two, { up: false })
  await expect(backups.create(ours, 'data', 'c')).rejects.toThrow('the one that has the data is not connected')
  await backups.delete(ours, 'b')
  expect(await backups.list(ours)).toEqual([])
})

test('a volume whose backup has changed on disk is in error, and says so', async () => {
  await using cloud = await open()
  const { backups, volumes } = cloud.provider
  await cloud.written('data', 'precious')
  const { id } = await backups.create(ours, 'data', 'b')
  await cloud.backup('b', 'available')
  const file = join(cloud.backupFolder, `${id}.tar.zst`)
  expect((await readFile(file)).toString()).toBe('precious')
  await writeFile(file, 'worthless')
  await volumes.create(ours, { name: 'new', backup: 'b' })
  await cloud.volume('new', 'error')
  expect(await volumes.get(ours, 'new')).toMatchObject({ statusReason: 'The backup is damaged.' })
})

test('a server that ends meanwhile leaves errors with a reason, and no halves', async () => {
  await using cloud = await open()
  const { backups, volumes } = cloud.provider
  await cloud.written('data', 'precious')
  await backups.create(ours, 'data', 'whole')
  await cloud.backup('whole', 'available')
  cloud.hosts.hold()
  const half = await backups.create(ours, 'data', 'half')
  const restored = await volumes.create(ours, { name: 'new', backup: 'whole' })
  const going = await backups.create(ours, 'data', 'going')
  await cloud.store.backups.update(going.id, { status: 'deleting' })
  for (const name of [`${half.id}.tar.zst.new`, 'stranger', `${going.id}.tar.zst`]) {
    await writeFile(join(cloud.backupFolder, name), 'x')
  }
  // Killed: the one before says nothing more.
  await cloud.another().begin()
  expect(await backups.get(ours, 'half')).toMatchObject({
    status: 'error',
    statusReason: 'The server ended while it was being made; delete it and begin anew.',
  })
  expect(await backups.list(ours)).toMatchObject([{ name: 'whole', status: 'available' }, { name: 'half' }])
  expect(await volumes.get(ours, 'new')).toMatchObject({ status: 'error' })
  expect(await cloud.files()).toEqual([`${(await backups.get(ours, 'whole')).id}.tar.zst`])
  // The host had all of it already.
  await cloud.report(restored.hostId as HostId, restored.id, 'available')
  expect(await volumes.get(ours, 'new')).toMatchObject({ status: 'available', statusReason: null })
})

test('a server that is stopped says so of what it had begun', async () => {
  await using cloud = await open()
  const { backups, volumes } = cloud.provider
  await cloud.written('data', 'precious')
  await backups.create(ours, 'data', 'whole')
  await cloud.backup('whole', 'available')
  cloud.hosts.hold()
  await backups.create(ours, 'data', 'half')
  await volumes.create(ours, { name: 'new', backup: 'whole' })
  await cloud.provider.close()
  const statusReason = 'The server was stopped meanwhile.'
  expect(await backups.get(ours, 'half')).toMatchObject({ status: 'error', statusReason })
  expect(await volumes.get(ours, 'new')).toMatchObject({ status: 'error', statusReason })
})

test('backups have a quota of their own, belong to a project, and are listed by age', async () => {
  await using cloud = await open({ backups: 2, backupGigabytes: 4 })
  const { backups, volumes } = cloud.provider
  await cloud.written('data', 'x', 2)
  await cloud.written('large', 'y', 3)
  await backups.create(ours, 'data', 'b')
  await expect(backups.create(ours, 'large', 'c')).rejects.toMatchObject({
    code: 'quota.exceeded',
    details: { resource: 'backup_gigabytes', limit: 4, used: 2, asked: 3 },
  })
  const second = await backups.create(ours, 'data', 'a')
  await expect(backups.create(ours, 'data', 'd')).rejects.toMatchObject({ details: { resource: 'backups', used: 2 } })
  expect((await backups.list(ours)).map(({ name }) => name)).toEqual(['b', 'a'])
  for (const [caller, ref] of [
    [theirs, second.id],
    [theirs, 'a'],
    [ours, 'nothing' as BackupId],
  ] as const) {
    await expect(backups.get(caller, ref)).rejects.toMatchObject({ code: 'volume.not-found' })
    await expect(backups.delete(caller, ref)).rejects.toMatchObject({ code: 'volume.not-found' })
    await expect(volumes.create(caller, { name: '', backup: ref })).rejects.toMatchObject({ code: 'volume.not-found' })
  }
  await expect(backups.create(theirs, 'data', '')).rejects.toMatchObject({ code: 'volume.not-found' })
  expect(await backups.get(admin, second.id)).toMatchObject({ name: 'a' })
  await backups.delete(ours, 'a')
  await backups.create(ours, 'data', 'd')
})

test('a volume stays as it is while it is backed up; giving the backup up lets it go', async () => {
  await using cloud = await open()
  const { backups, volumes } = cloud.provider
  await cloud.written('data', 'precious')
  cloud.hosts.hold()
  await backups.create(ours, 'data', 'b')
  await expect(volumes.delete(ours, 'data')).rejects.toThrow('backup b is being made of it')
  await expect(volumes.extend(ours, 'data', 2)).rejects.toThrow('backup b is being made of it')
  await backups.delete(ours, 'b')
  expect(await backups.list(ours)).toEqual([])
  await volumes.delete(ours, 'data')
})

test('one that waits for its turn can be given up at once', async () => {
  await using cloud = await open()
  const { backups } = cloud.provider
  await cloud.written('data', 'precious')
  const goOn = cloud.hosts.hold()
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await backups.create(ours, 'data', name)
  await backups.delete(ours, 'f')
  expect(await backups.list(ours)).toHaveLength(5)
  goOn()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await cloud.backup(name, 'available')
  expect(await cloud.files()).toHaveLength(5)
})
