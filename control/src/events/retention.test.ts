import { expect, test } from 'vitest'
import type { Deps } from '../deps.ts'
import { keepRetention } from './retention.ts'

const hourMs = 60 * 60_000
const dayMs = 24 * hourMs

test('what is kept is bounded by age and by number, and removed in steps until nothing is too much', async () => {
  const ending = new AbortController()
  const asked: unknown[][] = []
  const steps: Record<string, number[]> = {
    prune: [1000, 3],
    pruneAudit: [2],
    pruneGone: [0],
    pruneLong: [1000, 1000, 7],
  }
  const step =
    (name: string) =>
    async (...args: unknown[]) => {
      asked.push([name, ...args])
      return steps[name]?.shift() ?? 0
    }
  const changes = { mend: async () => undefined, prune: step('prune') }
  const audit = { prune: step('pruneAudit') }
  const actions = { pruneGone: step('pruneGone'), pruneLong: step('pruneLong') }
  const webhooks = {
    pruneDeliveries: async (before: number) => {
      asked.push(['pruneDeliveries', before])
      ending.abort()
    },
  }
  const tables = { changes, audit, actions, webhooks }
  const store = { ...tables, transaction: async (work: (given: typeof tables) => unknown) => work(tables) }
  const told: unknown[] = []
  const deps = {
    store,
    clock: { now: () => 100 * dayMs },
    policy: { eventDays: 7, eventRows: 5000, auditDays: 30, auditRows: 400, actionDays: 90, eventsReadBy: null },
    log: { info: (fields: unknown) => told.push(fields) },
  } as unknown as Pick<Deps, 'store' | 'clock' | 'policy' | 'log'>
  await keepRetention(deps, ending.signal, 0)
  const prune = ['prune', { before: 93 * dayMs, keep: 5000, most: 1000 }]
  const audited = ['pruneAudit', { before: 70 * dayMs, keep: 400, most: 1000 }]
  const long = ['pruneLong', 100 * dayMs - hourMs, 1000, 1000]
  expect(asked).toEqual([
    prune,
    prune,
    prune,
    audited,
    audited,
    ['pruneGone', 10 * dayMs, 1000],
    long,
    long,
    long,
    long,
    ['pruneDeliveries', 93 * dayMs],
  ])
  expect(told).toEqual([{ removed: 3012 }])
})
