import { Fault } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import { listHosts } from '../hosts.ts'

/** Where something is made of images: the connected host that has the fewest containers. */
export async function hostForImages(deps: Deps): Promise<HostId> {
  const hosts = (await listHosts(deps)).filter(
    ({ connected, disabled, forcedDown }) => connected && !disabled && !forcedDown,
  )
  const loads = await Promise.all(
    hosts.map(async ({ id }) => ({ id, count: (await deps.store.containers.ofHost(id)).length })),
  )
  const [least] = loads.toSorted((one, other) => one.count - other.count)
  if (!least) throw new Fault('placement.no-host', { reasons: 'none is connected' })
  return least.id
}
