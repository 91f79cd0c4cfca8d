import { reasonOf } from '@gantry/kernel'
import type { Container, ContainerId, ProjectId } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { ImageSites } from '../scheduling/image-sites.ts'
import { noArchitectures } from './made-for.ts'
import { type Known, placeBatch, type Placed, type Unplaced } from './placement.ts'
import { isStoreAway } from './store-away.ts'

export interface Placer {
  /** Places it as soon as what is being placed now is written; all that is rung for meanwhile goes together. */
  soon(container: Unplaced): void
  /** A host may take what none took before: those that wait are tried again. */
  retry(): void
  close(): void
}

const mostAtOnce = 500
const pauseMs = 1000

/** One placement at a time, each of all that has come since the last. */
export function createPlacer(deps: Deps, told: (placed: readonly Container[]) => void): Placer {
  const pending = new Map<ContainerId, ProjectId>()
  const known: Known = { sites: new ImageSites(), architectures: noArchitectures(), hosts: null }
  /** Those for which no host was up yet. */
  const waiting = new Map<ContainerId, Unplaced>()
  const timers = new Map<ContainerId, NodeJS.Timeout>()
  let running = false
  let closed = false

  function soon({ id, projectId }: Unplaced): void {
    if (closed) return
    clearTimeout(timers.get(id))
    timers.delete(id)
    pending.set(id, projectId)
    if (!running) void run()
  }

  async function run(): Promise<void> {
    running = true
    while (pending.size > 0 && !closed) {
      const batch = [...pending.entries().take(mostAtOnce)].map(([id, projectId]) => ({ id, projectId }))
      for (const { id } of batch) pending.delete(id)
      await placeAll(batch)
    }
    running = false
  }

  /** What makes a transaction fail need not be the fault of all that are in it. */
  async function placeAll(batch: readonly Unplaced[]): Promise<void> {
    try {
      const results = await placeBatch(deps, batch, known)
      for (const one of batch) settle(one, results.get(one.id) ?? { kind: 'nothing' })
    } catch (error) {
      if (closed) return
      if (batch.length > 1 && !isStoreAway(error)) for (const one of batch) await placeAll([one])
      else {
        const containers = batch.length === 1 ? batch[0]?.id : batch.length
        deps.log.error({ containers, reason: reasonOf(error) }, 'placement failed; trying again')
        for (const one of batch) later(one, pauseMs)
      }
    }
    deps.gauges.waiting(waiting.size)
  }

  function settle(one: Unplaced, placed: Placed): void {
    waiting.delete(one.id)
    if (placed.kind === 'placed') told(placed.containers)
    if (placed.kind !== 'waiting') return
    waiting.set(one.id, one)
    later(one, Math.max(0, placed.until - deps.clock.now()) + 1)
  }

  function later(one: Unplaced, ms: number): void {
    clearTimeout(timers.get(one.id))
    if (closed) return
    const timer = setTimeout(() => soon(one), ms)
    timer.unref()
    timers.set(one.id, timer)
  }

  return {
    soon,
    retry() {
      for (const one of waiting.values()) soon(one)
    },
    close() {
      closed = true
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
