import type { Container, HostFacts } from '@gantry/model'
import type { Policy } from '../deps.ts'

/**
 * Between the moment at which a host without a server has certainly begun to stop a container and the one at which it runs
 * elsewhere: time to notice, to stop it and to kill it. Seconds.
 */
export const leaseMargin = 10

/**
 * For how many seconds a container may run on a host that no server reaches; null: for ever. It is settled when a container is
 * placed and stays as long as it is there, so that no host can run it that was told anything else.
 */
export function leaseFor(
  { evacuate, evacuateAfterSeconds }: Pick<Policy, 'evacuate' | 'evacuateAfterSeconds'>,
  { spec, mounts }: Pick<Container, 'spec' | 'mounts'>,
  facts: Pick<HostFacts, 'leases'>,
): number | null {
  if (facts.leases !== true || !isWanted(evacuate, spec)) return null
  // Stopping a process does not stop its last writes from reaching a volume.
  if (mounts.some(({ kind }) => kind === 'volume')) return null
  const seconds = evacuateAfterSeconds - leaseMargin
  return seconds > 0 ? seconds : null
}

/** Whether a container is to be made anew elsewhere when its host is lost. */
export function isWanted(evacuate: Policy['evacuate'], { autoHeal }: Container['spec']): boolean {
  return evacuate === 'all' || (evacuate === 'auto' && autoHeal)
}
