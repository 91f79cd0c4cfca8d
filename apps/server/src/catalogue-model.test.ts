import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BlobStore, Store } from '@gantry/control'
import { Fault, randomIds } from '@gantry/kernel'
import {
  type Container,
  type ContainerId,
  defaultSpec,
  type Digest,
  type Image,
  nothingObserved,
  type ProjectId,
} from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aCaller } from './testing/a-world.ts'
import {
  type ACatalogue,
  aCatalogue,
  bytesOf,
  digestOf,
  graceMs,
  makeImage,
  makeIndex,
  pushImage,
} from './testing/a-catalogue.ts'

const layers = ['a', 'b', 'c', 'd']
const images = [['a'], ['a', 'b'], ['b', 'c'], ['c', 'd', 'c'], ['d']].map((each) => makeImage(each))
const indexes = [
  [0, 1],
  [1, 3],
].map(([one = 0, two = 0]) => ({
  children: [one, two],
  ...makeIndex({ 'linux/amd64': images[one] ?? nothing(), 'linux/arm64': images[two] ?? nothing() }),
}))

function nothing(): never {
  throw new Error('no such image')
}

type Op =
  | { readonly kind: 'push'; readonly project: string; readonly image: number; readonly name: string }
  | { readonly kind: 'pushIndex'; readonly project: string; readonly index: number; readonly name: string }
  | { readonly kind: 'retag'; readonly project: string; readonly from: string; readonly to: string }
  | { readonly kind: 'leave'; readonly project: string; readonly image: number }
  | { readonly kind: 'blob'; readonly project: string; readonly layer: string }
  | { readonly kind: 'drop'; readonly project: string; readonly name: string }
  | { readonly kind: 'prune' | 'run' | 'stop'; readonly project: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'sweep' | 'restart' }

const project = fc.constantFrom('p1', 'p2')
const name = fc.constantFrom('one:1', 'one:2', 'two:1', 'p/three:1')
const image = fc.nat(images.length - 1)
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('push' as const), project, image, name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pushIndex' as const), project, index: fc.nat(1), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retag' as const), project, from: name, to: name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), project, image }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('blob' as const), project, layer: fc.constantFrom(...layers) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('drop' as const), project, name }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('prune' as const, 'run' as const, 'stop' as const), project }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, graceMs + 10) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('sweep' as const, 'restart' as const) }) },
)
/** Some at once; `killAfter`: the server dies at that call of its database or its store. */
const step = fc.record({
  ops: fc.array(op, { minLength: 1, maxLength: 3 }),
  killAfter: fc.option(fc.nat(25), { freq: 4 }),
})

/** A process that can be killed: from then on nothing that it does has an effect. */
function mortal() {
  let left: number | null = null
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, key) {
        const value: unknown = Reflect.get(of, key, of)
        if (typeof value === 'object' && value !== null) return guard(value)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (left !== null && left-- <= 0) {
            left = 0
            throw new Error('killed')
          }
          return Reflect.apply(value, of, args)
        }
      },
    })
  // A store elsewhere takes its time, and lets others go first.
  let calls = 0
  const slow = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    stat: (digest) => blobs.stat(digest),
    open: (digest, range) => blobs.open(digest, range),
    blobs: () => blobs.blobs(),
    uploads: () => blobs.uploads(),
    verify: (digest, signal) => blobs.verify(digest, signal),
    async finish(id, digest) {
      await sleep((calls++ % 3) * 2)
      return blobs.finish(id, digest)
    },
    async remove(digest) {
      await sleep((calls++ % 3) * 2)
      return blobs.remove(digest)
    },
  })
  return {
    around: ({ store, blobs }: { store: Store; blobs: BlobStore }) => ({
      store: guard(store),
      blobs: guard(slow(blobs)),
    }),
    killAfter(calls: number | null) {
      left = calls
    },
  }
}

const nameOf = (text: string) => {
  const [repo = '', tag = ''] = text.split(':')
  return { repo, tag }
}
const soon = () => AbortSignal.timeout(20_000)

async function rowOf({ store }: ACatalogue, projectId: string, text: string): Promise<Image | undefined> {
  return (await store.images.list(projectId as ProjectId, { owners: 'own', ...nameOf(text) }))[0]
}

async function take(made: ACatalogue, acknowledged: Map<string, Digest | null>, each: Op): Promise<void> {
  const { catalogue, store, clock } = made
  switch (each.kind) {
    case 'push':
    case 'pushIndex': {
      const caller = aCaller(each.project)
      const wanted = nameOf(each.name)
      const whole =
        each.kind === 'push'
          ? { children: [each.image], ...(images[each.image] ?? nothing()) }
          : (indexes[each.index] ?? nothing())
      acknowledged.delete(`${each.project} ${each.name}`)
      for (const child of whole.children) await pushImage(catalogue, caller, '', images[child] ?? nothing())
      await catalogue.addManifest({ caller, repo: '' }, whole.manifest)
      await catalogue.nameImage(caller, wanted, whole.digest)
      acknowledged.set(`${each.project} ${each.name}`, whole.digest)
      return
    }
    case 'retag': {
      const row = await rowOf(made, each.project, each.from)
      if (row?.digest) await catalogue.nameImage(aCaller(each.project), nameOf(each.to), row.digest)
      acknowledged.delete(`${each.project} ${each.to}`)
      return
    }
    case 'leave':
      await pushImage(catalogue, aCaller(each.project), '', images[each.image] ?? nothing())
      return
    case 'blob':
      await catalogue.addBlob(aCaller(each.project), Readable.from([bytesOf(each.layer)]), soon())
      return
    case 'drop': {
      acknowledged.delete(`${each.project} ${each.name}`)
      const row = await rowOf(made, each.project, each.name)
      if (row) await catalogue.dropImages([row])
      return
    }
    case 'prune':
      await catalogue.dropImages(await store.images.list(each.project as ProjectId, { owners: 'own', repo: '' }))
      return
    case 'run': {
      const [row] = await store.images.list(each.project as ProjectId)
      const found = row?.digest ? await catalogue.runnable(row.digest) : null
      await store.transaction(async (tables) => {
        if (found && (await tables.contents.manifest(found.digest)))
          await tables.containers.insert(aContainer(each.project, found.digest))
      })
      return
    }
    case 'stop':
      for (const { id } of await runningOf(store, each.project)) await store.containers.remove(id)
      return
    case 'wait':
      clock.at += each.ms
      return
    case 'sweep':
      await catalogue.sweep(soon())
      return
    case 'restart':
      await made.restart()
      return
  }
}

/** Whatever is named or runs is whole, down to the last byte. */
async function check({ store, blobs }: ACatalogue, acknowledged: ReadonlyMap<string, Digest | null>): Promise<void> {
  const rows = await store.images.list(null)
  const running = [...(await runningOf(store, 'p1')), ...(await runningOf(store, 'p2'))].map(
    (each) => each.imageManifest,
  )
  for (const digest of new Set([...rows.map((row) => row.digest), ...running])) {
    if (digest === null) continue
    const closure = await store.contents.closure(digest)
    const known = new Set(closure.map((each) => each.digest))
    expect(known).toContain(digest)
    for (const part of closure.flatMap(({ parts }) => parts)) {
      if (part.kind === 'manifest') expect(known).toContain(part.digest)
      else {
        expect(await store.contents.blob(part.digest), part.digest).toMatchObject({ size: part.size })
        expect(digestOf(await buffer((await blobs.open(part.digest)).body))).toBe(part.digest)
      }
    }
  }
  for (const row of rows.filter(({ digest }) => digest !== null)) {
    for (const { parts } of await store.contents.closure(row.digest ?? nothing())) {
      for (const part of parts)
        if (part.kind === 'blob') expect(await store.contents.hasBlob(row.projectId, part.digest)).toBe(true)
    }
  }
  for (const [text, digest] of acknowledged) {
    const [owner, named] = text.split(' ')
    const row = rows.find(({ projectId, repo, tag }) => projectId === owner && `${repo}:${tag}` === named)
    expect(row?.digest, text).toBe(digest)
  }
}

/** When everything is let go, nothing is left. */
async function checkEmpty(made: ACatalogue): Promise<void> {
  const { catalogue, store, blobs, clock } = made
  for (const each of ['p1', 'p2']) await take(made, new Map(), { kind: 'stop', project: each })
  for (const row of await store.images.list(null)) await catalogue.dropImages([row])
  clock.at += graceMs + 10
  await catalogue.sweep(soon())
  expect(await store.contents.holders()).toEqual([])
  expect(await store.contents.blobs()).toEqual([])
  expect(await store.contents.manifests([...images, ...indexes].map(({ digest }) => digest))).toEqual([])
  expect(await Array.fromAsync(blobs.blobs())).toEqual([])
}

test('whatever is pushed, named, dropped, swept and killed, in any order and at once: nothing that is used goes, and nothing else stays', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      let process = mortal()
      await using made = await aCatalogue({
        around: (parts) => {
          process = mortal()
          return process.around(parts)
        },
      })
      const acknowledged = new Map<string, Digest | null>()
      for (const { ops, killAfter } of steps) {
        process.killAfter(killAfter)
        const results = await Promise.allSettled(ops.map((each) => take(made, acknowledged, each)))
        // Two pushes of one name: either may be the last.
        const pushed = ops.flatMap((each) => ('name' in each ? [`${each.project} ${each.name}`] : []))
        const moved = ops.flatMap((each) => (each.kind === 'retag' ? [`${each.project} ${each.to}`] : []))
        if (ops.length > 1) for (const each of [...pushed, ...moved]) acknowledged.delete(each)
        if (killAfter !== null) await made.restart()
        else expectHarmless(results, ops.length > 1)
        await check(made, acknowledged)
      }
      await made.restart()
      await checkEmpty(made)
    }),
    { numRuns: Number(globalThis.process.env['GANTRY_RUNS'] ?? 25) },
  )
}, 600_000)

/** Who pushes while the same is dropped may be told that it is gone. */
function expectHarmless(results: readonly PromiseSettledResult<void>[], atOnce: boolean): void {
  for (const result of results) {
    if (result.status === 'fulfilled') continue
    const { reason } = result as { reason: unknown }
    const isRace = reason instanceof Fault && ['manifest.blob-unknown', 'manifest.unknown'].includes(reason.code)
    if (!(atOnce && isRace)) throw reason
  }
}

async function runningOf(store: Store, owner: string): Promise<Container[]> {
  const all = { filters: {}, sortKey: 'id', descending: false, limit: 1000, marker: null } as const
  return store.containers.list(owner as ProjectId, all)
}

function aContainer(owner: string, imageManifest: Digest): Container {
  return {
    id: randomIds.uuid() as ContainerId,
    projectId: owner as ProjectId,
    userId: aCaller(owner).userId,
    name: 'c',
    createdAt: 1,
    updatedAt: 1,
    spec: { ...defaultSpec('x'), cpu: 0.1, memory: 64, disk: 1 },
    wish: { version: 1, generation: 1, power: { kind: 'created' }, paused: false, gone: null },
    nics: [],
    mounts: [],
    capsule: null,
    registryId: null,
    sealedRegistryAuth: null,
    task: null,
    hostId: null,
    hostName: null,
    imageRef: 'x',
    imageManifest,
    placementFailure: null,
    observed: nothingObserved,
    seenGeneration: 0,
    hostLost: false,
    status: 'Created',
    statusReason: null,
  }
}
