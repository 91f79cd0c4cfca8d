import { type Assignment, type ContainerId, defaultSpec, type Observed } from '@gantry/model'
import { anEngineContainer } from '@gantry/model/testing'
import { createControl, defaultPolicy, type HostLinks } from '@gantry/control'
import { simFacts } from '@gantry/control/testing'
import { randomIds, systemClock } from '@gantry/kernel'
import { createStore, openSqlite } from '@gantry/store'
import { expect, test } from 'vitest'
import { aCaller, simHostId, someProviders } from './testing/a-world.ts'

const ended = anEngineContainer({ state: 'exited', startedAt: 't1', finishedAt: 't2', exitCode: 0 })

test('the host of a container that removes itself is told once that its run was written down', async () => {
  const db = await openSqlite(':memory:')
  const told: Assignment[] = []
  const links: HostLinks = {
    connected: () => true,
    tell: () => {},
    assign: (_host, assignment) => void told.push(assignment),
    calls: () => {
      throw new Error('none')
    },
  }
  const store = createStore(db)
  await using providers = await someProviders(store, links, systemClock)
  const { control, reconciler } = createControl({
    store,
    links,
    ...providers,
    clock: systemClock,
    ids: randomIds,
    log: { info() {}, warn() {}, error() {} },
    gauges: { step() {}, settled() {}, waiting() {} },
    policy: defaultPolicy,
  })
  try {
    await reconciler.reports.connected(simHostId, simFacts)
    const run = async (autoRemove: boolean): Promise<ContainerId> => {
      const before = told.length
      const spec = { ...defaultSpec('busybox'), autoRemove }
      const { id } = await control.containers.create(aCaller(), { name: null, spec, run: true })
      await expect.poll(() => told.length).toBe(before + 1)
      return id
    }
    const observed: Observed = { engine: ended, settled: 1, failure: null }
    const once = await run(true)
    await reconciler.reports.observed(simHostId, once, observed, false)
    expect(told.at(-1)).toMatchObject({ id: once, seenGeneration: 1 })
    const plain = await run(false)
    for (const id of [once, plain]) await reconciler.reports.observed(simHostId, id, observed, false)
    expect(told).toHaveLength(3)
  } finally {
    await reconciler[Symbol.asyncDispose]()
    await db.destroy()
  }
})
