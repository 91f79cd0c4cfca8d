import { createControl, defaultPolicy, type HostLinks } from '@gantry/control'
import { simFacts } from '@gantry/control/testing'
import { randomIds, systemClock } from '@gantry/kernel'
import { createStore, openSqlite } from '@gantry/store'
import { afterEach, expect, test, vi } from 'vitest'
import { simHostId, someProviders } from './testing/a-world.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a store that fails for a moment ends neither the server nor the signs of life', async () => {
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  let written = 0
  const seen = async () => {
    written += 1
    if (written < 3) throw new Error('disk full')
  }
  const links: HostLinks = {
    connected: () => true,
    tell: () => {},
    assign: () => {},
    calls: () => {
      throw new Error('none')
    },
  }
  await using providers = await someProviders(store, links, systemClock)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { reconciler } = createControl({
    store: { ...store, hosts: { ...store.hosts, seen } },
    links,
    ...providers,
    clock: systemClock,
    ids: randomIds,
    log: { info() {}, warn() {}, error() {} },
    gauges: { step() {}, settled() {}, waiting() {} },
    policy: defaultPolicy,
  })
  await reconciler.reports.connected(simHostId, simFacts)
  // An unhandled rejection, which would end the process, fails this test.
  for (let minute = 1; minute <= 4; minute += 1) {
    await vi.advanceTimersByTimeAsync(60_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(written).toBe(minute)
  }
  await reconciler[Symbol.asyncDispose]()
  await db.destroy()
})
