import { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { ProjectId } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { expect, test } from 'vitest'
import { aCaller, aWorld, simHostId } from './testing/a-world.ts'

const me = aCaller('p1')
const they = aCaller('p2')
const admin = aCaller('admins', ['admin'])
const { signal } = new AbortController()

const idOf = (digit: string) => `sha256:${digit.repeat(64)}`
const digestOf = (digit: string) => `sha256:d${digit.repeat(63)}`

/** An engine's names for images, and what its registry has. */
function anEngine() {
  const names = new Map<string, string>()
  const registry = new Map<string, string>()
  // An image that has lost its last name stays until somebody tidies up.
  const seen = { has: (id: string) => [...registry.values()].includes(id) }
  const missing = (image: string) => new Fault('image.not-found', { image, reason: 'none' })
  const found = (ref: string): string => {
    const id = seen.has(ref) ? ref : names.get(ref)
    if (id === undefined) throw missing(ref)
    return id
  }
  const said = (lines: readonly object[]) =>
    Readable.from(lines.map((line) => Buffer.from(`${JSON.stringify(line)}\n`)))
  const calls: Partial<AgentCalls> = {
    imageInspect: async ({ engineRef }) => ({ reply: { found: { Id: found(engineRef), Size: 7 } }, output: null }),
    imageSummaries: async () => ({ reply: { images: [] }, output: null }),
    imageTag: async ({ engineRef, as }) => {
      names.set(as, found(engineRef))
      return { reply: {}, output: null }
    },
    imageRemove: async ({ engineRef }) => {
      if (!names.delete(engineRef)) throw missing(engineRef)
      return { reply: {}, output: null }
    },
    imagePull: async ({ engineRef }) => {
      const imageId = registry.get(engineRef) ?? found(engineRef)
      names.set(engineRef, imageId)
      return { reply: { imageId, refs: [], size: 7, createdAt: 1 }, output: null }
    },
    imagePullFlow: async ({ source, engineRef }) => {
      const imageId = registry.get(source)
      if (imageId === undefined) return { reply: {}, output: said([{ error: 'manifest unknown' }]) }
      names.set(engineRef, imageId)
      const digest = digestOf(imageId.charAt(7))
      return { reply: {}, output: said([{ status: `Digest: ${digest}` }, { status: 'Status: Downloaded' }]) }
    },
    commit: async ({ engineRef }) => {
      names.set(engineRef, idOf('c'))
      return { reply: { imageId: idOf('c'), size: 9 }, output: null }
    },
  }
  return { names, registry, calls }
}

async function aCloud() {
  const engine = anEngine()
  const world = await aWorld({ calls: engine.calls })
  const { engineImages } = world.control
  const pull = async (caller = me, repo = 'app', login = false) => {
    const auth = login ? { domain: '', username: 'ada', password: 'secret' } : null
    const output = await engineImages.pull(caller, { repo, tag: '1', login: auth }, signal)
    const parts: Buffer[] = []
    for await (const part of output as AsyncIterable<Buffer>) parts.push(part)
    return Buffer.concat(parts).toString()
  }
  const named = async (caller = me) => (await engineImages.list(caller)).flatMap(({ names }) => names).toSorted()
  return { ...engine, world, engineImages, pull, named, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

test('what one project pulled is another’s only when that pulls it too, and goes with the last of them', async () => {
  await using cloud = await aCloud()
  cloud.registry.set('app:1', idOf('a'))
  expect(await cloud.pull(me)).toContain('Status: Downloaded')
  expect(await cloud.named(they)).toEqual([])
  await expect(cloud.engineImages.inspect(they, 'app:1')).rejects.toMatchObject({ code: 'image.not-found' })
  await expect(cloud.engineImages.resolve(they, 'aaaa')).rejects.toMatchObject({ code: 'image.not-found' })
  await cloud.pull(they)
  expect(await cloud.engineImages.resolve(they, 'aaaa')).toEqual({ image: 'app:1', imageId: idOf('a') })
  expect(await cloud.engineImages.resolve(they, `app@${digestOf('a')}`)).toMatchObject({ imageId: idOf('a') })
  await cloud.engineImages.remove(me, 'app:1', { force: false })
  expect([...cloud.names.keys()]).toEqual(['app:1'])
  await cloud.engineImages.remove(they, 'app:1', { force: false })
  expect([...cloud.names.keys()]).toEqual([])
})

test('what the engine had before is its operator’s and stays there', async () => {
  await using cloud = await aCloud()
  cloud.registry.set('app:1', idOf('a'))
  cloud.names.set('app:1', idOf('a'))
  await cloud.pull()
  await cloud.engineImages.remove(me, 'app:1', { force: false })
  expect(await cloud.named()).toEqual([])
  expect([...cloud.names.keys()]).toEqual(['app:1'])
})

test('a pull that fails leaves nothing', async () => {
  await using cloud = await aCloud()
  expect(await cloud.pull()).toContain('manifest unknown')
  expect(await cloud.named()).toEqual([])
})

test('a public name means the same for all who have it', async () => {
  await using cloud = await aCloud()
  cloud.registry.set('app:1', idOf('a'))
  await cloud.pull(me)
  cloud.registry.set('app:1', idOf('b'))
  await cloud.pull(they)
  expect(await cloud.engineImages.resolve(me, 'app:1')).toMatchObject({ imageId: idOf('b') })
})

test('what a password opened is kept where nobody else’s name leads', async () => {
  await using cloud = await aCloud()
  cloud.registry.set('app:1', idOf('a'))
  await cloud.pull(me, 'app', true)
  expect([...cloud.names.keys()]).toEqual([expect.stringMatching(/^gantry-[0-9a-f]{32}\/app:1$/)])
  expect(await cloud.named(me)).toEqual(['app:1'])
})

test('a name of one’s own hides a public one, for oneself', async () => {
  await using cloud = await aCloud()
  cloud.names.set('busybox:latest', idOf('a'))
  await cloud.world.control.images.pull(admin, { repo: 'busybox', tag: 'latest', host: 'sim' })
  await expect.poll(() => cloud.named(they)).toEqual(['busybox:latest'])
  cloud.registry.set('app:1', idOf('b'))
  await cloud.pull(me)
  await cloud.engineImages.tag(me, 'app:1', { repo: 'busybox', tag: 'latest' })
  expect(await cloud.engineImages.resolve(me, 'busybox')).toMatchObject({ imageId: idOf('b') })
  expect(await cloud.engineImages.resolve(they, 'busybox')).toMatchObject({ imageId: idOf('a') })
  expect(cloud.names.get('busybox:latest')).toBe(idOf('a'))
  await expect(cloud.engineImages.remove(they, 'busybox', { force: true })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
})

test('publishing an image again changes nothing', async () => {
  await using cloud = await aCloud()
  cloud.names.set('busybox:latest', idOf('a'))
  for (const _ of [1, 2, 3]) {
    await cloud.world.control.images.pull(admin, { repo: 'busybox', tag: 'latest', host: 'sim' })
    await expect
      .poll(async () => (await cloud.world.store.images.list(null)).map(({ imageId }) => imageId))
      .toEqual([idOf('a')])
  }
})

test('a name that moves leaves its image without one; a further name takes that away', async () => {
  await using cloud = await aCloud()
  cloud.registry.set('app:1', idOf('a'))
  cloud.registry.set('other:1', idOf('b'))
  await cloud.pull(me)
  await cloud.pull(me, 'other')
  await cloud.engineImages.tag(me, 'app:1', { repo: 'mine', tag: '1' })
  await cloud.engineImages.remove(me, 'app:1', { force: false })
  await cloud.engineImages.tag(me, 'other:1', { repo: 'mine', tag: '1' })
  const nameless = async () => cloud.engineImages.list(me, { filters: { dangling: true } })
  expect(await nameless()).toMatchObject([{ imageId: idOf('a'), names: [] }])
  expect([...cloud.names.keys()].filter((name) => name.startsWith('untagged/'))).toHaveLength(1)
  const { image } = await cloud.engineImages.resolve(me, 'aaaa')
  expect(await cloud.world.store.images.get(image as never)).toMatchObject({ projectId: 'p1' as ProjectId })
  await cloud.engineImages.tag(me, 'aaaa', { repo: 'again', tag: '1' })
  expect(await nameless()).toEqual([])
  expect([...cloud.names.keys()].filter((name) => name.startsWith('untagged/'))).toEqual([])
})

test('ids are told apart, and nothing else is taken for one', async () => {
  await using cloud = await aCloud()
  cloud.registry.set('app:1', idOf('a'))
  cloud.registry.set('other:1', `sha256:${'a'.repeat(60)}bbbb`)
  await cloud.pull(me)
  await cloud.pull(me, 'other')
  await expect(cloud.engineImages.resolve(me, 'aa')).rejects.toMatchObject({ code: 'image.ambiguous' })
  await expect(cloud.engineImages.resolve(me, 'sha256:')).rejects.toMatchObject({ code: 'image.not-found' })
  await expect(cloud.engineImages.resolve(me, '')).rejects.toMatchObject({ code: 'image.not-found' })
  expect(await cloud.engineImages.resolve(me, 'a'.repeat(64))).toMatchObject({ image: 'app:1' })
})

test('a name of one’s own lies below the project’s space, on the host that has it', async () => {
  await using cloud = await aCloud()
  cloud.registry.set('app:1', idOf('a'))
  await cloud.pull(me)
  await cloud.engineImages.tag(me, 'app:1', { repo: 'mine', tag: '1' })
  const [row] = (await cloud.world.store.images.list(me.projectId)).filter(({ repo }) => repo === 'mine')
  expect(row).toMatchObject({ hostId: simHostId, engineRef: expect.stringMatching(/^gantry-/) })
})
