import { Fault } from '@gantry/kernel'
import type { Caller, HostId } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import { listHosts } from '../hosts.ts'

/** Where a new image of the project's goes: beside those that it has, or to any host that is connected. */
export async function hostForImages(deps: Deps, { projectId }: Caller): Promise<HostId> {
  const hosts = (await listHosts(deps)).filter(
    ({ connected, disabled, forcedDown }) => connected && !disabled && !forcedDown,
  )
  const rows = await deps.store.images.list(projectId)
  const newest = rows
    .toReversed()
    .find((row) => row.projectId === projectId && hosts.some(({ id }) => id === row.hostId))
  const [first] = hosts
  if (newest) return newest.hostId
  if (!first) throw new Fault('placement.no-host', { reasons: 'none is connected' })
  return first.id
}
