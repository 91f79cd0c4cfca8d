import type { NewVolume, VolumeVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Volume, VolumeId } from '@gantry/model'
import { chooseHost, requireHost, type VolumeHost } from './choose-host.ts'
import { enforceLimits } from './limits.ts'
import { checkName, checkSize, invalid, type Parts, transact, type Work } from './parts.ts'
import { called, snapshotBy, volumeBy } from './sight.ts'

export function volumeVerbs(parts: Parts): VolumeVerbs['volumes'] {
  const { store, hosts } = parts
  return {
    create: async (caller, input) => {
      const known = await hosts()
      return transact(parts, (work) => create(work, known, caller, input))
    },
    list: async (caller, { allProjects = false } = {}) => {
      if (allProjects && !caller.isAdmin) {
        throw new Fault('policy.forbidden', { action: 'Listing all projects', reason: 'it needs the admin role' })
      }
      const known = await hosts()
      const volumes = await store.volumes.list(allProjects ? null : caller.projectId)
      return volumes.map((volume) => withReason(volume, known))
    },
    get: async (caller, ref) => withReason(await volumeBy(store, caller, ref), await hosts()),
    rename: (caller, ref, name) =>
      transact(parts, async ({ tables }) => {
        checkName(name, 'volume')
        const volume = await volumeBy(tables, caller, ref)
        await tables.volumes.update(volume.id, { name })
        return { ...volume, name }
      }),
    delete: async (caller, ref) => {
      const known = await hosts()
      await transact(parts, async (work) => remove(work, known, await volumeBy(work.tables, caller, ref)))
    },
  }
}

async function create(work: Work, known: readonly VolumeHost[], caller: Caller, input: NewVolume): Promise<Volume> {
  const { tables, clock, ids, limits, changed } = work
  checkName(input.name, 'volume')
  const snapshot = input.snapshot === undefined ? null : await snapshotBy(tables, caller, input.snapshot)
  if (snapshot && snapshot.status !== 'available') {
    const { status } = snapshot
    throw new Fault('volume.state', { type: 'snapshot', ref: called(snapshot), status, needed: 'available' })
  }
  const size = checkSize(input.size ?? snapshot?.size ?? Number.NaN)
  if (snapshot && size < snapshot.size) {
    throw invalid(`The volume must have at least the ${snapshot.size} GiB of snapshot ${called(snapshot)}.`)
  }
  await enforceLimits(tables, limits, caller.projectId, { resource: 'volumes', size })
  if (snapshot) await requireHost(tables, known, snapshot.hostId, size)
  const waits = input.shared === true && snapshot === null
  const volume: Volume = {
    id: ids.uuid() as VolumeId,
    projectId: caller.projectId,
    userId: caller.userId,
    name: input.name,
    size,
    // A shared one is made where its first container will be: two of one container must meet on a host.
    status: waits ? 'available' : 'creating',
    statusReason: null,
    hostId: waits ? null : (snapshot?.hostId ?? (await chooseHost(tables, known, size))),
    containerId: null,
    snapshotId: snapshot?.id ?? null,
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

async function remove({ tables, changed }: Work, known: readonly VolumeHost[], volume: Volume): Promise<void> {
  const refuse = (reason: string) => new Fault('volume.in-use', { type: 'volume', ref: called(volume), reason })
  if (volume.containerId !== null) throw refuse(`container ${volume.containerId} has it`)
  const [holder] = await tables.volumes.holdersOf(volume.id)
  if (holder !== undefined) throw refuse(`container ${holder} has it`)
  const snapshots = await tables.snapshots.ofVolume(volume.id)
  if (snapshots.length > 0) throw refuse(`${snapshots.length} of its snapshots exist; delete those first`)
  // Nobody is left who could take the data away, or say that it is gone.
  if (!known.some(({ id }) => id === volume.hostId)) return tables.volumes.remove(volume.id)
  await tables.volumes.update(volume.id, { status: 'deleting', statusReason: null })
  changed(volume)
}

/** What the store cannot know: that the host of its data is away. */
function withReason(volume: Volume, known: readonly VolumeHost[]): Volume {
  if (volume.statusReason !== null || volume.hostId === null) return volume
  const host = known.find(({ id }) => id === volume.hostId)
  if (!host) return { ...volume, statusReason: 'The host of its data is no longer part of this cloud.' }
  return host.up ? volume : { ...volume, statusReason: 'The host of its data is not connected.' }
}
