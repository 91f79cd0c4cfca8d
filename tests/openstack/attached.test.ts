import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AttachedVolume, attachedVolumes, programsUnder } from '../../host/src/volumes/index.ts'
import type { Connection } from '@gantry/model'
import { allOf, volumeService } from '@gantry/openstack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'

/** What a real Cinder says of how to reach its volumes leads to their data. */

let cloud: TestCloud
let project: TestProject
let folder: string

beforeAll(async () => {
  cloud = await testCloud()
  project = await cloud.newProject()
  folder = await mkdtemp(join(tmpdir(), 'gantry-attached-'))
}, 90_000)
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await cloud?.[Symbol.asyncDispose]()
}, 120_000)

test('a volume is mounted and grows, and after a snapshot it is mounted still, which stays as it was', async () => {
  const cinder = volumeService(cloud.session(project.member))
  const context = () => cloud.context()
  const programs = programsUnder(join(folder, 'programs.lock'))
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const machine = attachedVolumes({ folder, programs, log: silent, host: 'attached-1' })
  const { id } = await cinder.volumes.create({ name: 'a', size: 1 }, context())
  const status = async () => (await cinder.volumes.show(id, context())).status
  await eventually('the volume', async () => (await status()) === 'available')
  const point = join(folder, 'mounts', id, 'data')

  /** One life of an attachment. */
  const attached = async (changes: Partial<AttachedVolume>, use: () => Promise<void>): Promise<Connection> => {
    const made = await cinder.attachments.create({ volume_uuid: id }, context())
    const { connection_info: info } = await cinder.attachments.update(made.id, await machine.connector(), context())
    const connection = info as Connection
    const volume = { id, connection, fsType: 'ext4', blank: false, readOnly: false, size: 1, point, covered: true }
    await machine.mount({ ...volume, ...changes }, new AbortController().signal)
    await cinder.attachments.complete(made.id, context())
    expect(await status()).toBe('in-use')
    await use()
    await machine.unmount(id)
    await cinder.attachments.remove(made.id, context())
    await eventually('it', async () => (await status()) === 'available')
    return connection
  }
  const note = join(point, 'note')

  const first = await attached({ blank: true }, () => writeFile(note, 'then'))
  expect(first).toMatchObject({ driver_volume_type: 'nfs', format: 'raw' })
  await cinder.extend(id, 2, context())
  await eventually('its size', async () => (await cinder.volumes.show(id, context())).size === 2)
  await eventually('it', async () => (await status()) === 'available')
  await attached({ size: 2 }, async () => expect(await readFile(note, 'utf8')).toBe('then'))

  const snapshot = await cinder.snapshots.create({ volume_id: id, name: 's' }, context())
  await eventually('s', async () => (await cinder.snapshots.show(snapshot.id, context())).status === 'available')
  const second = await attached({ size: 2 }, async () => {
    expect(await readFile(note, 'utf8')).toBe('then')
    await writeFile(note, 'now')
  })
  expect(second).toMatchObject({ driver_volume_type: 'nfs', format: 'qcow2' })
  await attached({ size: 2 }, async () => expect(await readFile(note, 'utf8')).toBe('now'))
  await cinder.snapshots.remove(snapshot.id, context())
  await eventually('no snapshot', async () => (await allOf(cinder.snapshots.list({}, context()))).length === 0)
  await attached({ size: 2 }, async () => expect(await readFile(note, 'utf8')).toBe('now'))
  expect(await machine.list()).toEqual([])
  await cinder.volumes.remove(id, context())
}, 120_000)
