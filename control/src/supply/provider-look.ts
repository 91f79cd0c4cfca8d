import type { FoundInstance } from '../ports/compute.ts'
import type { Instance } from '../ports/instance-table.ts'
import type { SupplyParts } from './supply-parts.ts'

/**
 * Compares what the provider has with what the store says, so that nothing that a dead server began is made twice or forgotten.
 * Whoever calls this begins with it: no order of this process may be under way. Answers when to look again, as an order may
 * still be on its way; infinity: no sooner than usual.
 */
export async function takeOver(parts: SupplyParts, signal: AbortSignal): Promise<number> {
  const { store, demand, clock, log } = parts
  const found = await demand.provider.list(signal)
  const rows = new Map((await store.instances.list()).map((row) => [row.id, row]))
  const kept = new Set<string>()
  for (const each of found) {
    const row = rows.get(each.id)
    if (!row || !isOf(row, each) || kept.has(row.id)) {
      log.warn({ instance: each.id, provider: each.providerId }, 'instance that nobody knows is deleted')
      await demand.provider.delete(each.providerId, signal)
      continue
    }
    kept.add(row.id)
    if (row.providerId === null) await store.instances.update(row.id, { providerId: each.providerId })
  }
  let againAt = Number.POSITIVE_INFINITY
  for (const row of rows.values()) {
    if (row.state !== 'booting' || row.providerId !== null || kept.has(row.id)) continue
    const lateAt = row.since + demand.provider.lateMs
    if (clock.now() < lateAt) againAt = Math.min(againAt, lateAt)
    // Nobody made it. Should its order come all the same, its token is no longer the one.
    else await store.instances.update(row.id, { state: 'wanted', tokenId: null, since: clock.now() })
  }
  return againAt
}

/** Of those that boot, the ones that the provider says have failed or are gone. */
export async function failedBoots(parts: SupplyParts, signal: AbortSignal): Promise<void> {
  const { store, demand, clock } = parts
  const booting = (await store.instances.list()).filter(({ state, providerId }) => state === 'booting' && providerId)
  if (booting.length === 0) return
  const found = new Map((await demand.provider.list(signal)).map((each) => [each.providerId, each]))
  for (const { id, providerId, name } of booting) {
    const seen = found.get(providerId ?? '')
    const problem = seen ? seen.problem : 'it is gone'
    if (problem === null) continue
    const reason = `${name} does not boot: ${problem}`
    // Unless its agent has joined meanwhile.
    await store.transaction(async (tables) => {
      if ((await tables.instances.get(id))?.state !== 'booting') return
      await tables.instances.update(id, { state: 'reaping', reason, refused: true, since: clock.now() })
    })
  }
}

function isOf(row: Instance, { providerId, tokenId }: FoundInstance): boolean {
  if (row.state === 'failed' || row.state === 'wanted') return false
  return row.providerId === null ? row.tokenId === tokenId : row.providerId === providerId
}
