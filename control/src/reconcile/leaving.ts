import { reasonOf } from '@gantry/kernel'
import type { ContainerId, HostId } from '@gantry/model'
import type { ReportDeps } from './reports.ts'

/**
 * A host no longer has a container. What it had of other services is given back first, so that who has waited for the container
 * to be gone can delete its network or use its volume at once. Answers right away: a host's reports are taken one after the
 * other.
 */
export async function applyGone(
  deps: ReportDeps,
  hostId: HostId,
  id: ContainerId,
  write: () => Promise<void>,
): Promise<void> {
  const { networks, volumes, store, log } = deps
  const isAlone = networks.remote === null && volumes.remote === null
  const container = isAlone ? undefined : await store.containers.get(id)
  if (!container || container.hostId !== hostId || container.wish.gone === null) {
    return write()
  }
  Promise.all([container.nics.length > 0 && networks.remote?.leave(id, container.nics), volumes.remote?.leave(id)])
    .then(write)
    .catch((error: unknown) => {
      log.error(
        { container: id, reason: reasonOf(error) },
        'a container that is gone was not forgotten; its host says so again',
      )
    })
}
