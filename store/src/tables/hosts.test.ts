import type { HostsSeen } from '@gantry/control'
import type { HostId } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { aContainer } from '../testing/samples.ts'

const number = fc.integer({ min: 0, max: 4 })
const step = fc.oneof(
  fc.record({ does: fc.constant('join'), number }),
  fc.record({ does: fc.constant('disable'), number }),
  fc.record({ does: fc.constant('seen'), number }),
  fc.record({ does: fc.constant('remove'), number }),
  fc.record({ does: fc.constant('promise'), number }),
  fc.record({ does: fc.constant('forget'), number }),
  fc.record({ does: fc.constant('look'), number }),
)

test('whoever looks again sees what a list shows, whatever happened in between', async () => {
  await using opened = await openStore()
  const { hosts, containers } = opened.store
  let at = 0
  const forget = async (id: HostId) => {
    for (const { id: gone } of await containers.ofHost(id)) await containers.remove(gone)
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      let seen: HostsSeen | null = null
      for (const { does, number } of steps) {
        at += 1
        const id = `h${number}` as HostId
        if (does === 'join') await hosts.upsert({ id, name: id, availabilityZone: 'nova', facts: {} as never, at })
        if (does === 'disable') await hosts.change(id, { disabled: at % 2 === 0, disabledReason: null })
        if (does === 'seen') await hosts.seen(id, at)
        if (does === 'remove') await hosts.remove(id)
        if (does === 'promise') await containers.insert(aContainer(`${id}-${at}`, { hostId: id }))
        if (does === 'forget') await forget(id)
        if (does !== 'look') continue
        seen = await hosts.look(seen)
        expect(seen.hosts).toEqual(await hosts.list())
      }
      expect((await hosts.look(seen)).hosts).toEqual(await hosts.list())
      for (const id of ['h0', 'h1', 'h2', 'h3', 'h4'] as HostId[]) {
        await forget(id)
        await hosts.remove(id)
      }
    }),
    { numRuns: 60 },
  )
})

test('what a transaction wrote that was not over at one look is seen at the next', async () => {
  await using opened = await openStore()
  const { store } = opened
  const id = 'h1' as HostId
  await store.hosts.upsert({ id, name: id, availabilityZone: 'nova', facts: {} as never, at: 1 })
  const written = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const slow = store.transaction(async ({ containers }) => {
    await containers.insert(aContainer('c1', { hostId: id }))
    written.resolve()
    await goOn.promise
  }, [])
  await written.promise
  // On SQLite this waits for the writer.
  const looking = store.hosts.look(null)
  setTimeout(() => goOn.resolve(), 100)
  const first = await looking
  await slow
  const second = await store.hosts.look(first)
  expect(second.hosts.map(({ used }) => used.containers)).toEqual([1])
})
