import type { NewVolume } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, HostId, Volume, VolumeId } from '@gantry/model'
import { chooseHost, requireHost, type VolumeHost } from './choose-host.ts'
import { enforceLimits } from './limits.ts'
import { type Origin, originOf } from './origins.ts'
import { checkName, checkSize, invalid, type Work } from './parts.ts'

/** Writes a volume as a user asked for it; its host is told once the transaction is over. */
export async function createVolume(
  work: Work,
  known: readonly VolumeHost[],
  caller: Caller,
  input: NewVolume,
): Promise<Volume> {
  const { tables, clock, ids, limits, changed } = work
  checkName(input.name, 'volume')
  refuseUnknown(input)
  const origin = await originOf(tables, caller, input)
  const size = checkSize(input.size ?? origin?.size ?? Number.NaN)
  if (origin && size < origin.size) {
    throw invalid(`The volume must have at least the ${origin.size} GiB of ${origin.words}.`)
  }
  await enforceLimits(tables, limits, caller.projectId, { resource: 'volumes', gigabytes: size })
  // A shared one is made where its first container will be: two of one container must meet on a host.
  const waits = input.shared === true && origin === null && input.availabilityZone === undefined
  const volume: Volume = {
    id: ids.uuid() as VolumeId,
    projectId: caller.projectId,
    userId: caller.userId,
    name: input.name,
    size,
    status: waits ? 'available' : 'creating',
    statusReason: null,
    hostId: waits ? null : await hostFor(work, known, { size, origin, zone: input.availabilityZone }),
    containerId: null,
    snapshotId: null,
    ...origin?.fields,
    ephemeral: false,
    ...(input.shared === true && { shared: true }),
    ...(input.labels && { labels: input.labels }),
    ...(input.options && { options: input.options }),
    createdAt: clock.now(),
  }
  await tables.volumes.insert(volume)
  if (!waits) changed(volume)
  return volume
}

interface Wanted {
  readonly size: number
  readonly origin: Origin | null
  readonly zone: string | undefined
}

/** A copy is made where the data is; anything else wherever there is room. */
async function hostFor(
  { tables }: Work,
  known: readonly VolumeHost[],
  { size, origin, zone }: Wanted,
): Promise<HostId> {
  if (!origin?.hostId) return chooseHost(tables, known, { size, zone })
  const { hostId } = origin
  if (zone !== undefined && known.some((host) => host.id === hostId && host.zone !== zone)) {
    throw invalid(`The data of ${origin.words} is not in zone ${zone}; only a backup can be brought there.`)
  }
  await requireHost(tables, known, hostId, size)
  return hostId
}

/** What only another service could do. */
function refuseUnknown({ backend, type, multiattach, fsType }: NewVolume): void {
  if (backend !== undefined && backend !== 'local') {
    throw invalid(`This cloud has no ${backend}; its volumes are on the disks of its hosts (local).`)
  }
  const refuse = (feature: string, reason: string) => new Fault('request.unsupported', { feature, reason })
  if (type !== undefined) throw refuse('A volume type', 'volumes are on the disks of the hosts, and all of one kind')
  if (multiattach === true) {
    throw refuse('A volume for several hosts', 'volumes are on the disk of one host; containers there can share one')
  }
  if (fsType !== undefined && fsType !== 'ext4') {
    throw refuse(`The file system ${fsType}`, 'volumes on the disks of the hosts have ext4')
  }
}
