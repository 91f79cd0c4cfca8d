import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostLinks } from '@gantry/control'
import { simFacts, unfaked } from '@gantry/control/testing'
import { randomIds } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { expect, test } from 'vitest'
import { aCatalogue, bytesOf, digestOf, graceMs, makeImage, pushImage } from './testing/a-catalogue.ts'
import { aCaller } from './testing/a-world.ts'

const us = aCaller('p1')
const them = aCaller('p2')
const app = (tag = 'latest') => ({ repo: 'app', tag })
const soon = () => AbortSignal.timeout(10_000)
const code = (wanted: string) => expect.objectContaining({ code: wanted })

test('content goes with the last name that needs it, but not what a push has just asked for', async () => {
  await using made = await aCatalogue()
  const { catalogue, store, blobs, clock } = made
  const [one, two] = [makeImage(['base', 'one']), makeImage(['base', 'two'])]
  await pushImage(catalogue, us, 'app', one)
  await pushImage(catalogue, us, 'app', two)
  const first = await catalogue.nameImage(us, app('1'), one.digest)
  const second = await catalogue.nameImage(us, app('2'), two.digest)
  await catalogue.dropImages([first])
  expect(await blobs.stat(digestOf('one'))).toBeNull()
  expect(await blobs.stat(digestOf('base'))).not.toBeNull()

  expect(await catalogue.holdBlob(us, digestOf('base'))).toEqual({ size: 4 })
  await catalogue.dropImages([second])
  expect(await store.contents.manifest(two.digest)).toBeUndefined()
  expect(await blobs.stat(digestOf('two'))).toBeNull()
  await pushImage(catalogue, us, 'app', { ...one, layers: ['base', 'one'] })
  expect(await store.contents.closure(one.digest)).toHaveLength(1)

  await catalogue.holdBlob(us, digestOf('one'))
  clock.at += graceMs + 10
  await catalogue.sweep(soon())
  expect(await store.contents.closure(one.digest)).toHaveLength(1)
})

test('what a name left behind in a repository goes with the last name of the content', async () => {
  await using made = await aCatalogue()
  const { catalogue, store } = made
  const [one, two] = [makeImage(['one']), makeImage(['two'])]
  for (const image of [one, two]) await pushImage(catalogue, us, 'app', image)
  await catalogue.nameImage(us, app(), one.digest)
  await catalogue.nameImage(us, app(), two.digest)
  const other = await catalogue.nameImage(us, { repo: 'other', tag: '1' }, one.digest)
  const reposOf = async () =>
    (await store.contents.holds(us.projectId)).filter(({ digest }) => digest === one.digest).map(({ repo }) => repo)
  // By its digest it is still found where it was.
  expect((await reposOf()).toSorted()).toEqual(['app', 'other'])
  await catalogue.dropImages([other])
  expect(await reposOf()).toEqual([])
  expect(await store.contents.manifest(one.digest)).toBeUndefined()
})

test('a sweep frees what was brought and never named, and what no row knows', async () => {
  await using made = await aCatalogue()
  const { catalogue, store, blobs, clock } = made
  await pushImage(catalogue, us, '', makeImage(['one']))
  await catalogue.addBlob(them, Readable.from([bytesOf('alone')]), soon())
  const stray = randomIds.uuid() as Parameters<typeof blobs.begin>[0]
  await blobs.begin(stray)
  await blobs.append(stray, Readable.from([bytesOf('stray')]), { offset: 0, limit: 100 }, soon())
  await blobs.finish(stray, digestOf('stray'))
  await blobs.abort(stray)
  await catalogue.sweep(soon())
  expect(await Array.fromAsync(blobs.blobs())).toHaveLength(4)
  clock.at += graceMs + 10
  expect(await catalogue.sweep(soon())).toMatchObject({ manifests: 1, blobs: 4 })
  expect(await Array.fromAsync(blobs.blobs())).toEqual([])
  expect(await Array.fromAsync(blobs.uploads())).toEqual([])
  expect(await store.contents.blobs()).toEqual([])
  expect(await store.contents.holders()).toEqual([])
})

test('uploads in pieces are kept for the project, and given up after a day', async () => {
  await using made = await aCatalogue()
  const { catalogue, store, blobs, clock } = made
  const begin = async () => {
    const id = randomIds.uuid() as Parameters<typeof blobs.begin>[0]
    await store.uploads.insert({ id, projectId: us.projectId, repo: 'app', userId: us.userId, createdAt: clock.now() })
    await blobs.begin(id)
    await blobs.append(id, Readable.from([bytesOf('piece')]), { offset: 0, limit: 100 }, soon())
    return id
  }
  const id = await begin()
  await expect(catalogue.keepUpload(us, id, digestOf('other'))).rejects.toThrow(code('digest.mismatch'))
  expect(await catalogue.keepUpload(us, id, digestOf('piece'))).toEqual({ digest: digestOf('piece'), size: 5 })
  expect(await store.uploads.get(id)).toBeUndefined()
  expect(await catalogue.holdBlob(us, digestOf('piece'))).toEqual({ size: 5 })

  const left = await begin()
  clock.at += graceMs + 10
  await catalogue.sweep(soon())
  // While an upload goes on, what came before it stays.
  expect(await blobs.stat(digestOf('piece'))).not.toBeNull()
  clock.at += 25 * 60 * 60_000
  await catalogue.sweep(soon())
  expect(await store.uploads.get(left)).toBeUndefined()
  expect(await Array.fromAsync(blobs.uploads())).toEqual([])
  expect(await blobs.stat(digestOf('piece'))).toBeNull()
})

test('a blob that is just being removed can be brought again at once', async () => {
  const gate = Promise.withResolvers<void>()
  const removing = Promise.withResolvers<void>()
  await using made = await aCatalogue({
    around: ({ store, blobs }) => ({
      store,
      blobs: {
        stat: (digest) => blobs.stat(digest),
        open: (digest, range) => blobs.open(digest, range),
        finish: (id, digest) => blobs.finish(id, digest),
        begin: (id) => blobs.begin(id),
        received: (id) => blobs.received(id),
        append: (id, body, options, signal) => blobs.append(id, body, options, signal),
        abort: (id) => blobs.abort(id),
        blobs: () => blobs.blobs(),
        uploads: () => blobs.uploads(),
        verify: (digest, signal) => blobs.verify(digest, signal),
        async remove(digest) {
          removing.resolve()
          await gate.promise
          await blobs.remove(digest)
        },
      },
    }),
  })
  const { catalogue, blobs } = made
  const image = makeImage(['one'])
  await pushImage(catalogue, us, 'app', image)
  const row = await catalogue.nameImage(us, app(), image.digest)
  const dropping = catalogue.dropImages([row])
  await removing.promise
  // What is under way does not hinder others.
  await catalogue.addBlob(them, Readable.from([bytesOf('other')]), soon())
  const again = pushImage(catalogue, them, 'app', image)
  await Promise.race([again, sleep(300)])
  gate.resolve()
  await dropping
  await again
  for (const text of [image.config, 'one']) expect(await blobs.stat(digestOf(text))).not.toBeNull()
  expect(await catalogue.runnable(image.digest)).toMatchObject({ config: image.config })
})

test('hosts are told which copies nobody needs any more, at once or when they are there again', async () => {
  const [host, away] = ['h1', 'h2'] as HostId[]
  if (!host || !away) throw new Error('no hosts')
  const image = makeImage(['one'])
  const copies = new Map([host, away].map((id) => [id, new Set<string>([image.configDigest])]))
  const connected = new Set([host])
  const links: HostLinks = {
    ...unfaked<HostLinks>('links'),
    connected: (id) => connected.has(id),
    calls: (id) =>
      ({
        imageCopies: async () => ({ reply: { imageIds: [...(copies.get(id) ?? [])] }, output: null }),
        imageForget: async ({ imageIds }) => {
          for (const each of imageIds) copies.get(id)?.delete(each)
          return { reply: {}, output: null }
        },
      }) as Partial<AgentCalls> as AgentCalls,
  }
  await using made = await aCatalogue({ links })
  const { catalogue, store } = made
  for (const id of [host, away]) {
    await store.hosts.upsert({ id, name: id, availabilityZone: 'nova', facts: simFacts, at: 1 })
  }
  await pushImage(catalogue, us, 'app', image)
  const [one, two] = [
    await catalogue.nameImage(us, app('1'), image.digest),
    await catalogue.nameImage(us, app('2'), image.digest),
  ]
  await catalogue.dropImages([one])
  await catalogue.sweep(soon())
  expect(copies.get(host)?.size).toBe(1)
  await catalogue.dropImages([two])
  await expect.poll(() => copies.get(host)?.size).toBe(0)
  expect(copies.get(away)?.size).toBe(1)
  connected.add(away)
  await catalogue.sweep(soon())
  expect(copies.get(away)?.size).toBe(0)
})
