import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ImageId, ProjectId } from '@gantry/model'
import { expect, test, vi } from 'vitest'
import { makeImage } from './testing/a-catalogue.ts'
import { aCaller, simHostId } from './testing/a-world.ts'
import { anImageCloud, me, they } from './testing/an-image-cloud.ts'

const admin = aCaller('admins', ['admin'])
const signal = () => AbortSignal.timeout(10_000)
const bytes = (text: string) => Readable.from([Buffer.from(text)], { objectMode: false })
const data = { containerFormat: 'bare', diskFormat: 'raw' }
const one = makeImage(['one'])

async function aCloud() {
  const cloud = await anImageCloud()
  cloud.registry.set('library/app:1', one)
  return cloud
}

test('a pull for everybody is fetched from its registry, and public', async () => {
  await using cloud = await aCloud()
  const { images } = cloud.world.control
  const input = { repo: 'app', tag: '1', host: simHostId }
  await expect(images.pull(me, input)).rejects.toMatchObject({ code: 'policy.forbidden' })
  const begun = await images.pull(admin, input)
  expect(begun).toMatchObject({ repo: 'app', tag: '1', status: 'saving', visibility: 'public' })
  await vi.waitFor(async () => expect(await images.get(me, begun.id)).toMatchObject({ status: 'active', repo: 'app' }))
  expect(await images.find(me, 'app:1')).toMatchObject({ id: begun.id, digest: one.digest })
  // The newer entry of the same content takes the name over.
  const again = await images.pull(admin, input)
  await vi.waitFor(async () => expect(await images.find(me, 'app:1')).toMatchObject({ id: again.id }))
  expect(await images.list(admin)).toHaveLength(1)
})

test('without a registry, the host gives what it has by that name', async () => {
  await using cloud = await aCloud()
  cloud.state.isAway = true
  cloud.engine.set('app:1', one)
  const { images } = cloud.world.control
  const { id } = await images.pull(admin, { repo: 'app', tag: '1', host: simHostId })
  await vi.waitFor(async () => expect(await images.get(me, id)).toMatchObject({ status: 'active' }))
  expect(cloud.asked).toContain('imageGive')
})

test('a pull that fails is forgotten', async () => {
  await using cloud = await aCloud()
  const { images } = cloud.world.control
  const { id } = await images.pull(admin, { repo: 'nosuch', tag: '1', host: simHostId })
  await vi.waitFor(() => expect(images.get(admin, id)).rejects.toMatchObject({ code: 'image.not-found' }))
})

test('data is kept with its sums, counted once, and goes with its entry', async () => {
  await using cloud = await aCloud()
  const { images } = cloud.world.control
  const { store } = cloud.world
  const made = await images.create(me, { name: 'disk', visibility: 'private', glance: data })
  const kept = await images.upload(me, made.id, bytes('hello'), signal())
  expect(kept).toMatchObject({ kind: 'data', status: 'active', bytes: 5, repo: '' })
  expect(kept.glance.checksum).toBe('5d41402abc4b2a76b9719d911017c592')
  expect(await store.contents.bytesOf(me.projectId)).toBe(5)
  const { size, body } = await images.download(me, made.id, signal())
  expect([size, (await buffer(body)).toString()]).toEqual([5, 'hello'])
  await expect(images.upload(me, made.id, bytes('more'), signal())).rejects.toMatchObject({ code: 'image.conflict' })
  await expect(images.download(they, made.id, signal())).rejects.toMatchObject({ code: 'image.not-found' })
  await images.delete(me, made.id)
  expect(await store.contents.bytesOf(me.projectId)).toBe(0)
})

test('an image that is deleted while it comes does not come', async () => {
  await using cloud = await aCloud()
  const { images } = cloud.world.control
  const { id } = await images.create(me, { name: 'disk', visibility: 'private', glance: data })
  const body = Readable.from(
    (async function* () {
      yield Buffer.from('half')
      await images.delete(me, id)
      yield Buffer.from('rest')
    })(),
    { objectMode: false },
  )
  await expect(images.upload(me, id, body, signal())).rejects.toMatchObject({ code: 'image.not-found' })
  expect(await images.list(me)).toEqual([])
})

test('a further name for what an image is called moves it, and what was called so loses it', async () => {
  await using cloud = await aCloud()
  const { images } = cloud.world.control
  cloud.registry.set('library/other:1', makeImage(['other']))
  await cloud.pull(me)
  await cloud.pull(me, 'other')
  const [app, other] = [await images.find(me, 'app:1'), await images.find(me, 'other:1')]
  await images.update(me, other.id, { name: 'app:1' })
  expect(await images.find(me, 'app:1')).toMatchObject({ id: other.id })
  expect(await images.get(me, app.id)).toMatchObject({ repo: '', tag: '' })
  await expect(images.find(me, 'other:1')).rejects.toMatchObject({ code: 'image.not-found' })
})

test('sharing is for the owner to offer and for the member to answer', async () => {
  await using cloud = await aCloud()
  const { images } = cloud.world.control
  await cloud.pull(me)
  const { id } = await images.find(me, 'app:1')
  const project = they.projectId
  await expect(images.addMember(me, id, project)).rejects.toMatchObject({ code: 'policy.forbidden' })
  await images.update(me, id, { visibility: 'shared' })
  await images.addMember(me, id, project)
  await expect(images.setMemberStatus(me, id, project, 'accepted')).rejects.toMatchObject({ code: 'policy.forbidden' })
  expect(await images.list(they)).toEqual([])
  await images.setMemberStatus(they, id, project, 'accepted')
  expect(await images.list(they)).toMatchObject([{ id }])
  await images.addMember(me, id, 'p3' as ProjectId)
  expect(await images.members(they, id)).toMatchObject([{ projectId: project }])
  await images.removeMember(me, id, project)
  await expect(images.get(they, id)).rejects.toMatchObject({ code: 'image.not-found' })
  await expect(images.get(they, 'nothing' as ImageId)).rejects.toMatchObject({ code: 'image.not-found' })
})

test('a project has room for a bounded number of entries', async () => {
  await using cloud = await aCloud()
  const { control, store } = cloud.world
  const entry = { name: null, visibility: 'private', glance: data } as const
  const first = await control.images.create(me, entry)
  await store.transaction(async ({ images }) => {
    for (let count = 1; count < 10_000; count += 1) await images.insert({ ...first, id: `i${count}` as ImageId })
  })
  const refused = { code: 'quota.exceeded', details: { resource: 'images' } }
  await expect(control.images.create(me, entry)).rejects.toMatchObject(refused)
  expect(await cloud.pull()).toContain('Quota exceeded for images')
  await control.images.create(they, entry)
})
