/** Long because each case is a life of a volume on one world that takes long to make. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { MountRequest } from '@gantry/control'
import { Fault, randomIds } from '@gantry/kernel'
import type { Caller, ContainerId, HostId, Volume, VolumeId } from '@gantry/model'
import { allOf, isOpenStackError, kinds, type VolumeService, volumeService } from '@gantry/openstack'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'
import { type VolumesWorld, volumesWorld } from './volumes-world.ts'

/** Volumes of containers at a real Cinder, as the use cases ask for them; no engine takes part. */

let cloud: TestCloud
let project: TestProject
let world: VolumesWorld
let all: VolumeService
let ann: Caller
const context = () => cloud.context()
const [h1, h2] = ['h1', 'h2'] as HostId[] as [HostId, HostId]

beforeAll(async () => {
  cloud = await testCloud()
  project = await cloud.newProject()
  world = await volumesWorld(cloud)
  ann = await world.callerOf(project.member)
  all = volumeService(cloud.adminSession)
}, 90_000)
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
}, 120_000)

/** Cinder allows a project ten. */
afterEach(async () => {
  const mine = { all_tenants: true, project_id: project.id }
  for (const { id } of await allOf(all.volumes.list(mine, context()))) await all.volumes.remove(id, context())
  await eventually('no volumes', async () => (await allOf(all.volumes.list(mine, context()))).length === 0)
}, 90_000)

const provider = () => world.volumes()
const newId = () => randomIds.uuid() as ContainerId
const mount = (source: string, readOnly = false): MountRequest => ({
  kind: 'volume',
  source,
  destination: '/data',
  readOnly,
})
const sized = (size: number): MountRequest => ({ kind: 'new', size, destination: '/data', readOnly: false })
const attachmentsOf = async (id: string) =>
  (await allOf(all.attachments.list({ all_tenants: true, volume_id: id }, context()))).filter(
    ({ volume_id }) => volume_id === id,
  )
const statusOf = async (id: string): Promise<string> => {
  try {
    return (await all.volumes.show(id, context())).status
  } catch (error) {
    if (isOpenStackError(error, 404)) return 'gone'
    throw error
  }
}
const until = (id: string, status: string) =>
  eventually(
    `${status} of ${id}`,
    async () => {
      const now = await statusOf(id)
      if (now !== status) throw new Error(`it is ${now}`)
      return true
    },
    120,
  )

async function writeAt(path: string, position: number, text: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(text, position)
  await file.close()
}

async function readAt(path: string, position: number, length: number): Promise<string> {
  const file = await open(path, 'r')
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, position)
  await file.close()
  return buffer.toString('utf8')
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Fault)
  return error as Fault
}

async function aVolume(name: string, more: Partial<Parameters<typeof create>[1]> = {}): Promise<Volume> {
  return create(name, more)
}
async function create(
  name: string,
  more: { readonly size?: number; readonly multiattach?: boolean; readonly shared?: boolean },
) {
  const { id } = await provider().volumes.create(ann, { name, size: 1, ...more })
  await until(id, 'available')
  return provider().volumes.get(ann, id)
}
async function nothingLeft(): Promise<void> {
  await eventually('the end of all rows', async () => {
    const [attachments, holders] = await Promise.all([
      world.store.cloudAttachments.list(),
      world.store.cloudHolders.list(),
    ])
    return attachments.length === 0 && holders.length === 0
  })
}

describe('a volume of its own', () => {
  test('is reserved, connected with its host, in use, and free again when its container is gone', async () => {
    const volume = await aVolume('files')
    expect(volume).toMatchObject({ name: 'files', size: 1, status: 'available', backend: 'cinder', hostId: null })
    const { id, volumeIds, host } = await world.run(ann, [mount('files')])
    expect(volumeIds).toEqual([volume.id])
    const plan = await eventually('the connection', async () => {
      const told = world.told.get(`${host} ${volume.id}`)
      return told?.remote?.connection && told
    })
    expect(plan).toMatchObject({
      kind: 'volume',
      size: 1,
      gone: false,
      made: false,
      remote: { connection: { driver_volume_type: 'nfs' }, fsType: 'ext4', blank: true, readOnly: false },
    })
    await world.mounted(host, volume.id)
    await until(volume.id, 'in-use')
    const [attachment] = await attachmentsOf(volume.id)
    expect(attachment).toMatchObject({ instance: id, attach_mode: 'rw' })
    expect(await provider().volumes.get(ann, 'files')).toMatchObject({ status: 'in-use', hostId: h1, containerId: id })
    const [after] = await provider().source.ofHost(h1)
    expect(after).toMatchObject({ made: true, remote: { blank: false } })

    await world.forget(id)
    expect(await statusOf(volume.id)).toBe('available')
    expect(await attachmentsOf(volume.id)).toEqual([])
    await nothingLeft()

    // On another host, and never blank again.
    const next = await world.run(ann, [mount(volume.id)], h2)
    const there = await eventually('the connection', async () => {
      const told = world.told.get(`${h2} ${volume.id}`)
      return told?.remote?.connection && told
    })
    expect(there.remote?.blank).toBe(false)
    await world.forget(next.id)
    await provider().volumes.delete(ann, 'files')
    await until(volume.id, 'gone')
  })

  test('is refused to a second container, with the first one’s name; and to the cloud', async () => {
    const volume = await aVolume('mine')
    const { id } = await world.run(ann, [mount('mine')])
    const refusal = await faultOf(provider().remote.make(ann, newId(), [mount('mine')]))
    expect(refusal.code).toBe('volume.in-use')
    expect(refusal.message).toContain(id)
    expect((await faultOf(provider().volumes.delete(ann, 'mine'))).code).toBe('volume.in-use')
    // Whoever asks Cinder itself does not get it either.
    const theirs = await volumeService(cloud.session(project.member))
      .attachments.create({ volume_uuid: volume.id, instance_uuid: newId() }, context())
      .catch((error: unknown) => error)
    expect(isOpenStackError(theirs, 400)).toBe(true)
    await world.forget(id)
    await nothingLeft()
  })

  test('that somebody else in the cloud has attached is refused, and nothing is left', async () => {
    const volume = await aVolume('theirs')
    const member = volumeService(cloud.session(project.member))
    const other = await member.attachments.create({ volume_uuid: volume.id, instance_uuid: newId() }, context())
    const refusal = await faultOf(provider().remote.make(ann, newId(), [mount('theirs')]))
    expect(refusal.code).toBe('volume.in-use')
    expect(refusal.message).toContain('something else')
    await nothingLeft()
    expect((await attachmentsOf(volume.id)).map(({ id }) => id)).toEqual([other.id])
    await all.attachments.remove(other.id, context())
  })

  test('moves: reserved for the next host before the last one’s is given back', async () => {
    const volume = await aVolume('moving')
    const { id } = await world.run(ann, [mount('moving')])
    await eventually('the connection', async () => world.told.get(`h1 ${volume.id}`)?.remote?.connection)
    await world.mounted(h1, volume.id)
    await until(volume.id, 'in-use')
    await world.store.transaction(async (tables) => {
      await provider().mayLeave(tables, id)
      await provider().displace(tables, id)
    })
    const [next] = await eventually('one attachment, the next', async () => {
      const found = await attachmentsOf(volume.id)
      return found.length === 1 && found[0]?.status === 'reserved' && found
    })
    expect(next?.instance).toBe(id)
    expect(await statusOf(volume.id)).not.toBe('available')
    expect(world.told.get(`h1 ${volume.id}`)?.gone).toBe(true)
    expect(
      await world.store.transaction((tables) =>
        provider().hostOf(tables, [{ kind: 'volume', volumeId: volume.id, destination: '/', readOnly: false }]),
      ),
    ).toBeNull()
    await world.place(id, h2)
    await eventually('the connection', async () => world.told.get(`h2 ${volume.id}`)?.remote?.connection)
    await world.mounted(h2, volume.id)
    await until(volume.id, 'in-use')
    await world.forget(id)
    expect(await statusOf(volume.id)).toBe('available')
    await nothingLeft()
  })
})

describe('a volume made for a container', () => {
  test('goes with it', async () => {
    const { id, volumeIds } = await world.run(ann, [sized(1)])
    const [volumeId] = volumeIds as [VolumeId]
    expect(await provider().volumes.get(ann, volumeId)).toMatchObject({ ephemeral: true, containerId: id })
    await eventually('the connection', async () => world.told.get(`h1 ${volumeId}`)?.remote?.connection)
    await world.forget(id)
    await until(volumeId, 'gone')
    await eventually('its row gone', async () => !(await world.store.cloudVolumes.get(volumeId)))
  })

  test('goes if its container is never written, also if the server dies before that', async () => {
    const id = newId()
    const mounts = [sized(1), mount((await aVolume('kept')).id)]
    mounts[1] = { ...mounts[1], destination: '/kept' } as MountRequest
    const made = await provider().remote.make(ann, id, mounts)
    const [own, kept] = mounts.map((one) => made.get(one)) as [VolumeId, VolumeId]
    await world.restart()
    await until(own, 'gone')
    await until(kept, 'available')
    await nothingLeft()
  })

  test('of whose row nobody lived to write is found by its mark', async () => {
    const metadata = { gantry: world.deployment, gantry_container: newId() }
    const member = volumeService(cloud.session(project.member))
    const stray = await member.volumes.create({ size: 1, name: 'stray', metadata }, context())
    await until(stray.id, 'available')
    await world.restart()
    await until(stray.id, 'gone')
  })

  test('an attachment of which nobody lived to write is found by its owner', async () => {
    const volume = await aVolume('half')
    const owner = newId()
    const row = {
      id: newId(),
      volumeId: volume.id,
      owner,
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
    await world.store.cloudAttachments.insert(row)
    await world.store.cloudHolders.put({
      containerId: owner,
      volumeId: volume.id,
      attachmentId: row.id,
      readOnly: false,
      createdAt: 1,
    })
    await all.attachments.create({ volume_uuid: volume.id, instance_uuid: owner }, context())
    expect(await statusOf(volume.id)).toBe('reserved')
    await world.restart()
    await until(volume.id, 'available')
    await nothingLeft()
  })
})

describe('a server that dies', () => {
  test('does once more what was done and not written down', async () => {
    const volume = await aVolume('again')
    const { id } = await world.run(ann, [mount('again')])
    const connected = () =>
      eventually(
        'the connection',
        async () => (await world.store.cloudAttachments.ofVolume(volume.id))[0]?.sealedConnection,
      )
    await connected()
    const [row] = await world.store.cloudAttachments.ofVolume(volume.id)
    await world.store.cloudAttachments.update(row?.id ?? '', { sealedConnection: null })
    await world.restart()
    await connected()
    await world.mounted(h1, volume.id)
    await until(volume.id, 'in-use')
    await world.store.cloudAttachments.update(row?.id ?? '', { completed: false })
    await world.restart()
    await eventually('completed again', async () => (await world.store.cloudAttachments.get(row?.id ?? ''))?.completed)
    expect(await attachmentsOf(volume.id)).toHaveLength(1)
    await world.forget(id)
    expect(await statusOf(volume.id)).toBe('available')
    await nothingLeft()
  })

  test('has a lost attachment made anew, while its container goes on', async () => {
    const volume = await aVolume('lost')
    const { id } = await world.run(ann, [mount('lost')])
    await eventually('the connection', async () => world.told.get(`h1 ${volume.id}`)?.remote?.connection)
    await world.mounted(h1, volume.id)
    await until(volume.id, 'in-use')
    const [first] = await attachmentsOf(volume.id)
    await detach(first?.id ?? '')
    expect(await statusOf(volume.id)).toBe('available')
    await world.restart()
    await until(volume.id, 'in-use')
    expect(await attachmentsOf(volume.id)).toMatchObject([{ instance: id }])
    await world.forget(id)
    expect(await statusOf(volume.id)).toBe('available')
    await nothingLeft()
  })
})

/** As a service: whoever is none has Cinder ask Nova for the server first. */
async function detach(id: string): Promise<void> {
  const service = cloud.session(await cloud.ensureUser('gantry', 'service', ['admin', 'service']))
  const headers = { 'x-service-token': await service.token(context()) }
  await service.ask(kinds.volume, { method: 'DELETE', path: `/attachments/${id}`, headers }, context())
}

describe('several containers', () => {
  test('have a shared one on one host, and it is given back by the last', async () => {
    const volume = await aVolume('shared', { shared: true })
    const first = await world.run(ann, [mount('shared')])
    const second = await world.run(ann, [mount('shared')], h2)
    expect(second.host).toBe(first.host)
    expect(await attachmentsOf(volume.id)).toHaveLength(1)
    await world.forget(first.id)
    expect(await attachmentsOf(volume.id)).toHaveLength(1)
    const stays = await faultOf(provider().volumes.delete(ann, 'shared'))
    expect(stays.message).toContain(second.id)
    await world.forget(second.id)
    expect(await statusOf(volume.id)).toBe('available')
    await nothingLeft()
  })

  test('have a multiattach one on many hosts while all read, and no writer comes between', async () => {
    expect(
      (await faultOf(provider().volumes.create(ann, { name: 'no', size: 1, multiattach: true, type: 'files' })))
        .message,
    ).toContain('multiattach')
    const type = await multiattachType()
    try {
      const volume = await aVolume('many', { multiattach: true })
      expect(volume).toMatchObject({ multiattach: true, volumeType: type })
      const writer = await world.run(ann, [mount('many')])
      await eventually('the connection', async () => world.told.get(`h1 ${volume.id}`)?.remote?.connection)
      await world.mounted(h1, volume.id)
      const beside = await world.run(ann, [mount('many', true)], h2)
      expect(beside.host).toBe(h1)
      await world.forget(beside.id)
      await world.forget(writer.id)
      const readers = [await world.run(ann, [mount('many', true)], h1), await world.run(ann, [mount('many', true)], h2)]
      expect(await attachmentsOf(volume.id)).toHaveLength(1)
      expect(readers.map(({ host }) => host)).toEqual([h1, h2])
      for (const host of [h1, h2]) {
        const plan = await eventually('the connection', async () => {
          const told = world.told.get(`${host} ${volume.id}`)
          return told?.remote?.connection && told
        })
        expect(plan.remote).toMatchObject({ readOnly: true, blank: false })
        await world.mounted(host, volume.id)
      }
      expect(await attachmentsOf(volume.id)).toHaveLength(2)
      expect((await faultOf(provider().remote.make(ann, newId(), [mount('many')]))).code).toBe('volume.in-use')
      // A second on the same host shares the mount.
      const third = await world.run(ann, [mount('many', true)], h2)
      await eventually('the merge', async () => (await attachmentsOf(volume.id)).length === 2)
      for (const { id } of [...readers, third]) await world.forget(id)
      expect(await statusOf(volume.id)).toBe('available')
      await provider().volumes.delete(ann, volume.id)
      await until(volume.id, 'gone')
    } finally {
      await eventually(
        'the end of the type',
        async () => {
          await cloud.openstack(cloud.admin, 'volume', 'type', 'delete', type)
          return true
        },
        1,
      ).catch(() => undefined)
    }
    await nothingLeft()
  })

  async function multiattachType(): Promise<string> {
    const name = `many-${newId().slice(0, 8)}`
    const args = ['volume', 'type', 'create', '--property', 'multiattach=<is> True', name]
    await cloud.openstack(cloud.admin, ...args)
    return name
  }
})

describe('verbs', () => {
  test('a snapshot, a clone, a larger volume', async () => {
    const volume = await aVolume('source')
    const snapshot = await provider().snapshots.create(ann, 'source', 'then')
    await eventually('the snapshot', async () => (await provider().snapshots.get(ann, 'then')).status === 'available')
    expect(await provider().snapshots.list(ann)).toMatchObject([{ id: snapshot.id, volumeId: volume.id, hostId: null }])
    const copy = await provider().volumes.create(ann, { name: 'copy', snapshot: 'then' })
    await until(copy.id, 'available')
    expect(await provider().volumes.get(ann, 'copy')).toMatchObject({ size: 1, snapshotId: snapshot.id })
    expect((await world.store.cloudVolumes.get(copy.id))?.blank).toBe(false)
    const clone = await provider().volumes.create(ann, { name: 'clone', volume: 'copy', size: 1 })
    await until(clone.id, 'available')
    expect(await provider().volumes.get(ann, 'clone')).toMatchObject({ sourceVolumeId: copy.id })
    expect((await world.store.cloudVolumes.get(clone.id))?.blank).toBe(false)
    expect((await faultOf(provider().volumes.delete(ann, 'source'))).code).toBe('volume.in-use')
    await provider().snapshots.delete(ann, 'then')
    await eventually('no snapshot', async () => (await provider().snapshots.list(ann)).length === 0)
    expect(await provider().volumes.extend(ann, 'clone', 2)).toMatchObject({ size: 2 })
    expect((await faultOf(provider().volumes.extend(ann, 'clone', 1))).code).toBe('request.invalid')
    expect(await provider().volumes.rename(ann, 'clone', 'renamed')).toMatchObject({ id: clone.id, name: 'renamed' })
    expect((await provider().volumes.list(ann)).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['source', 'copy', 'renamed']),
    )
  })

  test('a volume that is in use and cannot be extended stays as it is, and says why', async () => {
    const volume = await aVolume('busy')
    const { id } = await world.run(ann, [mount('busy')])
    await eventually('the connection', async () => world.told.get(`h1 ${volume.id}`)?.remote?.connection)
    await world.mounted(h1, volume.id)
    await until(volume.id, 'in-use')
    const refusal = await faultOf(provider().volumes.extend(ann, 'busy', 2))
    expect(refusal.message).toContain('could not extend')
    expect(await statusOf(volume.id)).toBe('in-use')
    await world.forget(id)
    expect(await statusOf(volume.id)).toBe('available')
  })

  test('a backup outlives its volume, and another is made from it', { timeout: 300_000 }, async () => {
    const volume = await aVolume('tosave')
    const file = join(process.env['TESTCLOUD_DIR'] ?? '', 'var/cinder/volumes', `volume-${volume.id}`)
    await writeAt(file, 4096, 'kept')
    const made = await provider().backups.create(ann, 'tosave', 'nightly')
    expect(made).toMatchObject({ volumeId: volume.id, size: 1, status: 'creating' })
    await eventually(
      'the backup',
      async () => (await provider().backups.get(ann, 'nightly')).status === 'available',
      120,
    )
    expect((await provider().backups.list(ann)).map(({ id }) => id)).toEqual([made.id])
    await provider().volumes.delete(ann, 'tosave')
    await until(volume.id, 'gone')
    const again = await provider().volumes.create(ann, { name: 'again', backup: 'nightly' })
    await until(again.id, 'available')
    const restored = join(process.env['TESTCLOUD_DIR'] ?? '', 'var/cinder/volumes', `volume-${again.id}`)
    expect(await readAt(restored, 4096, 4)).toBe('kept')
    expect((await world.store.cloudVolumes.get(again.id))?.blank).toBe(false)
    await provider().backups.delete(ann, 'nightly')
    await eventually('no backup', async () => (await provider().backups.list(ann)).length === 0, 60)
    await allowBackups('disable')
    try {
      expect((await faultOf(provider().backups.create(ann, 'again', 'b'))).message).toContain('cinder-backup')
    } finally {
      await allowBackups('enable')
    }
  })

  test('refusals tell what is wrong', async () => {
    expect((await faultOf(provider().volumes.get(ann, 'nobody'))).code).toBe('volume.not-found')
    expect((await faultOf(provider().remote.make(ann, newId(), [mount('nobody')]))).code).toBe('volume.not-found')
    expect((await faultOf(provider().volumes.create(ann, { name: 'x', size: 1, type: 'no-such' }))).message).toContain(
      'no-such',
    )
    expect((await faultOf(provider().volumes.create(ann, { name: 'x', size: 1, backend: 'local' }))).code).toBe(
      'request.invalid',
    )
    await aVolume('twice')
    await aVolume('twice')
    expect((await faultOf(provider().volumes.get(ann, 'twice'))).code).toBe('volume.ambiguous')
    await nothingLeft()
  })

  test('a quota of Cinder’s', async () => {
    await allow(0)
    const refusal = await faultOf(provider().volumes.create(ann, { name: 'over', size: 1 }))
    expect(refusal.code).toBe('service.over-quota')
    expect((await faultOf(provider().remote.make(ann, newId(), [sized(1)]))).code).toBe('service.over-quota')
    await allow(20)
    await nothingLeft()
  })

  async function allowBackups(verb: 'enable' | 'disable'): Promise<void> {
    const json = { binary: 'cinder-backup', host: cloud.hostName }
    const call = { method: 'PUT', path: `/os-services/${verb}`, json } as const
    await cloud.adminSession.ask(kinds.volume, call, context())
  }

  async function allow(volumes: number): Promise<void> {
    const call = { method: 'PUT', path: `/os-quota-sets/${project.id}`, json: { quota_set: { volumes } } } as const
    await cloud.adminSession.ask(kinds.volume, call, context())
  }

  test('another project’s is not there, not even for its administrator’s containers', async () => {
    const volume = await aVolume('private')
    const other = await cloud.newProject()
    const bob = await world.callerOf(other.member)
    expect((await faultOf(provider().volumes.get(bob, volume.id))).code).toBe('volume.not-found')
    const admin = await world.callerOf(cloud.admin, true)
    expect(await provider().volumes.get(admin, volume.id)).toMatchObject({ id: volume.id })
    expect((await faultOf(provider().remote.make(admin, newId(), [mount(volume.id)]))).code).toBe('volume.not-found')
  })
})
