import { setTimeout as sleep } from 'node:timers/promises'
import { limiter } from '@gantry/kernel'
import type { Supply } from '../ports/compute.ts'
import type { Instance } from '../ports/instance-table.ts'
import { bell } from './bell.ts'
import { boot, reap } from './carry-out.ts'
import { failedBoots, takeOver } from './provider-look.ts'
import { planSupply } from './supply-plan.ts'
import { longestWaitMs, type SupplyParts } from './supply-parts.ts'

/** Between two looks at the store, however often it is rung: milliseconds. */
const pauseMs = 50
/** Between two looks at those that boot: no provider tells of one that fails. */
const bootLookMs = 5000
/** A safety net; everything that matters rings. */
const lookMs = 60_000
const sweepMs = 10 * 60_000
/** Orders under way at once. */
const width = 4

/**
 * Hosts on demand: one server at a time orders instances for containers that fit nowhere and deletes those that stay empty. The
 * store says all there is to know, so that any server can go on where another stopped.
 */
export function createSupply(parts: SupplyParts): Supply & AsyncDisposable & { start(): void } {
  const { cluster, clock, demand } = parts
  const ring = bell()
  cluster.onNote((note) => {
    if (note.kind === 'supply' || note.kind === 'session') ring.ring()
  })
  cluster.onMissed(() => ring.ring())
  const wake = () => {
    ring.ring()
    cluster.tell({ kind: 'supply' })
  }
  return {
    hope(leader) {
      const until = leader.updatedAt + longestWaitMs(demand.policy)
      if (clock.now() >= until) return { kind: 'none' }
      wake()
      return { kind: 'wait', until }
    },
    wake,
    // What it does ends with the cluster.
    [Symbol.asyncDispose]: async () => undefined,
    start: () => cluster.lead('hosts on demand', (signal) => supplyUntil(parts, ring, signal)),
  }
}

async function supplyUntil(parts: SupplyParts, ring: ReturnType<typeof bell>, ending: AbortSignal): Promise<void> {
  const { clock, demand } = parts
  const failing = new AbortController()
  const signal = AbortSignal.any([ending, failing.signal])
  const tasks = new Map<string, Promise<void>>()
  const turn = limiter(width)
  let problem: unknown = null

  /** One at a time for each instance. What fails here is the store or the line to the provider: all begins anew. */
  function begin(instance: Instance, work: typeof boot): void {
    if (tasks.has(instance.id)) return
    const whole = turn(() => work(parts, instance, signal))
      .catch((error: unknown) => {
        problem ??= error
        failing.abort(error)
      })
      .finally(() => {
        tasks.delete(instance.id)
        ring.ring()
      })
    tasks.set(instance.id, whole)
  }

  const left = watchLeaving(parts, ring, signal)
  try {
    const size = await demand.provider.size(signal)
    let sweepAt = 0
    let bootLookAt = 0
    while (!signal.aborted) {
      if (clock.now() >= sweepAt && tasks.size === 0) {
        const againAt = await takeOver(parts, signal)
        sweepAt = Math.min(againAt, clock.now() + sweepMs)
      }
      if (clock.now() >= bootLookAt) {
        await failedBoots(parts, signal)
        bootLookAt = clock.now() + bootLookMs
      }
      const { instances, dueAt } = await planSupply(parts, size)
      for (const instance of instances) {
        if (instance.state === 'wanted') begin(instance, boot)
        if (instance.state === 'reaping') begin(instance, reap)
      }
      const isBooting = instances.some(({ state }) => state === 'booting')
      const waitMs = Math.min(dueAt - clock.now(), isBooting ? bootLookMs : lookMs)
      await ring.rung(Math.max(0, waitMs), signal)
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    failing.abort(new Error('the supply of hosts ends'))
    await Promise.all([...tasks.values(), left])
  }
  if (problem !== null && !ending.aborted) throw problem
}

/** A host may be empty once a container is gone. */
async function watchLeaving(parts: SupplyParts, ring: ReturnType<typeof bell>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of parts.hub.watch(null, signal)) if (event.gone) ring.ring()
    } catch {
      // Too far behind; the next look sees it all.
      ring.ring()
    }
  }
}
