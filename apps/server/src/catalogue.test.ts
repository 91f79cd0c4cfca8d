import { Readable } from 'node:stream'
import { pulledFrom } from '@gantry/control'
import { openPass } from '@gantry/control/testing'
import { randomIds } from '@gantry/kernel'
import type { HostId, ImageMember, ProjectId } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller } from './testing/a-world.ts'
import { aCatalogue, bytesOf, digestOf, makeImage, makeIndex, pushImage } from './testing/a-catalogue.ts'

const us = aCaller('p1')
const them = aCaller('p2')
const admin = aCaller('admin-project', ['admin'])
const app = (tag = 'latest') => ({ repo: 'app', tag })
const soon = () => AbortSignal.timeout(10_000)
const code = (wanted: string) => expect.objectContaining({ code: wanted })

test('an image that is pushed and named is found by its name, its digest and its id', async () => {
  await using made = await aCatalogue()
  const { catalogue, store } = made
  const image = makeImage(['one', 'two'])
  const pushed = await pushImage(catalogue, us, 'app', image)
  expect(pushed).toMatchObject({ configDigest: image.configDigest, config: image.config })
  await store.contents.setLayerSizes(image.layers.map((each, at) => ({ diffId: digestOf(each), size: at + 10 })))
  const row = await catalogue.nameImage(us, app(), pushed.digest)
  expect(row).toMatchObject({ kind: 'image', imageId: image.configDigest, size: 21, status: 'active' })
  expect(row.bytes).toBe(image.manifest.content.length + image.config.length + 6)

  for (const name of [
    app(),
    { repo: 'docker.io/library/app', tag: 'latest' },
    { repo: 'app', tag: image.digest },
    { repo: 'p1/app', tag: 'latest' },
    { repo: '127.0.0.1:9700/p1/app', tag: 'latest' },
    { repo: 'sha256', tag: image.configDigest.slice(7) },
  ]) {
    expect(await catalogue.find(us, name), `${name.repo}:${name.tag}`).toMatchObject({ id: row.id })
    expect(await catalogue.find(them, name)).toBeNull()
  }
  expect(await catalogue.find(us, { repo: 'ghcr.io/app', tag: 'latest' })).toBeNull()
})

test('what is public is found by all, under its plain name and in its namespace; what is shared only there', async () => {
  await using made = await aCatalogue()
  const { catalogue, store } = made
  const { digest } = await pushImage(catalogue, admin, 'app', makeImage(['one']))
  const row = await catalogue.nameImage(admin, app(), digest, { visibility: 'public' })
  expect(await catalogue.find(us, app())).toMatchObject({ id: row.id })
  expect(await catalogue.find(us, { repo: 'admin-project/app', tag: 'latest' })).toMatchObject({ id: row.id })

  const shared = await pushImage(catalogue, them, 'tool', makeImage(['two']))
  const { id } = await catalogue.nameImage(them, { repo: 'tool', tag: '1' }, shared.digest, { visibility: 'shared' })
  const name = { repo: 'p2/tool', tag: '1' }
  expect(await catalogue.find(us, name)).toBeNull()
  const member: ImageMember = { imageId: id, projectId: us.projectId, status: 'accepted', createdAt: 1, updatedAt: 1 }
  await store.images.setMember(member)
  expect(await catalogue.find(us, name)).toMatchObject({ id })
  expect(await catalogue.find(us, { repo: 'tool', tag: '1' })).toBeNull()
})

test('a name that moves keeps who may see it; what it meant before stays without a name', async () => {
  await using made = await aCatalogue()
  const { catalogue, store } = made
  const first = await pushImage(catalogue, us, 'app', makeImage(['one']))
  const second = await pushImage(catalogue, us, 'app', makeImage(['two']))
  const before = await catalogue.nameImage(us, app(), first.digest, { visibility: 'shared' })
  const member: ImageMember = {
    imageId: before.id,
    projectId: 'p2' as ProjectId,
    status: 'accepted',
    createdAt: 1,
    updatedAt: 1,
  }
  await store.images.setMember(member)
  expect(await catalogue.nameImage(us, app(), first.digest)).toEqual(before)
  const after = await catalogue.nameImage(us, app(), second.digest)
  expect(after).toMatchObject({ visibility: 'shared', digest: second.digest })
  expect(await store.images.members(after.id)).toHaveLength(1)
  expect(await store.images.get(before.id)).toMatchObject({ repo: '', tag: '', visibility: 'private' })
  expect(await store.images.members(before.id)).toEqual([])
  expect(await catalogue.find(us, { repo: 'app', tag: first.digest })).toMatchObject({ id: before.id })

  // With a name again, the entry without one is not needed any more.
  await catalogue.nameImage(us, app('old'), first.digest)
  expect((await store.images.list(us.projectId)).map(({ repo, tag }) => `${repo}:${tag}`).toSorted()).toEqual([
    'app:latest',
    'app:old',
  ])
  // Nor is there one for what has another name.
  await catalogue.nameImage(us, app(), first.digest)
  await catalogue.nameImage(us, app(), second.digest)
  expect((await store.images.list(us.projectId)).filter(({ repo }) => repo === '')).toEqual([])
})

test('an entry that waits for its content becomes the image, and keeps its id', async () => {
  await using made = await aCatalogue()
  const { catalogue, store } = made
  const { digest } = await pushImage(catalogue, us, 'app', makeImage(['one']))
  const active = await catalogue.nameImage(us, app(), digest)
  const pending = {
    ...active,
    id: randomIds.uuid() as typeof active.id,
    repo: 'saved',
    digest: null,
    imageId: null,
    bytes: null,
    status: 'saving' as const,
    pending: { hostId: 'h1' as HostId, engineRef: 'x' },
  }
  await store.images.insert(pending)
  const named = await catalogue.nameImage(us, { repo: 'saved', tag: 'latest' }, digest)
  expect(named).toMatchObject({ id: pending.id, digest, status: 'active', pending: null })
  expect(await store.images.get(pending.id)).toEqual(named)

  const queued = {
    ...pending,
    id: randomIds.uuid() as typeof active.id,
    repo: '',
    tag: '',
    name: 'Mine',
    pending: null,
  }
  await store.images.insert(queued)
  const uploaded = await catalogue.nameImage(us, app(), digest, { row: queued.id })
  expect(uploaded).toMatchObject({ id: queued.id, name: 'Mine', repo: 'app', status: 'active' })
  expect(await store.images.get(active.id)).toBeUndefined()
})

test('nobody gets at what others have by saying its digest', async () => {
  await using made = await aCatalogue()
  const { catalogue } = made
  const image = makeImage(['secret'])
  await pushImage(catalogue, us, 'app', image)
  expect(await catalogue.holdBlob(them, image.configDigest)).toBeNull()
  await expect(catalogue.addManifest({ caller: them, repo: 'x' }, image.manifest)).rejects.toThrow(
    code('manifest.blob-unknown'),
  )
  const index = makeIndex({ 'linux/amd64': image })
  await expect(catalogue.addManifest({ caller: them, repo: 'x' }, index.manifest)).rejects.toThrow(
    code('manifest.blob-unknown'),
  )
  const partial = await catalogue.addManifest({ caller: them, repo: 'x' }, index.manifest, { partial: true })
  expect(partial.parts).toEqual([])
  expect(await catalogue.runnable(index.digest)).toBeNull()
  expect(await catalogue.holdBlob(them, image.configDigest)).toBeNull()
  // Whoever has the image makes the index whole.
  const whole = await catalogue.addManifest({ caller: us, repo: 'app' }, index.manifest)
  expect(whole.parts).toHaveLength(1)
  expect(await catalogue.runnable(index.digest)).toMatchObject({ digest: image.digest })
})

test('what a manifest says about its parts must be true', async () => {
  await using made = await aCatalogue()
  const { catalogue } = made
  const image = makeImage(['one'])
  await pushImage(catalogue, us, 'app', image)
  const lying = image.manifest.content.toString().replace('"size":3', '"size":4')
  const put = (content: string) =>
    catalogue.addManifest({ caller: us, repo: 'app' }, { ...image.manifest, content: bytesOf(content) })
  await expect(put(lying)).rejects.toThrow(/has 4 bytes, which has 3/)
  const other = makeImage(['two'])
  const odd = { ...other, config: 'no json', configDigest: digestOf('no json') }
  const content = other.manifest.content
    .toString()
    .replace(other.configDigest, odd.configDigest)
    .replace(`"size":${other.config.length}`, '"size":7')
  await expect(
    pushImage(catalogue, us, 'app', { ...odd, manifest: { ...other.manifest, content: bytesOf(content) } }),
  ).rejects.toThrow(/configuration is no JSON/)
})

test('of an index, the image for the platform of this server runs; its parts are held with it', async () => {
  await using made = await aCatalogue()
  const { catalogue, store } = made
  const [one, two] = [makeImage(['one']), makeImage(['two'], 'arm64')]
  for (const image of [one, two]) await pushImage(catalogue, admin, 'app', image)
  const index = makeIndex({ 'linux/amd64': one, 'linux/arm64/v8': two })
  const { digest } = await catalogue.addManifest({ caller: admin, repo: 'app' }, index.manifest)
  const own = process.arch === 'arm64' ? two : one
  expect(await catalogue.runnable(digest)).toMatchObject({ digest: own.digest })
  await catalogue.nameImage(admin, app(), digest, { visibility: 'public' })
  const row = await catalogue.nameImage(us, { repo: 'mine', tag: 'latest' }, digest)
  expect(row).toMatchObject({ kind: 'index', imageId: own.configDigest, visibility: 'private' })
  await catalogue.dropImages(await store.images.list(admin.projectId, { owners: 'own' }))
  expect(await store.contents.closure(digest)).toHaveLength(3)
  expect(await store.contents.hasBlob(us.projectId, two.configDigest)).toBe(true)
  expect(await store.contents.bytesOf(admin.projectId)).toBe(0)
  expect(await store.contents.repositories(admin.projectId)).toEqual([])
})

test('a quota counts what a project holds, wherever it came from', async () => {
  await using made = await aCatalogue()
  const { catalogue, store, blobs } = made
  await store.quotas.setProject(us.projectId, { imageBytes: 100 })
  const long = 'x'.repeat(101)
  await expect(catalogue.addBlob(us, Readable.from([bytesOf(long)]), soon())).rejects.toThrow(code('quota.exceeded'))
  await catalogue.addBlob(us, Readable.from([bytesOf('y'.repeat(60))]), soon())
  await expect(catalogue.addBlob(us, Readable.from([bytesOf('z'.repeat(60))]), soon())).rejects.toThrow(
    code('quota.exceeded'),
  )
  const { digest } = await pushImage(catalogue, admin, 'app', makeImage([long]))
  await catalogue.nameImage(admin, app(), digest, { visibility: 'public' })
  await expect(catalogue.holdBlob(us, digestOf(long))).rejects.toThrow(code('quota.exceeded'))
  await expect(catalogue.nameImage(us, app(), digest)).rejects.toThrow(code('quota.exceeded'))
  expect(await store.images.list(us.projectId, { owners: 'own' })).toEqual([])
  const kept = await Array.fromAsync(blobs.blobs())
  expect(kept).toHaveLength(3)
  expect(await Array.fromAsync(blobs.uploads())).toEqual([])
})

test('a pass is good for its host, and for nothing that is sealed with the same key', async () => {
  await using made = await aCatalogue()
  const { catalogue, secrets, clock } = made
  const [host, other] = ['h1', 'h2'] as HostId[]
  if (!host || !other) throw new Error('no hosts')
  const image = makeImage(['one'])
  const read = catalogue.readSource(host, { digest: image.digest, configDigest: image.configDigest })
  expect(read).toMatchObject({ repository: `gantry/${image.configDigest.slice(7, 19)}`, reference: image.digest })
  expect(openPass(secrets, host, read.pass, clock.at)).toEqual({ kind: 'read', hostId: host, digest: image.digest })
  const write = catalogue.writeSource(host, us)
  expect(openPass(secrets, host, write.pass, clock.at)).toMatchObject({ kind: 'write', caller: us })
  const name = { repo: 'localhost:5000/a/b', tag: '1' }
  expect(catalogue.upstreamSource(host, us.projectId, name, null)).toMatchObject({
    repository: 'upstream/localhost_5000/a/b',
    reference: '1',
  })
  const busybox = catalogue.upstreamSource(host, us.projectId, { repo: 'busybox', tag: 'latest' }, null)
  expect(busybox.repository).toBe('upstream/docker.io/library/busybox')
  for (const [hostId, pass, at] of [
    [other, read.pass, clock.at],
    [host, 'nonsense', clock.at],
    [host, secrets.seal('{"domain":"x"}'), clock.at],
    [host, write.pass, clock.at + 2 * 60 * 60_000],
  ] as const) {
    expect(() => openPass(secrets, hostId, pass, at)).toThrow(code('auth.required'))
  }
})

test('properties that say where an image came from stay as they were', async () => {
  await using made = await aCatalogue()
  const { catalogue } = made
  const { digest } = await pushImage(catalogue, us, '', makeImage(['one']))
  const glance = { properties: { [pulledFrom]: 'busybox' } }
  await catalogue.nameImage(us, app(), digest, { glance })
  expect((await catalogue.nameImage(us, app(), digest)).glance.properties).toEqual(glance.properties)
})
