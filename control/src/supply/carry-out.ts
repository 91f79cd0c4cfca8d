import { Fault, reasonOf } from '@gantry/kernel'
import { hostLock, placementLock } from '../ports/store.ts'
import type { Instance } from '../ports/instance-table.ts'
import { forgetHost } from '../usecases/hosts.ts'
import { labelsOf } from './imagined-fleet.ts'
import { hostOf } from './instance-states.ts'
import type { SupplyParts } from './supply-parts.ts'

/** Orders one that is wanted. That it was ordered is written before, and what it is called after. */
export async function boot(parts: SupplyParts, { id, name, projectId }: Instance, signal: AbortSignal): Promise<void> {
  const { store, clock, demand, log } = parts
  const { provider, policy } = demand
  const { id: tokenId, token } = await demand.issueToken(policy.bootTimeoutMs)
  await store.instances.update(id, { state: 'booting', tokenId, since: clock.now() })
  const labels = labelsOf(policy)
  const made = await outcome(provider.create({ id, name, projectId, token, tokenId, labels }, signal))
  if (made.kind === 'made') {
    await store.instances.update(id, { providerId: made.providerId })
    log.info({ instance: id, name, provider: made.providerId }, 'instance ordered')
    return
  }
  // A closing server says nothing about the order, which its successor finds or repeats.
  if (signal.aborted) return
  const { reason, refused } = made
  log.warn({ instance: id, reason }, 'no instance')
  // Deleted before it is tried again: the order may have been taken all the same.
  await store.instances.update(id, { state: 'reaping', reason, refused, since: clock.now() })
}

type Made =
  | { readonly kind: 'made'; readonly providerId: string }
  | { readonly kind: 'not'; readonly reason: string; readonly refused: boolean }

async function outcome(making: Promise<string>): Promise<Made> {
  try {
    return { kind: 'made', providerId: await making }
  } catch (error) {
    const isFault = error instanceof Fault
    return {
      kind: 'not',
      reason: isFault ? error.message : reasonOf(error),
      refused: isFault && error.code === 'compute.refused',
    }
  }
}

/** Deletes one, its host and, unless it is to tell why it failed, its row. */
export async function reap(parts: SupplyParts, instance: Instance, signal: AbortSignal): Promise<void> {
  const { store, clock, demand, log } = parts
  const { id, providerId, reason } = instance
  const found = providerId === null ? await demand.provider.list(signal) : [{ id, providerId }]
  for (const each of found) if (each.id === id) await demand.provider.delete(each.providerId, signal)
  const hostId = hostOf(instance)
  await store.transaction(
    async (tables) => {
      if (await tables.hosts.get(hostId)) await forgetHost(tables, hostId)
      if (reason === null) await tables.instances.remove(id)
      else await tables.instances.update(id, { state: 'failed', since: clock.now() })
    },
    [placementLock, hostLock(hostId)],
  )
  log.info({ instance: id, name: instance.name, reason: reason ?? 'idle' }, 'instance deleted')
}
