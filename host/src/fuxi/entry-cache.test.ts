import { describe, expect, test } from 'vitest'
import type { RemoteEntry } from './backend.ts'
import { entryCache } from './entry-cache.ts'

const entry = (name: string): RemoteEntry => ({
  id: `id-${name}`,
  name,
  size: 1,
  status: 'available',
  fsType: 'ext4',
  places: [],
  isHere: false,
  createdAt: null,
  details: {},
})

/** A service with these names, and a clock that stands. */
function world(...names: string[]) {
  const kept: string[][] = []
  const state = { now: 0, names, loads: 0, down: false, gate: Promise.resolve() }
  const load = async () => {
    state.loads += 1
    if (state.down) throw new Error('away')
    const found = state.names.map(entry)
    await state.gate
    return found
  }
  const open = (before: RemoteEntry[] | null) =>
    entryCache({
      service: 'Cinder',
      before,
      keep: (entries) => kept.push(entries.map(({ name }) => name)),
      load,
      clock: { now: () => state.now },
      failed: () => undefined,
    })
  return { state, kept, open, cache: open(null) }
}
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('what is remembered of a service', () => {
  test('one question is asked for many', async () => {
    const { state, cache } = world('one')
    for (let time = 0; time < 100; time += 1) {
      expect((await cache.get('one', true))?.id).toBe('id-one')
      expect(await cache.get('none', true)).toBeNull()
      expect(await cache.all()).toHaveLength(1)
    }
    expect(state.loads).toBe(1)
  })

  test('what is not known is asked for before that is said', async () => {
    const { state, cache } = world()
    expect(await cache.get('new', true)).toBeNull()
    state.names = ['new']
    state.now = 1500
    expect((await cache.get('new', true))?.name).toBe('new')
  })

  test('what is known is told at once, and renewed behind that; what is old is not believed', async () => {
    const { state, cache } = world('old')
    await cache.get('old', true)
    state.names = []
    state.now = 3000
    expect(await cache.get('old', true)).not.toBeNull()
    await settled()
    expect(await cache.get('old', true)).toBeNull()
    state.names = ['back']
    await cache.all()
    state.now = 60_000
    state.names = []
    expect(await cache.get('back', true)).toBeNull()
  })

  test('what nobody uses here is asked for, too, before it is said to be there; not so where the service is silent', async () => {
    const { state, cache } = world('theirs')
    expect(await cache.get('theirs', false)).not.toBeNull()
    state.names = []
    state.now = 450
    expect(await cache.get('theirs', false)).toBeNull()
    state.names = ['theirs']
    state.now = 2000
    expect(await cache.get('theirs', false)).not.toBeNull()
    state.down = true
    state.now = 4000
    expect(await cache.get('theirs', false)).not.toBeNull()
  })

  test('what we did counts, also against an answer that was under way', async () => {
    const { state, cache } = world('goes')
    await cache.get('goes', true)
    state.now = 3000
    const { promise, resolve } = Promise.withResolvers<void>()
    state.gate = promise
    await cache.get('goes', true)
    state.now = 3001
    cache.set('goes', null)
    cache.set('comes', entry('comes'))
    resolve()
    await settled()
    expect(await cache.get('goes', true)).toBeNull()
    expect((await cache.all()).map(({ name }) => name)).toEqual(['comes'])
  })

  test('a service that is away: what was known stays, and it is left alone for a while', async () => {
    const { state, cache } = world('known')
    await cache.get('known', true)
    state.down = true
    state.now = 60_000
    expect((await cache.get('known', true))?.name).toBe('known')
    expect(await cache.get('other', true)).toBeNull()
    const { loads } = state
    for (let time = 0; time < 10; time += 1) await cache.get('other', true)
    expect(state.loads).toBe(loads)
  })

  test('what a process before knew counts while the service is away', async () => {
    const { state, kept, open, cache } = world('one')
    await cache.get('one', true)
    cache.set('two', entry('two'))
    expect(kept.at(-1)).toEqual(['one', 'two'])
    state.down = true
    const next = open(['one', 'two'].map(entry))
    expect((await next.get('two', true))?.name).toBe('two')
    expect(await next.get('three', true)).toBeNull()
  })

  test('a service that was never there is told of', async () => {
    const { state, cache } = world()
    state.down = true
    await expect(cache.get('any', true)).rejects.toThrow('away')
  })
})
