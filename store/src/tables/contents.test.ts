import type { Manifest, ManifestPart } from '@gantry/control'
import { type Digest, dockerImage, type Image, type ImageId, type ProjectId, type UserId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { aContainer, ours, theirs } from '../testing/samples.ts'

const d = (name: string) => `sha256:${name.padEnd(64, '0')}` as Digest
const others = 'p3' as ProjectId

function part(name: string, kind: ManifestPart['kind'] = 'blob', size = 10): ManifestPart {
  return { kind, digest: d(name), size, mediaType: 'x', platform: kind === 'manifest' ? 'linux/amd64' : null }
}

function aManifest(name: string, parts: readonly ManifestPart[], rest: Partial<Manifest> = {}): Manifest {
  return {
    digest: d(name),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: null,
    content: `{"${name}":1}`,
    size: 100,
    config: '{}',
    configDigest: d(`${name}c`),
    subject: null,
    parts,
    ...rest,
  }
}

function anImage(id: string, rest: Partial<Image> = {}): Image {
  return {
    id: id as ImageId,
    projectId: ours,
    userId: 'u1' as UserId,
    name: null,
    repo: id,
    tag: 'latest',
    kind: 'image',
    status: 'active',
    visibility: 'private',
    digest: d(id),
    imageId: d(`${id}c`),
    size: null,
    bytes: 5,
    pending: null,
    glance: dockerImage,
    createdAt: 1,
    updatedAt: 1,
    ...rest,
  }
}

const hold = (name: string, projectId = ours, repo = 'app', pushedAt = 1) => ({
  projectId,
  repo,
  digest: d(name),
  userId: null,
  pushedAt,
})

/** Blobs `aa` and `bb` in manifest `1`; index `2` holds it and a manifest that is not here. */
async function withAnIndex() {
  const opened = await openStore()
  const { contents } = opened.store
  for (const name of ['aa', 'bb', 'cc']) {
    await contents.addBlob({ digest: d(name), size: 10, origin: null, at: 5 })
    await contents.holdBlob(ours, d(name), 5)
  }
  await contents.putManifest(aManifest('1', [part('aa'), part('bb')]))
  await contents.putManifest(aManifest('2', [part('1', 'manifest'), part('9', 'manifest')], { config: null }))
  await contents.hold(hold('2'))
  return opened
}

test('a manifest is kept once, byte for byte, and found with what it is made of', async () => {
  await using opened = await withAnIndex()
  const { contents } = opened.store
  await contents.putManifest(aManifest('1', [part('aa'), part('bb')]))
  expect(await contents.manifest(d('1'))).toEqual(aManifest('1', [part('aa'), part('bb')]))
  expect(await contents.above(d('aa'))).toEqual([d('aa'), d('1'), d('2')])
  expect(await contents.above(d('2'))).toEqual([d('2')])
  expect((await contents.closure(d('2'))).map(({ digest }) => digest).toSorted()).toEqual([d('1'), d('2')])
  expect(await contents.repositories(ours)).toEqual(['app'])
  await contents.hold(hold('2', ours, 'app', 7))
  expect(await contents.holds(ours)).toEqual([hold('2', ours, 'app', 7)])
  await contents.release(ours, 'app', d('2'))
  expect(await contents.holdOf(ours, 'app', d('2'))).toBeUndefined()
})

test('bytes are counted once for each project, whatever uses them', async () => {
  await using opened = await withAnIndex()
  const { contents } = opened.store
  await contents.hold(hold('1', ours, 'other'))
  expect(await contents.bytesOf(ours)).toBe(30 + 200)
  expect(await contents.bytesOf(theirs)).toBe(0)
})

test('only what nobody needs is idle, unheld or removable', async () => {
  await using opened = await withAnIndex()
  const { contents, containers } = opened.store
  expect(await contents.idleBlobs(ours, 6)).toEqual([d('cc')])
  expect(await contents.idleBlobs(ours, 5)).toEqual([])
  await contents.releaseBlob(ours, d('cc'))
  expect(await contents.unheldBlobs(6)).toEqual([d('cc')])
  expect(await contents.removeBlob(d('cc'), 5)).toBe(false)
  expect(await contents.removeBlob(d('aa'), 6)).toBe(false)
  expect(await contents.removeBlob(d('cc'), 6)).toBe(true)
  expect(await contents.blob(d('cc'))).toBeUndefined()

  await containers.insert(aContainer('c1', { imageManifest: d('1') }))
  await contents.release(ours, 'app', d('2'))
  expect(await contents.unheldManifests()).toEqual([d('2')])
  await contents.removeManifest(d('2'))
  // A container runs it.
  expect(await contents.unheldManifests()).toEqual([])
  await contents.releaseBlob(ours, d('aa'))
  expect(await contents.unheldBlobs(6)).toEqual([])
  await containers.remove(aContainer('c1').id)
  expect(await contents.unheldManifests()).toEqual([d('1')])
  await contents.removeManifest(d('1'))
  expect(await contents.unheldBlobs(6)).toEqual([d('aa')])
})

test("a project sees what its own, public and shared images are made of, and nothing of another's", async () => {
  await using opened = await withAnIndex()
  const { contents, images } = opened.store
  const seen = async (projectId: ProjectId) => {
    const answers = ['aa', '1', '2', 'cc'].map(async (name) => contents.isVisible(projectId, d(name)))
    return Promise.all(answers)
  }
  expect(await seen(ours)).toEqual([true, true, true, false])
  expect(await seen(theirs)).toEqual([false, false, false, false])
  await images.insert(anImage('i', { digest: d('2'), visibility: 'shared' }))
  expect(await seen(theirs)).toEqual([false, false, false, false])
  const member = { imageId: 'i' as ImageId, projectId: theirs, status: 'pending', createdAt: 1, updatedAt: 1 } as const
  await images.setMember(member)
  expect(await seen(theirs)).toEqual([true, true, true, false])
  expect(await seen(others)).toEqual([false, false, false, false])
  await images.update('i' as ImageId, { visibility: 'public' })
  expect(await seen(others)).toEqual([true, true, true, false])
})

test('names are unique in a project while they are not empty, and lists show what may be seen', async () => {
  await using opened = await openStore()
  const { images } = opened.store
  await images.insert(anImage('a'))
  await expect(images.insert(anImage('b', { repo: 'a' }))).rejects.toThrow()
  await images.insert(anImage('n1', { repo: '', tag: '' }))
  await images.insert(anImage('n2', { repo: '', tag: '' }))
  await images.insert(anImage('theirs', { projectId: theirs, repo: 'a', visibility: 'public', createdAt: 2 }))
  await images.insert(anImage('lent', { projectId: theirs, visibility: 'shared', createdAt: 3 }))
  const member = { imageId: 'lent' as ImageId, projectId: ours, status: 'pending', createdAt: 1, updatedAt: 1 } as const
  await images.setMember(member)
  const ids = async (...args: Parameters<typeof images.list>) => (await images.list(...args)).map(({ id }) => id)
  expect(await ids(ours)).toEqual(['a', 'n1', 'n2', 'theirs'])
  await images.setMember({ ...member, status: 'accepted', updatedAt: 9 })
  expect(await images.members('lent' as ImageId)).toEqual([{ ...member, status: 'accepted', updatedAt: 9 }])
  expect(await ids(ours)).toEqual(['a', 'n1', 'n2', 'theirs', 'lent'])
  expect(await ids(ours, { owners: 'shared' })).toEqual(['lent'])
  expect(await ids(others)).toEqual(['theirs'])
  expect(await ids(ours, { owners: 'own', repo: 'a' })).toEqual(['a'])
  expect(await ids(null)).toHaveLength(5)
  expect((await images.resolve(ours, 'a', 'latest'))?.id).toBe('a')
  expect((await images.resolve(others, 'a', 'latest'))?.id).toBe('theirs')
  const changed = { pending: { hostId: 'h1' as never, engineRef: 'x' }, size: 7, name: 'N' }
  await images.update('a' as ImageId, changed)
  expect(await images.get('a' as ImageId)).toEqual(anImage('a', changed))
  expect((await images.pendingOn('h1' as never)).map(({ id }) => id)).toEqual(['a'])
  await images.update('a' as ImageId, { pending: null })
  expect(await images.pendingOn('h1' as never)).toEqual([])
  await images.remove('lent' as ImageId)
  expect(await ids(ours, { owners: 'shared', memberStatus: 'all' })).toEqual([])
})

test('what is said of a manifest is found in its repository', async () => {
  await using opened = await withAnIndex()
  const { contents } = opened.store
  await contents.putManifest(aManifest('5', [], { subject: d('1'), artifactType: 'sig' }))
  expect(await contents.referrers(ours, 'app', d('1'))).toEqual([])
  await contents.hold(hold('5'))
  expect((await contents.referrers(ours, 'app', d('1'))).map(({ digest }) => digest)).toEqual([d('5')])
  expect(await contents.referrers(theirs, 'app', d('1'))).toEqual([])
})

test('layer sizes are known for all of an image or not at all', async () => {
  await using opened = await openStore()
  const { contents } = opened.store
  await contents.setLayerSizes([{ diffId: d('a'), size: 3 }])
  expect(await contents.layerSizes([d('a'), d('a')])).toEqual([3, 3])
  expect(await contents.layerSizes([d('a'), d('b')])).toBeNull()
})

test('uploads are counted by project and grow old', async () => {
  await using opened = await openStore()
  const { uploads } = opened.store
  const upload = { id: 'u' as never, projectId: ours, repo: 'app', userId: null, createdAt: 5 }
  await uploads.insert(upload)
  expect(await uploads.get(upload.id)).toEqual(upload)
  expect([await uploads.ofProject(ours), await uploads.ofProject(theirs)]).toEqual([[upload], []])
  expect(await uploads.stale(5)).toEqual([])
  expect(await uploads.stale(6)).toEqual([upload])
  await uploads.remove(upload.id)
  expect(await uploads.get(upload.id)).toBeUndefined()
})

test('keys of a policy are remembered for a project', async () => {
  await using opened = await openStore()
  const { imagePolicies } = opened.store
  expect(await imagePolicies.keysOf(ours)).toEqual([])
  await imagePolicies.setKeys(ours, ['k1'])
  await imagePolicies.setKeys(ours, ['k2'])
  expect([await imagePolicies.keysOf(ours), await imagePolicies.keysOf(theirs)]).toEqual([['k2'], []])
})
