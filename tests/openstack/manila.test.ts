import { randomUUID } from 'node:crypto'
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Caller } from '@gantry/model'
import {
  allOf,
  type AccessRule,
  bestLocation,
  firstOf,
  grantAccess,
  isOpenStackError,
  revokeAccess,
  rulesOf,
  type Session,
  type Share,
  type ShareService,
  shareService,
} from '@gantry/openstack'
import { type VolumeBackend, manila as manilaBackend } from '@gantry/providers-openstack'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'
import { emptyOfShares, type ShareHost, shareHost } from './manila-world.ts'
import { type VerbsWorld, verbsWorld } from './verbs-world.ts'

/** Manila itself (`cloud up … manila`), with a back end whose shares are folders and whose access rules are mounts. */

let cloud: TestCloud
let project: TestProject
let member: Session
let manila: ShareService
const context = () => cloud.context()

beforeAll(async () => {
  cloud = await testCloud()
  project = await cloud.newProject()
  member = cloud.session(project.member)
  manila = shareService(member)
})
afterAll(async () => {
  if (member) await emptyOfShares(cloud, member)
  await cloud?.[Symbol.asyncDispose]()
})

const newShare = async (name: string, more: { snapshot_id?: string; size?: number } = {}): Promise<Share> => {
  const { id } = await manila.shares.create({ name, share_proto: 'NFS', size: 1, ...more }, context())
  return untilMade(id)
}
const untilMade = (id: string): Promise<Share> =>
  eventually(`share ${id}`, async () => {
    const share = await manila.shares.show(id, context())
    if (share.status === 'error') throw new Error('it is in error')
    return share.status === 'available' && share
  })

describe('the client', () => {
  test('a share is made, found, changed, extended and removed; others do not see it', async () => {
    const made = await manila.shares.create(
      { name: 'papers', share_proto: 'NFS', size: 1, description: 'd', metadata: { volume_from: 'tests' } },
      context(),
    )
    expect(made).toMatchObject({ name: 'papers', size: 1, project_id: project.id, share_proto: 'NFS' })
    const share = await untilMade(made.id)
    expect(share).toMatchObject({ share_type_name: 'folders', metadata: { volume_from: 'tests' } })
    const locations = await manila.exportLocations(share.id, context())
    expect(locations.length).toBe(2)
    expect(bestLocation(locations)).toMatch(/^127\.0\.0\.1:\/shares\//)

    await newShare('other')
    expect((await allOf(manila.shares.list({ name: 'papers' }, context()))).map(({ id }) => id)).toEqual([share.id])
    const pages = await allOf(manila.shares.list({ limit: 1 }, context()))
    expect(new Set(pages.map(({ name }) => name))).toEqual(new Set(['papers', 'other']))
    expect(await manila.shares.update(share.id, { display_name: 'letters' }, context())).toMatchObject({
      name: 'letters',
    })
    await manila.setMetadata(share.id, { more: 'x' }, context())
    expect((await manila.shares.show(share.id, context())).metadata).toEqual({ volume_from: 'tests', more: 'x' })
    expect(await manila.removeMetadata(share.id, 'more', context())).toBe(true)
    expect(await manila.removeMetadata(share.id, 'more', context())).toBe(false)
    await manila.extend(share.id, 2, context())
    await eventually('2 GiB', async () => (await manila.shares.show(share.id, context())).size === 2)

    const theirs = shareService(cloud.session((await cloud.newProject()).member))
    await expect(theirs.shares.show(share.id, context())).rejects.toSatisfy((error) => isOpenStackError(error, 404))
    expect(await allOf(theirs.shares.list({}, context()))).toEqual([])

    expect(await manila.shares.remove(share.id, context())).toBe(true)
    await eventually('its end', async () => (await rulesOf(manila, share.id, context())) === null)
    expect(await manila.shares.remove(share.id, context())).toBe(false)
    expect((await allOf(manila.types.list({}, context()))).map(({ name }) => name)).toContain('folders')
    expect(await allOf(manila.networks.list({}, context()))).toEqual([])
  })

  test('a snapshot keeps what was there, and a new share begins with it', async () => {
    const share = await newShare('origin')
    const { id } = await manila.snapshots.create({ share_id: share.id, name: 's' }, context())
    const snapshot = await eventually('the snapshot', async () => {
      const shown = await manila.snapshots.show(id, context())
      return shown.status === 'available' && shown
    })
    expect(snapshot).toMatchObject({ share_id: share.id, share_size: 1, project_id: project.id })
    const copy = await newShare('copy', { snapshot_id: id })
    expect(copy.snapshot_id).toBe(id)
    await manila.shares.remove(copy.id, context())
    expect(await manila.snapshots.remove(id, context())).toBe(true)
  })

  test('what cannot be is refused: too much, an unknown protocol, more than the storage has, with the reason', async () => {
    const refusal = (body: Parameters<ShareService['shares']['create']>[0]) =>
      manila.shares.create(body, context()).catch((error: unknown) => error)
    expect(await refusal({ name: 'x', share_proto: 'NFS', size: 1_000_000 })).toMatchObject({
      status: 413,
      code: 'overLimit',
    })
    expect(await refusal({ name: 'x', share_proto: 'XFS', size: 1 })).toMatchObject({ status: 400 })
    const { id } = await manila.shares.create({ name: 'big', share_proto: 'NFS', size: 900 }, context())
    await eventually('its error', async () => (await manila.shares.show(id, context())).status === 'error')
    const told = await firstOf(manila.messages(id, context()))
    expect(told?.user_message).toMatch(/No storage could be allocated/)
    await manila.shares.remove(id, context())
  })

  test('a host is let in and shut out, as often as it is asked; rules of others stay as they are', async () => {
    const share = await newShare('rules')
    const isOurs = ({ metadata }: AccessRule) => metadata?.['of'] === 'us'
    const rule = { access_type: 'ip', access_to: '127.0.0.21', access_level: 'rw', metadata: { of: 'us' } } as const
    const noted: string[] = []
    const wish = { shareId: share.id, rule, isOurs, made: async (id: string) => void noted.push(id) }
    const first = await grantAccess(manila, wish, context())
    expect(first).toMatchObject({ state: 'active', access_level: 'rw' })
    expect((await grantAccess(manila, wish, context())).id).toBe(first.id)
    expect(noted).toEqual([first.id])
    // Two at once may make two; both let the host in, and both can be taken away.
    const both = { ...wish, rule: { ...rule, access_to: '127.0.0.22' } }
    const [one, two] = await Promise.all([grantAccess(manila, both, context()), grantAccess(manila, both, context())])
    expect([one.state, two.state]).toEqual(['active', 'active'])

    const theirs = { access_type: 'ip', access_to: '127.0.0.23', access_level: 'ro' } as const
    await manila.access.allow(share.id, theirs, context())
    const narrow = { ...wish, rule: { ...rule, access_to: '127.0.0.23' } }
    await expect(grantAccess(manila, narrow, context())).rejects.toThrow(/lets 127\.0\.0\.23 at the share as ro only/)
    const reading = { ...narrow, rule: { ...narrow.rule, access_level: 'ro' as const } }
    expect(isOurs(await grantAccess(manila, reading, context()))).toBe(false)

    expect(await revokeAccess(manila, share.id, first.id, context())).toBe(true)
    expect(await revokeAccess(manila, share.id, first.id, context())).toBe(false)
    const left = (await rulesOf(manila, share.id, context())) ?? []
    expect(new Set(left.map(({ access_to: to }) => to))).toEqual(new Set(['127.0.0.22', '127.0.0.23']))
    for (const { id } of left.filter(isOurs)) await revokeAccess(manila, share.id, id, context())
    expect((await rulesOf(manila, share.id, context()))?.length).toBe(1)
  })

  test('a rule that the storage cannot apply is taken away and told', async () => {
    const share = await newShare('refused')
    const rule = { access_type: 'ip', access_to: '192.0.2.66' }
    await expect(grantAccess(manila, { shareId: share.id, rule, isOurs: () => false }, context())).rejects.toThrow(
      /its storage does not let 192\.0\.2\.66 at the share/,
    )
    expect(await rulesOf(manila, share.id, context())).toEqual([])
    await expect(
      grantAccess(manila, { shareId: randomUUID(), rule, isOurs: () => false }, context()),
    ).rejects.toSatisfy((error) => isOpenStackError(error, 404))
  })
})

describe('shares as volumes of containers', () => {
  let world: VerbsWorld
  let shares: VolumeBackend
  let caller: Caller
  let a: ShareHost
  let b: ShareHost
  beforeAll(async () => {
    world = await verbsWorld(cloud)
    shares = manilaBackend({ access: world.access })
    caller = await world.callerOf(project.member)
    a = await shareHost('host-a', '127.0.0.31')
    b = await shareHost('host-b', '127.0.0.32')
  })
  afterAll(async () => {
    await a?.[Symbol.asyncDispose]()
    await b?.[Symbol.asyncDispose]()
    await world?.[Symbol.asyncDispose]()
  })
  const made = async (name: string, more: { size?: number; snapshot?: string } = { size: 1 }): Promise<string> => {
    const { id } = await shares.volumes.create(caller, { name, metadata: { gantry: 'tests' }, ...more })
    await untilMade(id)
    return id
  }
  const claim = (volumeId: string, readOnly = false) => ({ volumeId, owner: randomUUID(), readOnly })
  const mounted = async (
    host: ShareHost,
    volumeId: string,
    connection: Awaited<ReturnType<typeof connect>>['connection'],
    readOnly = false,
  ) => {
    const point = join(host.folder, 'mounts', volumeId)
    const volume = { id: volumeId, size: 1, connection, point, covered: false, fsType: 'ext4', blank: false, readOnly }
    await host.attached.mount(volume, AbortSignal.timeout(30_000))
    return point
  }
  const connect = (host: ShareHost, of: ReturnType<typeof claim>) =>
    shares.attachments.connect(of.owner, of, host.connector)

  test('two hosts write to one share and see each other; the one that is let go cannot come back, the other goes on', async () => {
    const id = await made('shared')
    const [ofA, ofB] = [claim(id), claim(id)]
    const [atA, atB] = [await connect(a, ofA), await connect(b, ofB)]
    expect(atA.id).not.toBe(atB.id)
    expect((await connect(a, ofA)).id).toBe(atA.id)
    const [pointA, pointB] = [await mounted(a, id, atA.connection), await mounted(b, id, atB.connection)]
    await writeFile(join(pointA, 'from-a'), 'hello')
    expect(await readFile(join(pointB, 'from-a'), 'utf8')).toBe('hello')
    await writeFile(join(pointB, 'from-b'), 'hello')
    await access(join(pointA, 'from-b'))

    await a.attached.unmount(id)
    await shares.attachments.release(atA.id, ofA, a.connector)
    await shares.attachments.release(atA.id, ofA, a.connector)
    expect(await shares.attachments.find(ofA)).toEqual([])
    expect(await shares.attachments.find(ofB)).toEqual([atB.id])
    await expect(mounted(a, id, atA.connection)).rejects.toThrow(/access denied/)
    await a.attached.unmount(id)
    expect(await a.mounts()).toEqual([])
    await writeFile(join(pointB, 'still'), 'here')
    await b.attached.unmount(id)
    await shares.attachments.release(atB.id, ofB, b.connector)
    expect(await rulesOf(manila, id, context())).toEqual([])
    expect(await b.mounts()).toEqual([])
    expect(await shares.own.get(id)).toMatchObject({ name: 'shared', status: 'available' })
  })

  test('who only reads gets no more; a writer of the same claim later does', async () => {
    const id = await made('read')
    const reading = claim(id, true)
    const { connection } = await connect(a, reading)
    const point = await mounted(a, id, connection, true)
    await expect(writeFile(join(point, 'x'), '')).rejects.toThrow(/EROFS/)
    await a.attached.unmount(id)
    const writing = { ...reading, readOnly: false }
    const next = await connect(a, writing)
    await writeFile(join(await mounted(a, id, next.connection), 'x'), '')
    await a.attached.unmount(id)
    await shares.attachments.release(next.id, writing, a.connector)
  })

  test('what a user lets in herself stays when a container goes', async () => {
    const id = await made('hers')
    const rule = await manila.access.allow(id, { access_type: 'ip', access_to: a.connector.ip }, context())
    const mine = claim(id)
    const at = await connect(a, mine)
    expect(at.id).toBe(mine.owner)
    await shares.attachments.release(at.id, mine, a.connector)
    expect((await rulesOf(manila, id, context()))?.map((one) => one.id)).toEqual([rule.id])
  })

  test('a dead server leaves a rule that is found by its claim', async () => {
    const id = await made('left')
    const lost = claim(id)
    const at = await connect(a, lost)
    expect(await shares.attachments.find(lost)).toEqual([at.id])
    await shares.attachments.release(lost.owner, lost, a.connector)
    expect(await shares.attachments.find(lost)).toEqual([])
    await shares.own.remove(id)
    await eventually('its end', async () => (await shares.own.get(id)) === null)
    // Everything may be repeated when the share is gone.
    await shares.attachments.release(at.id, lost, a.connector)
    await shares.own.remove(id)
  })

  test('verbs: names, sizes, snapshots, faults', async () => {
    const id = await made('verbs')
    expect(await shares.isThere()).toBe(true)
    expect(await shares.volumes.get(caller, id)).toMatchObject({
      projectId: project.id,
      multiattach: true,
      status: 'available',
    })
    expect(await shares.volumes.rename(caller, id, 'named')).toMatchObject({ name: 'named' })
    expect((await shares.volumes.list(caller, { name: 'named' })).map((one) => one.id)).toEqual([id])
    expect((await shares.own.marked('gantry', 'tests')).map((one) => one.id)).toContain(id)
    await shares.volumes.extend(caller, id, 2, true)
    await eventually('2 GiB', async () => (await shares.own.get(id))?.size === 2)

    const snapshot = await shares.snapshots?.create(caller, id, 'snap', true)
    const snapshotId = snapshot?.id ?? ''
    await eventually(
      'the snapshot',
      async () => (await shares.snapshots?.get(caller, snapshotId))?.status === 'available',
    )
    await expect(shares.volumes.remove(caller, id)).rejects.toMatchObject({ code: 'volume.in-use' })
    // Its size and protocol are the snapshot's.
    const copy = await made('copy', { snapshot: snapshotId })
    expect(await shares.volumes.get(caller, copy)).toMatchObject({ size: 2, snapshotId, hasSource: true })
    await shares.volumes.remove(caller, copy)
    await eventually('its end', async () => (await shares.volumes.get(caller, copy)) === null)
    await shares.snapshots?.remove(caller, snapshotId)
    await eventually('the end', async () => (await shares.snapshots?.get(caller, snapshotId)) === null)
    await shares.volumes.remove(caller, id)

    const refused = (input: object) =>
      shares.volumes.create(caller, { name: 'x', size: 1, metadata: {}, ...input }).catch((error: unknown) => error)
    expect(await refused({ size: 1_000_000 })).toMatchObject({ code: 'service.over-quota' })
    expect(await refused({ type: 'nope' })).toMatchObject({ code: 'volume.not-found', details: { type: 'share type' } })
    expect(await refused({ volume: id })).toMatchObject({ code: 'request.unsupported' })
    expect(await refused({ snapshot: randomUUID() })).toMatchObject({
      code: 'volume.not-found',
      details: { type: 'snapshot' },
    })
    expect(await shares.volumes.get(caller, randomUUID())).toBeNull()
    const stranger = await world.callerOf((await cloud.newProject()).member)
    expect(await shares.volumes.get(stranger, id)).toBeNull()
  })

  test('a Manila that is away is told so, and does what it was asked when it is back', async () => {
    const id = await made('away')
    const mine = claim(id)
    const at = await connect(a, mine)
    await cloud.kill9('manila-api')
    try {
      await expect(shares.volumes.get(caller, id)).rejects.toMatchObject({ code: 'service.unavailable' })
    } finally {
      await cloud.start('manila-api')
    }
    await cloud.kill9('manila-share')
    const releasing = shares.attachments.release(at.id, mine, a.connector)
    await cloud.start('manila-share')
    await releasing
    expect(await shares.attachments.find(mine)).toEqual([])
  })
})
