import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { bytesOf, digestOf, makeImage, makeIndex } from './testing/a-catalogue.ts'
import { ann, aRegistry, faultOf, pull, push, pushBlob, reader, soon } from './testing/a-registry.ts'

const app = makeImage(['base', 'app'])
const page = { after: null, limit: 100 }

test('what is pushed by tag is pulled by tag and by digest, and is an image of the project', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/team/app')
  expect(await push(repository, 'v1', app)).toBe(app.digest)
  await pull(repository, 'v1', app)
  await pull(repository, app.digest, app)
  await pull(world.registry.repository(reader, 'ann/team/app'), 'v1', app)
  expect(await repository.tags(page)).toEqual(['v1'])
  const [image, ...others] = await world.store.images.list(ann.projectId)
  expect(others).toEqual([])
  expect(image).toMatchObject({ repo: 'team/app', tag: 'v1', digest: app.digest, imageId: app.configDigest })
  expect(await world.catalogue.find(ann, { repo: 'team/app', tag: 'v1' })).toMatchObject({ digest: app.digest })
})

test('a manifest pushed by its digest has no tag, and other bytes are refused', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  expect(await push(repository, app.digest, app)).toBe(app.digest)
  expect(await repository.tags(page)).toEqual([])
  await pull(repository, app.digest, app)
  expect(await world.store.images.list(ann.projectId)).toEqual([])
  expect(await faultOf(repository.putManifest(digestOf('other'), app.manifest))).toBe('digest.mismatch')
  expect(await faultOf(repository.putManifest('sha256:12', app.manifest))).toBe('digest.invalid')
  expect(await faultOf(repository.putManifest(`sha512:${'a'.repeat(128)}`, app.manifest))).toBe('request.unsupported')
  expect(await faultOf(repository.putManifest('-bad-', app.manifest))).toBe('tag.invalid')
  // A repository of the same project that it was not pushed to.
  const other = world.registry.repository(ann, 'ann/other')
  expect(await faultOf(other.manifest(app.digest, soon()))).toBe('manifest.unknown')
  expect(await faultOf(other.tags(page))).toBe('repository.unknown')
})

test('tags come in order and by pages', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  for (const tag of ['b', 'a', 'C', 'a-1', '10']) await push(repository, tag, app)
  expect(await repository.tags(page)).toEqual(['10', 'C', 'a', 'a-1', 'b'])
  expect(await repository.tags({ after: 'C', limit: 2 })).toEqual(['a', 'a-1'])
  expect(await repository.tags({ after: 'zz', limit: 2 })).toEqual([])
  expect(await world.registry.repositories(ann, page)).toEqual(['ann/app'])
})

test('a name that is none is refused before anybody looks it up', async () => {
  await using world = await aRegistry()
  for (const name of ['app', 'ann/', 'Ann/app', 'ann//app', '../ann/app', `ann/${'a'.repeat(300)}`]) {
    expect(() => world.registry.repository(ann, name)).toThrow(/not valid/)
  }
})

test('an index is pulled with its images, from the repository that it is in', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  const children = { 'linux/amd64': makeImage(['amd']), 'linux/arm64': makeImage(['arm'], 'arm64') }
  const index = makeIndex(children)
  for (const child of Object.values(children)) await push(repository, child.digest, child)
  await repository.putManifest('multi', index.manifest)
  expect((await repository.manifest('multi', soon())).digest).toBe(index.digest)
  for (const child of Object.values(children)) await pull(repository, child.digest, child)
  await repository.deleteManifest('multi')
  expect(await faultOf(repository.manifest('multi', soon()))).toBe('manifest.unknown')
})

test('of many who push the same tag at once the last one wins, and nothing breaks', async () => {
  await using world = await aRegistry()
  const images = Array.from({ length: 8 }, (_each, index) => makeImage(['base', `layer ${index}`]))
  await Promise.all(images.map((image) => push(world.registry.repository(ann, 'ann/app'), 'latest', image)))
  const repository = world.registry.repository(ann, 'ann/app')
  const { digest } = await repository.manifest('latest', soon())
  const winner = images.find((image) => image.digest === digest)
  if (!winner) throw new Error('nobody won')
  await pull(repository, 'latest', winner)
  expect(await repository.tags(page)).toEqual(['latest'])
})

test('a tag is deleted alone, a digest with all of its tags', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  const other = makeImage(['base', 'other'])
  for (const tag of ['one', 'two']) await push(repository, tag, app)
  await push(repository, 'other', other)
  await repository.deleteManifest('one')
  expect(await faultOf(repository.manifest('one', soon()))).toBe('manifest.unknown')
  await pull(repository, 'two', app)
  await repository.deleteManifest(app.digest)
  expect(await faultOf(repository.manifest('two', soon()))).toBe('manifest.unknown')
  expect(await faultOf(repository.manifest(app.digest, soon()))).toBe('manifest.unknown')
  expect(await faultOf(repository.deleteManifest(app.digest))).toBe('manifest.unknown')
  expect(await faultOf(repository.deleteManifest('two'))).toBe('manifest.unknown')
  await pull(repository, 'other', other)
  expect(await faultOf(repository.blob(digestOf('app')))).toBe('blob.unknown')
})

test('what has lost its tag to another image is deleted by its digest', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  await push(repository, 'v1', app)
  await push(world.registry.repository(ann, 'ann/other'), 'v1', makeImage(['other']))
  await push(repository, 'v1', makeImage(['base', 'newer']))
  await pull(repository, app.digest, app)
  expect(await world.store.images.list(ann.projectId)).toHaveLength(3)
  await repository.deleteManifest(app.digest)
  expect(await faultOf(repository.manifest(app.digest, soon()))).toBe('manifest.unknown')
  expect(await world.store.images.list(ann.projectId)).toHaveLength(2)
  expect(await world.store.contents.blob(digestOf('app'))).toBeUndefined()
})

test('a protected image is not deleted', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  await push(repository, 'v1', app)
  const [image] = await world.store.images.list(ann.projectId)
  if (!image) throw new Error('no image')
  await world.store.images.update(image.id, { glance: { ...image.glance, protected: true } })
  expect(await faultOf(repository.deleteManifest('v1'))).toBe('policy.forbidden')
  expect(await faultOf(repository.deleteManifest(app.digest))).toBe('policy.forbidden')
  await pull(repository, 'v1', app)
})

test('a blob is deleted unless a manifest needs it', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  await push(repository, 'v1', app)
  expect(await faultOf(repository.deleteBlob(digestOf('base')))).toBe('request.unsupported')
  const loose = await pushBlob(repository, bytesOf('loose'))
  await repository.deleteBlob(loose)
  expect(await faultOf(repository.blob(loose))).toBe('blob.unknown')
  expect(await faultOf(repository.deleteBlob(loose))).toBe('blob.unknown')
  expect(await faultOf(repository.deleteBlob('x'))).toBe('digest.invalid')
})

test('an upload goes on where it broke off, also after a restart, and belongs to its repository', async () => {
  await using world = await aRegistry()
  const repository = () => world.registry.repository(ann, 'ann/app')
  const id = await repository().beginUpload()
  expect(await repository().append(id, Readable.from([bytesOf('first ')]), 0, soon())).toBe(6)
  await world.restart()
  expect(await repository().received(id)).toBe(6)
  expect(await faultOf(repository().append(id, Readable.from([bytesOf('x')]), 3, soon()))).toBe('upload.out-of-order')
  expect(await faultOf(world.registry.repository(ann, 'ann/other').received(id))).toBe('upload.unknown')
  expect(await faultOf(repository().finishUpload(id, digestOf('first')))).toBe('digest.mismatch')
  expect(await repository().append(id, Readable.from([bytesOf('second')]), null, soon())).toBe(12)
  expect(await repository().finishUpload(id, digestOf('first second'))).toEqual({
    digest: digestOf('first second'),
    size: 12,
  })
  const { body } = await repository().openBlob(digestOf('first second'), { start: 6, end: 11 }, soon())
  expect(await text(body)).toBe('second')
  expect(await faultOf(repository().received(id))).toBe('upload.unknown')
  const cancelled = await repository().beginUpload()
  await repository().cancelUpload(cancelled)
  expect(await faultOf(repository().received(cancelled))).toBe('upload.unknown')
  expect(await faultOf(repository().received('../../etc/passwd'))).toBe('upload.unknown')
})

test('uploads are bounded in number and by the quota, those under way included', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  await world.store.quotas.setProject(ann.projectId, { imageBytes: 100 })
  const [one, two] = [await repository.beginUpload(), await repository.beginUpload()]
  expect(await repository.append(one, Readable.from([Buffer.alloc(60)]), 0, soon())).toBe(60)
  expect(await faultOf(repository.append(two, Readable.from([Buffer.alloc(60)]), 0, soon()))).toBe('quota.exceeded')
  await repository.finishUpload(one, digestOf(Buffer.alloc(60)))
  await repository.cancelUpload(two)
  // Bytes that the project has cost it nothing more.
  const again = await repository.beginUpload()
  await world.store.quotas.setProject(ann.projectId, { imageBytes: 130 })
  await repository.append(again, Readable.from([Buffer.alloc(60)]), 0, soon())
  await repository.finishUpload(again, digestOf(Buffer.alloc(60)))
  await world.store.quotas.setProject(ann.projectId, { imageBytes: 60 })
  expect(await faultOf(repository.beginUpload())).toBe('quota.exceeded')
  await world.store.quotas.setProject(ann.projectId, { imageBytes: -1 })
  for (let count = 0; count < 100; count += 1) await repository.beginUpload()
  expect(await faultOf(repository.beginUpload())).toBe('upload.busy')
})

test('a blob that was asked for stays for the push that needs it, whatever is swept', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  for (const content of [app.config, ...app.layers]) await pushBlob(repository, bytesOf(content))
  world.clock.at += 10 * 60_000
  for (const content of [app.config, ...app.layers]) await repository.blob(digestOf(content))
  await world.registry.sweep({ ...ann, isAdmin: true }, soon())
  await repository.putManifest('v1', app.manifest)
  await pull(repository, 'v1', app)
  world.clock.at += 10 * 60_000
  await world.registry.sweep({ ...ann, isAdmin: true }, soon())
  await pull(repository, 'v1', app)
  expect(await faultOf(world.registry.sweep(ann, soon()))).toBe('policy.forbidden')
})

test('a manifest finds what is said about it', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  await push(repository, 'v1', app)
  const said = await pushReferrer('application/spdx+json')
  const plain = await pushReferrer(null)
  expect(await repository.referrers(app.digest, null)).toEqual([
    expect.objectContaining({ digest: said, artifactType: 'application/spdx+json', annotations: { 'org.x': 'y' } }),
    expect.objectContaining({ digest: plain, artifactType: 'application/vnd.oci.empty.v1+json' }),
  ])
  expect((await repository.referrers(app.digest, 'application/spdx+json')).map(({ digest }) => digest)).toEqual([said])
  expect(await repository.referrers(digestOf('nothing'), null)).toEqual([])

  async function pushReferrer(artifactType: string | null) {
    const empty = await pushBlob(repository, bytesOf('{}'))
    const descriptor = { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: 2 }
    const content = bytesOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: app.manifest.mediaType,
        ...(artifactType !== null && { artifactType }),
        config: descriptor,
        layers: [descriptor],
        subject: { mediaType: app.manifest.mediaType, digest: app.digest, size: app.manifest.content.length },
        annotations: { 'org.x': 'y' },
      }),
    )
    const { digest, subject } = await repository.putManifest(digestOf(content), {
      mediaType: app.manifest.mediaType,
      content,
    })
    expect(subject).toBe(app.digest)
    return digest
  }
})
