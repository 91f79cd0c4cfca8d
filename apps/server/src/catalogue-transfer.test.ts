import { Readable } from 'node:stream'
import type { BlobProgress, Upstream } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { expect, test } from 'vitest'
import { aCaller } from './testing/a-world.ts'
import {
  aCatalogue,
  bytesOf,
  digestOf,
  type MadeImage,
  makeImage,
  makeIndex,
  pushImage,
} from './testing/a-catalogue.ts'

const us = aCaller('p1')
const them = aCaller('p2')
const busybox = { repo: 'busybox', tag: 'latest' }
const soon = () => AbortSignal.timeout(10_000)
const quiet = () => {}

/** Another registry, in memory, which counts what is asked of it. */
function aRegistry(
  images: readonly MadeImage[],
  tags: Readonly<Record<string, { readonly manifest: MadeImage['manifest'] }>>,
) {
  const texts = new Map(
    images.flatMap(({ config, layers }) => [config, ...layers].map((text) => [digestOf(text), text])),
  )
  const manifests = new Map(
    [...images.map(({ manifest }) => manifest), ...Object.values(tags).map(({ manifest }) => manifest)].map((each) => [
      String(digestOf(each.content)),
      each,
    ]),
  )
  const asked: string[] = []
  const had = new Set<string>()
  const held: { gate: Promise<void> | null } = { gate: null }
  const upstream: Upstream = {
    async manifest({ path }, reference) {
      asked.push(`manifest ${path} ${reference.slice(0, 10)}`)
      const found = tags[reference]?.manifest ?? manifests.get(reference)
      if (!found) throw new Fault('registry.refused', { reason: 'manifest unknown' })
      return { ...found, digest: digestOf(found.content) }
    },
    async blob(_repository, digest, _login, signal) {
      asked.push(`blob ${texts.get(digest)?.slice(0, 5)}`)
      if (held.gate) await orAborted(held.gate, signal)
      return { size: null, body: Readable.from([bytesOf(texts.get(digest) ?? 'something else')]) }
    },
    hasBlob: async (_repository, digest) => had.has(digest),
    async putBlob(_repository, { digest, open }) {
      const text = Buffer.concat(await Array.fromAsync(await open())).toString()
      asked.push(`put ${text.slice(0, 5)}`)
      had.add(digest)
    },
    async putManifest(_repository, reference) {
      asked.push(`put ${reference.slice(0, 10)}`)
    },
    logIn: async () => '',
    search: async () => [],
  }
  return { upstream, asked, had, held }
}

async function orAborted(gate: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  await Promise.race([gate, aborted])
}

const blobsAsked = (asked: readonly string[]) => asked.filter((each) => each.startsWith('blob')).toSorted()

test('an image of another registry comes with what it is made of, once', async () => {
  const image = makeImage(['one', 'two'])
  const registry = aRegistry([image], { latest: image })
  await using made = await aCatalogue({ upstream: registry.upstream })
  const { catalogue, store } = made
  const told: BlobProgress[] = []
  const { digest } = await catalogue.fetch(us, busybox, null, (each) => told.push(each), soon())
  expect(digest).toBe(image.digest)
  expect(registry.asked[0]).toBe('manifest library/busybox latest')
  const states = told.filter((each) => each.digest === digestOf('one')).map(({ state }) => state)
  expect(states).toEqual(['waiting', 'moving', 'moving', 'done'])
  expect(await store.contents.repositories(us.projectId)).toEqual([])
  expect((await catalogue.nameImage(us, busybox, digest)).imageId).toBe(image.configDigest)
  expect(await store.contents.repositories(us.projectId)).toEqual(['busybox'])
  expect(await store.contents.holds(us.projectId, '')).toEqual([])

  registry.asked.length = 0
  await catalogue.fetch(us, busybox, null, (each) => told.push(each), soon())
  // What anybody can have from there need not be fetched for others either.
  await catalogue.fetch(them, busybox, null, quiet, soon())
  expect(blobsAsked(registry.asked)).toEqual([])
  expect(await store.contents.hasBlob(them.projectId, image.configDigest)).toBe(true)
})

test('what needed a login is fetched again for those who cannot have it from elsewhere', async () => {
  const image = makeImage(['one'])
  const registry = aRegistry([image], { latest: image })
  await using made = await aCatalogue({ upstream: registry.upstream })
  const { catalogue } = made
  const login = { username: 'u', password: 'p' }
  await catalogue.fetch(us, busybox, login, quiet, soon())
  registry.asked.length = 0
  await catalogue.fetch(them, busybox, { ...login, username: 'v' }, quiet, soon())
  expect(blobsAsked(registry.asked)).toEqual(['blob one', 'blob {"arc'])
})

test('of an index only the image for this platform is fetched, and what is missing is never said to be here', async () => {
  const [one, two] = [makeImage(['one'], 'amd64'), makeImage(['two'], 'arm64')]
  const index = makeIndex({ 'linux/amd64': one, 'linux/arm64/v8': two })
  const registry = aRegistry([one, two], { latest: index })
  await using made = await aCatalogue({ upstream: registry.upstream })
  const { catalogue } = made
  const { digest, parts } = await catalogue.fetch(us, busybox, null, quiet, soon())
  const own = process.arch === 'arm64' ? two : one
  expect(digest).toBe(index.digest)
  expect(parts.map((each) => each.digest)).toEqual([own.digest])
  expect(await catalogue.runnable(digest)).toMatchObject({ digest: own.digest })
  const row = await catalogue.nameImage(us, busybox, digest)
  expect(row).toMatchObject({ kind: 'index', imageId: own.configDigest })
  // Elsewhere the index would be refused.
  registry.asked.length = 0
  const sent = await catalogue.send(us, digest, { repo: 'localhost:5000/x', tag: '1' }, null, quiet, soon())
  expect(sent.digest).toBe(own.digest)
  expect(registry.asked.filter((each) => each.startsWith('put'))).toEqual([
    'put {"arc',
    `put ${own === one ? 'one' : 'two'}`,
    'put 1',
  ])
})

test('an index without an image for this platform is refused in the words of engines', async () => {
  const [one, two] = [makeImage(['one'], 's390x'), makeImage(['two'], 'mips64')]
  const registry = aRegistry([one, two], { latest: makeIndex({ 'linux/s390x': one, 'linux/mips64': two }) })
  await using made = await aCatalogue({ upstream: registry.upstream })
  await expect(made.catalogue.fetch(us, busybox, null, quiet, soon())).rejects.toThrow(/no matching manifest for linux/)
})

test('several who want the same blob wait for one fetch, which goes on while one of them waits', async () => {
  const image = makeImage(['one'])
  const registry = aRegistry([image], { latest: image })
  await using made = await aCatalogue({ upstream: registry.upstream })
  const { catalogue, store } = made
  const gate = Promise.withResolvers<void>()
  registry.held.gate = gate.promise
  const leaving = new AbortController()
  const first = catalogue.fetch(us, busybox, null, quiet, leaving.signal)
  await expect.poll(() => blobsAsked(registry.asked)).toHaveLength(2)
  const moving: BlobProgress[] = []
  const note = (told: BlobProgress) => {
    if (told.state === 'moving') moving.push(told)
  }
  const others = [us, them, aCaller('p3')].map((each) => catalogue.fetch(each, busybox, null, note, soon()))
  await expect.poll(() => moving).toHaveLength(6)
  leaving.abort(new Error('gone'))
  await expect(first).rejects.toThrow('gone')
  gate.resolve()
  await Promise.all(others)
  expect(blobsAsked(registry.asked)).toEqual(['blob one', 'blob {"arc'])
  expect(await store.contents.hasBlob(them.projectId, digestOf('one'))).toBe(true)

  // The last one takes it along.
  const other = makeImage(['two'])
  const second = aRegistry([other], { latest: other })
  await using alone = await aCatalogue({ upstream: second.upstream })
  second.held.gate = new Promise(() => {})
  const stop = new AbortController()
  const fetch = alone.catalogue.fetch(us, busybox, null, quiet, stop.signal)
  await expect.poll(() => blobsAsked(second.asked)).toHaveLength(2)
  stop.abort(new Error('gone'))
  await expect(fetch).rejects.toThrow('gone')
  await expect.poll(() => Array.fromAsync(alone.blobs.uploads())).toEqual([])
  second.held.gate = null
  await alone.catalogue.fetch(us, busybox, null, quiet, soon())
})

test('one project full does not stop another that waits for the same', async () => {
  const image = makeImage(['x'.repeat(1000)])
  const registry = aRegistry([image], { latest: image })
  await using made = await aCatalogue({ upstream: registry.upstream })
  const { catalogue, store } = made
  await store.quotas.setProject(us.projectId, { imageBytes: 900 })
  const results = await Promise.allSettled(
    [us, them].map((each) => catalogue.fetch(each, busybox, null, quiet, soon())),
  )
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  expect(results[0]).toMatchObject({ reason: { code: 'quota.exceeded' } })
})

test('content that another registry falsifies is refused', async () => {
  const image = makeImage(['one'])
  const registry = aRegistry([], { latest: image })
  await using made = await aCatalogue({ upstream: registry.upstream })
  const failed = made.catalogue.fetch(us, busybox, null, quiet, soon())
  await expect(failed).rejects.toThrow(/registry sent something else/)
  expect(await Array.fromAsync(made.blobs.blobs())).toEqual([])
  expect(await made.store.contents.blobs()).toEqual([])
})

test('a whole index is sent with its images first, and what is there is not sent again', async () => {
  const [one, two] = [makeImage(['base', 'one']), makeImage(['base', 'two'], 'arm64')]
  const index = makeIndex({ 'linux/amd64': one, 'linux/arm64': two })
  const registry = aRegistry([], {})
  registry.had.add(digestOf('base'))
  await using made = await aCatalogue({ upstream: registry.upstream })
  const { catalogue } = made
  for (const image of [one, two]) await pushImage(catalogue, us, 'app', image)
  await catalogue.addManifest({ caller: us, repo: 'app' }, index.manifest)
  const told: BlobProgress[] = []
  await catalogue.send(
    us,
    index.digest,
    { repo: 'localhost:5000/x', tag: '1' },
    null,
    (each) => told.push(each),
    soon(),
  )
  const puts = registry.asked.map((each) => each.slice(4))
  expect(puts.toSorted()).toEqual(
    ['1', one.digest.slice(0, 10), 'one', two.digest.slice(0, 10), 'two', '{"arc', '{"arc'].toSorted(),
  )
  expect(puts.at(-1)).toBe('1')
  expect(told.find(({ digest, state }) => digest === digestOf('base') && state !== 'waiting')).toMatchObject({
    state: 'present',
  })
})
