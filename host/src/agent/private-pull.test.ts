import { expect, test } from 'vitest'
import { EngineError } from '../engine/engine-error.ts'
import type { ImageInspect } from '../engine/engine-types.ts'
import { privatePull } from './private-pull.ts'

const auth = { domain: 'r.example', username: 'ada', password: 'secret' }
const { signal } = new AbortController()

/** An engine's names for images, where every call takes a few turns of the loop. */
function aShelf(pull: () => Promise<void> = async () => {}) {
  const names = new Set<string>()
  const soon = () => new Promise((resolve) => setImmediate(resolve))
  return {
    names,
    async inspect(ref: string): Promise<ImageInspect> {
      await soon()
      if (!names.has(ref)) throw new EngineError(404, `No such image: ${ref}`)
      return { Id: ref, RepoTags: [ref], RepoDigests: [], Size: 1, Created: '2026-01-01T00:00:00Z' }
    },
    async pull(repo: string, tag: string) {
      await soon()
      await pull()
      names.add(`${repo}:${tag}`)
    },
    async tag(ref: string, repo: string, tag: string) {
      await soon()
      if (!names.has(ref)) throw new EngineError(404, `No such image: ${ref}`)
      names.add(`${repo}:${tag}`)
    },
    async remove(ref: string) {
      await soon()
      if (!names.delete(ref)) throw new EngineError(404, `No such image: ${ref}`)
    },
  }
}

test('an image is left under its private name only, also when several want it at the same time', async () => {
  const shelf = aShelf()
  const pull = privatePull(shelf)
  const refs = ['gantry-a/app:1', 'gantry-a/app:1', 'gantry-b/app:1']
  await Promise.all(refs.map((ref) => pull('r.example/app:1', ref, auth, signal)))
  expect([...shelf.names].toSorted()).toEqual(['gantry-a/app:1', 'gantry-b/app:1'])
})

test('one that fails neither holds up nor spoils the next', async () => {
  let count = 0
  const shelf = aShelf(async () => {
    count += 1
    if (count === 1) throw new EngineError(500, 'unauthorized')
  })
  const pull = privatePull(shelf)
  const first = pull('r.example/app:1', 'gantry-a/app:1', auth, signal)
  const second = pull('r.example/app:1', 'gantry-b/app:1', auth, signal)
  await expect(first).rejects.toThrow('unauthorized')
  await second
  expect([...shelf.names]).toEqual(['gantry-b/app:1'])
})

test('one that nobody waits for any more does not begin', async () => {
  const gone = new AbortController()
  const shelf = aShelf()
  const pull = privatePull(shelf)
  const first = pull('r.example/app:1', 'gantry-a/app:1', auth, signal)
  const second = pull('r.example/app:1', 'gantry-b/app:1', auth, gone.signal)
  const refused = expect(second).rejects.toThrow('deleted')
  gone.abort(new Error('deleted'))
  await first
  await refused
  expect([...shelf.names]).toEqual(['gantry-a/app:1'])
})

test('what the name meant before it means afterwards', async () => {
  const shelf = aShelf()
  shelf.names.add('r.example/app:1')
  await privatePull(shelf)('r.example/app:1', 'gantry-a/app:1', auth, signal)
  expect([...shelf.names].toSorted()).toEqual(['gantry-a/app:1', 'r.example/app:1'])
})
