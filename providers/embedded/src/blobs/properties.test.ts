import { Readable } from 'node:stream'
import { Fault, type FaultCode } from '@gantry/kernel'
import type { Digest } from '@gantry/model'
import fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { type AStore, aStore, contentOf, digestOf, never, uploadId } from './testing/a-store.ts'

const postgres = inject('postgres')

/** What the store should hold. */
interface Model {
  readonly uploads: Map<string, Buffer>
  /** What uploads became. */
  readonly done: Map<string, Digest>
  readonly blobs: Map<Digest, Buffer>
}

interface Turn {
  readonly store: AStore
  readonly model: Model
  readonly name: string
  readonly piece: Buffer
  readonly number: number
}

/** What is done, and what should come of it; `expects` changes the model. */
interface Deed {
  readonly does: () => Promise<unknown>
  readonly expects: () => unknown
}

const pieces = ['', 'x', 'content', 'y'.repeat(70_000)].map((text) => Buffer.from(text))
const limit = 150_000

const verbs: Readonly<Record<string, (turn: Turn) => Deed>> = {
  begin: ({ store, model, name }) => ({
    does: () => store.blobs.begin(uploadId(name)),
    expects: () => void model.uploads.set(name, model.uploads.get(name) ?? Buffer.alloc(0)),
  }),
  append: ({ store, model, name, piece, number }) => {
    const before = model.uploads.get(name)
    const offset = (before?.length ?? 0) + (number % 5 === 0 ? 1 : 0)
    return {
      does: () =>
        store.blobs.append(uploadId(name), Readable.from(piece.length > 0 ? [piece] : []), { offset, limit }, never),
      expects: () => {
        if (!before) throw new Fault('upload.unknown')
        if (offset !== before.length) throw new Fault('upload.out-of-order')
        if (before.length + piece.length > limit) throw new Fault('request.too-large')
        model.uploads.set(name, Buffer.concat([before, piece]))
        return before.length + piece.length
      },
    }
  },
  received: ({ store, model, name }) => ({
    does: () => store.blobs.received(uploadId(name)),
    expects: () => (model.uploads.get(name) ?? fail('upload.unknown')).length,
  }),
  finish: ({ store, model, name, number }) => {
    const upload = model.uploads.get(name)
    const isRight = number % 4 !== 0
    const digest =
      (isRight ? (upload ? digestOf(upload) : model.done.get(name)) : undefined) ?? anyDigest(model, number)
    return {
      does: () => store.blobs.finish(uploadId(name), digest),
      expects: () => {
        if (!upload) {
          const size = model.done.get(name) === digest ? model.blobs.get(digest)?.length : undefined
          return { size: size ?? fail('upload.unknown') }
        }
        if (digestOf(upload) !== digest) throw new Fault('digest.mismatch')
        model.uploads.delete(name)
        model.done.set(name, digest)
        model.blobs.set(digest, upload)
        return { size: upload.length }
      },
    }
  },
  abort: ({ store, model, name }) => ({
    does: () => store.blobs.abort(uploadId(name)),
    expects: () => {
      model.uploads.delete(name)
      model.done.delete(name)
    },
  }),
  read: ({ store, model, number }) => {
    const digest = anyDigest(model, number)
    return {
      does: async () => (await contentOf(store.blobs, digest)).toString(),
      expects: () => (model.blobs.get(digest) ?? fail('blob.unknown')).toString(),
    }
  },
  verify: ({ store, model, number }) => {
    const digest = anyDigest(model, number)
    return {
      does: () => store.blobs.verify(digest, never),
      expects: () => (model.blobs.has(digest) ? 'sound' : 'absent'),
    }
  },
  remove: ({ store, model, number }) => {
    const digest = anyDigest(model, number)
    return { does: () => store.blobs.remove(digest), expects: () => void model.blobs.delete(digest) }
  },
  restart: ({ store }) => ({ does: () => store.restart(), expects: () => undefined }),
}

const often = ['begin', 'append', 'append', 'finish', 'finish', ...Object.keys(verbs)]
const turns = fc.array(
  fc.record({
    verb: fc.constantFrom(...often),
    name: fc.constantFrom('a', 'b'),
    piece: fc.constantFrom(...pieces),
    number: fc.nat(100),
  }),
  { minLength: 20, maxLength: 80 },
)

test('whatever is done in whatever order, the store holds what a map would', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(turns, async (script) => {
      await using store = await aStore(postgres)
      const model: Model = { uploads: new Map(), done: new Map(), blobs: new Map() }
      for (const { verb, ...turn } of script) {
        const deed = verbs[verb]?.({ store, model, ...turn })
        const came = await outcomeOf(async () => await deed?.does())
        expect(came, `${verb} ${turn.name}`).toEqual(await outcomeOf(async () => deed?.expects()))
      }
      const held = await Array.fromAsync(store.blobs.blobs(), ({ digest }) => digest)
      expect(held.toSorted()).toEqual([...model.blobs.keys()].toSorted())
      const uploads = await Array.fromAsync(store.blobs.uploads(), ({ id }) => String(id))
      expect(uploads.toSorted()).toEqual([...new Set([...model.uploads.keys(), ...model.done.keys()])].toSorted())
    }),
    { numRuns: postgres === undefined ? 40 : 12 },
  )
})

/** Of something that was ever finished, or of nothing. */
function anyDigest({ done, blobs }: Model, number: number): Digest {
  const never = digestOf(Buffer.from('never'))
  const all = [...new Set([...blobs.keys(), ...done.values()]), never]
  return all[number % all.length] ?? never
}

function fail(code: FaultCode): never {
  throw new Fault(code)
}

async function outcomeOf(task: () => Promise<unknown>): Promise<unknown> {
  try {
    return await task()
  } catch (error) {
    if (error instanceof Fault) return error.code
    throw error
  }
}
