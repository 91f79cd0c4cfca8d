import { Readable } from 'node:stream'
import type { Repository } from '@gantry/control'
import type { Caller, ImageVisibility } from '@gantry/model'
import { expect, test } from 'vitest'
import { bytesOf, digestOf, makeImage } from './testing/a-catalogue.ts'
import {
  admin,
  ann,
  type ARegistry,
  aRegistry,
  bob,
  faultOf,
  pull,
  push,
  pushBlob,
  reader,
  soon,
} from './testing/a-registry.ts'

const open = makeImage(['base', 'open'])
const secret = makeImage(['base', 'secret'])
const page = { after: null, limit: 100 }

/** Everything that can be asked of a repository, about these digests and this tag. */
function everyAsk(
  tag: string,
  digest: string,
  blob: string,
): readonly [string, (to: Repository) => Promise<unknown>][] {
  return [
    ['tags', (to) => to.tags(page)],
    ['manifest by tag', (to) => to.manifest(tag, soon())],
    ['manifest by digest', (to) => to.manifest(digest, soon())],
    ['blob', (to) => to.blob(blob)],
    ['openBlob', (to) => to.openBlob(blob, null, soon())],
    ['putManifest', (to) => to.putManifest(tag, secret.manifest)],
    ['deleteManifest by tag', (to) => to.deleteManifest(tag)],
    ['deleteManifest by digest', (to) => to.deleteManifest(digest)],
    ['deleteBlob', (to) => to.deleteBlob(blob)],
    ['mount', (to) => to.mount(blob)],
    ['beginUpload', (to) => to.beginUpload()],
    ['received', (to) => to.received('an-upload')],
    ['append', (to) => to.append('an-upload', Readable.from([]), null, soon())],
    ['finishUpload', (to) => to.finishUpload('an-upload', blob)],
    ['cancelUpload', (to) => to.cancelUpload('an-upload')],
    ['referrers', (to) => to.referrers(digest, null)],
  ]
}

async function annHasBoth(visibility: ImageVisibility = 'private'): Promise<ARegistry> {
  const world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  await push(repository, 'open', open)
  await push(repository, 'secret', secret)
  const [image] = await world.store.images.list(ann.projectId, { tag: 'open' })
  if (!image) throw new Error('no image')
  await world.store.images.update(image.id, { visibility })
  return world
}

async function answers(repository: Repository, asks: ReturnType<typeof everyAsk>): Promise<string[]> {
  const told: string[] = []
  for (const [name, ask] of asks) told.push(`${name}: ${await faultOf(ask(repository))}`)
  return told
}

test.each([
  ['a member', bob],
  ['an administrator', admin],
])('to %s of another project a private repository is as one that does not exist', async (_who, caller) => {
  await using world = await annHasBoth()
  const asks = everyAsk('open', open.digest, digestOf('base'))
  const there = await answers(world.registry.repository(caller, 'ann/app'), asks)
  expect(there).toEqual(await answers(world.registry.repository(caller, 'ann/none'), asks))
  expect(there).toEqual(await answers(world.registry.repository(caller, 'nobody/app'), asks))
  const [tags, ...rest] = there
  expect(tags).toBe('tags: repository.unknown')
  expect(rest.filter((line) => line.includes('none'))).toEqual(['referrers: none'])
  expect(await world.registry.repository(caller, 'ann/app').referrers(open.digest, null)).toEqual([])
  expect(await world.registry.repositories(caller, page)).toEqual([])
  expect(await world.registry.search(caller, 'app', 10)).toEqual([])
  await pull(world.registry.repository(ann, 'ann/app'), 'open', open)
})

test.each(['public', 'shared'] as const)(
  'of a repository with a %s image others see that and nothing else',
  async (visibility) => {
    await using world = await annHasBoth(visibility)
    await share(world, bob)
    const repository = world.registry.repository(bob, 'ann/app')
    await pull(repository, 'open', open)
    await pull(repository, open.digest, open)
    expect(await repository.tags(page)).toEqual(['open'])
    expect(await faultOf(repository.manifest('secret', soon()))).toBe('manifest.unknown')
    expect(await faultOf(repository.manifest(secret.digest, soon()))).toBe('manifest.unknown')
    expect(await faultOf(repository.blob(digestOf('secret')))).toBe('blob.unknown')
    expect(await faultOf(repository.openBlob(digestOf(secret.config), null, soon()))).toBe('blob.unknown')
    expect(await world.registry.repositories(bob, page)).toEqual(['ann/app'])
    const found = { name: 'ann/app', isPublic: visibility === 'public', isOwn: false }
    expect(await world.registry.search(bob, 'APP', 10)).toEqual([found])
    expect(await world.registry.search(bob, 'secret', 10)).toEqual([])
    // It may be seen, and not changed.
    const changes = everyAsk('open', open.digest, digestOf('base')).slice(5, -1)
    const refused = await answers(repository, changes)
    expect(refused).toEqual(changes.map(([name]) => `${name}: policy.forbidden`))
    await pull(world.registry.repository(ann, 'ann/app'), 'open', open)
  },
)

test('what was shared with one project is not shared with another', async () => {
  await using world = await annHasBoth('shared')
  await share(world, bob)
  expect(await faultOf(world.registry.repository(admin, 'ann/app').manifest('open', soon()))).toBe('manifest.unknown')
  const [image] = await world.store.images.list(ann.projectId, { tag: 'open' })
  if (image) await world.store.images.removeMember(image.id, bob.projectId)
  expect(await faultOf(world.registry.repository(bob, 'ann/app').manifest('open', soon()))).toBe('manifest.unknown')
})

test('a reader pulls what is the project’s and changes nothing', async () => {
  await using world = await annHasBoth()
  const repository = world.registry.repository(reader, 'ann/app')
  await pull(repository, 'secret', secret)
  expect(await repository.tags(page)).toEqual(['open', 'secret'])
  const changes = everyAsk('open', open.digest, digestOf('base')).slice(5, -1)
  expect(await answers(repository, changes)).toEqual(changes.map(([name]) => `${name}: policy.forbidden`))
  expect(await world.registry.mayPush(reader, 'ann/app')).toBe(false)
  expect(await world.registry.mayPush(ann, 'ann/app')).toBe(true)
  expect(await world.registry.mayPush(bob, 'ann/app')).toBe(false)
  expect(await world.registry.mayPush(admin, 'ann/app')).toBe(false)
  expect(await world.registry.mayPush(admin, 'nobody/app')).toBe(false)
})

test('a blob is mounted from images that may be seen, and from nowhere else', async () => {
  await using world = await annHasBoth('public')
  const own = world.registry.repository(bob, 'bob/app')
  expect(await own.mount(digestOf('secret'))).toBe(false)
  expect(await own.mount(digestOf('nowhere'))).toBe(false)
  expect(await faultOf(own.blob(digestOf('open')))).toBe('blob.unknown')
  expect(await own.mount(digestOf('open'))).toBe(true)
  expect(await own.blob(digestOf('open'))).toEqual({ size: 4 })
  await world.store.quotas.setProject(bob.projectId, { imageBytes: 5 })
  expect(await faultOf(own.mount(digestOf('base')))).toBe('quota.exceeded')
  // What the project has already costs nothing.
  expect(await own.mount(digestOf('open'))).toBe(true)
})

test('a manifest of parts that may not be seen is refused, whoever names them', async () => {
  await using world = await annHasBoth()
  const own = world.registry.repository(bob, 'bob/app')
  expect(await faultOf(own.putManifest('mine', secret.manifest))).toBe('manifest.blob-unknown')
  for (const content of [secret.config, 'base']) await pushBlob(own, bytesOf(content))
  expect(await faultOf(own.putManifest('mine', secret.manifest))).toBe('manifest.blob-unknown')
  expect(await faultOf(own.manifest(secret.digest, soon()))).toBe('manifest.unknown')
})

test('an upload of another project is not there', async () => {
  await using world = await annHasBoth()
  const id = await world.registry.repository(ann, 'ann/app').beginUpload()
  const own = world.registry.repository(bob, 'bob/app')
  const body = () => Readable.from([bytesOf('x')])
  for (const ask of [
    () => own.received(id),
    () => own.append(id, body(), null, soon()),
    () => own.finishUpload(id, digestOf('x')),
    () => own.cancelUpload(id),
  ]) {
    expect(await faultOf(ask())).toBe('upload.unknown')
  }
  expect(await world.registry.repository(ann, 'ann/app').append(id, body(), 0, soon())).toBe(1)
})

test('signatures of an image are seen with it, by their tag and as referrers', async () => {
  await using world = await annHasBoth('public')
  const owner = world.registry.repository(ann, 'ann/app')
  const of = (image: typeof open) => `${image.digest.replace(':', '-')}.sig`
  const said = async (image: typeof open, text: string, tag: string) => {
    const blob = { mediaType: 'text/plain', digest: await pushBlob(owner, bytesOf(text)), size: text.length }
    const subject = { mediaType: 'x', digest: image.digest, size: image.manifest.content.length }
    const { mediaType } = image.manifest
    const content = bytesOf(JSON.stringify({ schemaVersion: 2, mediaType, config: blob, layers: [blob], subject }))
    return owner.putManifest(tag === '' ? digestOf(content) : tag, { mediaType, content })
  }
  await said(open, 'signed', of(open))
  const { digest } = await said(open, 'referrer', '')
  const hidden = await said(secret, 'hidden', of(secret))
  const repository = world.registry.repository(bob, 'ann/app')
  expect(await repository.tags(page)).toEqual(['open', of(open)])
  await repository.manifest(of(open), soon())
  await repository.blob(digestOf('signed'))
  await repository.manifest(digest, soon())
  await repository.blob(digestOf('referrer'))
  expect(await repository.referrers(open.digest, null)).toHaveLength(2)
  expect(await faultOf(repository.manifest(of(secret), soon()))).toBe('manifest.unknown')
  expect(await faultOf(repository.manifest(hidden.digest, soon()))).toBe('manifest.unknown')
  expect(await faultOf(repository.blob(digestOf('hidden')))).toBe('blob.unknown')
  expect(await repository.referrers(secret.digest, null)).toEqual([])
})

async function share(world: ARegistry, { projectId }: Caller): Promise<void> {
  const [image] = await world.store.images.list(ann.projectId, { tag: 'open' })
  if (!image) throw new Error('no image')
  await world.store.images.setMember({ imageId: image.id, projectId, status: 'accepted', createdAt: 1, updatedAt: 1 })
}
