import type { NewVolume, VolumeVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Volume, VolumeId } from '@gantry/model'
import type { KeptVolume, NewKeptVolume, VolumeBackend } from './backend.ts'
import { type MakerParts, noService, rowOf } from './make-volumes.ts'
import { called, checkName, checkSize, invalid, marks, type Parts } from './parts.ts'
import { backupBy, snapshotBy } from './piece-verbs.ts'
import { type Found, volumeBy } from './refs.ts'
import { viewsOf } from './volume-view.ts'

/** Volumes as their users ask for them, with their own rights. */
export function volumeVerbs(parts: MakerParts): VolumeVerbs['volumes'] {
  const { store, there } = parts
  const find = async (caller: Caller, ref: string) => volumeBy(await there(), caller, ref)
  return {
    create: (caller, input) => create(parts, caller, input),
    async list(caller, { allProjects = false } = {}) {
      if (allProjects && !caller.isAdmin) {
        throw new Fault('policy.forbidden', { action: 'Listing all projects', reason: 'it needs the admin role' })
      }
      const lists = (await there()).map(async (backend) => {
        const all = await backend.volumes.list(caller, { allProjects })
        return all.map((it) => ({ backend, it }))
      })
      const found = (await Promise.all(lists)).flat()
      return viewsOf(
        store,
        found.toSorted((a, b) => a.it.createdAt - b.it.createdAt || a.it.id.localeCompare(b.it.id)),
      )
    },
    get: async (caller, ref) => one(parts, await find(caller, ref)),
    async rename(caller, ref, name) {
      checkName(name, 'volume')
      const { backend, it } = await find(caller, ref)
      return one(parts, { backend, it: await backend.volumes.rename(caller, it.id, name) })
    },
    extend: async (caller, ref, size) => extend(parts, caller, await find(caller, ref), checkSize(size)),
    delete: async (caller, ref) => remove(parts, caller, await find(caller, ref)),
  }
}

async function one({ store }: Parts, found: Found<KeptVolume>): Promise<Volume> {
  const [view] = await viewsOf(store, [found])
  if (!view) throw new Fault('volume.not-found', { type: 'volume', ref: found.it.id })
  return view
}

const fileSystem = /^[a-z0-9]{2,16}$/

async function create(parts: MakerParts, caller: Caller, input: NewVolume): Promise<Volume> {
  checkName(input.name, 'volume')
  const { shared = false, labels, options, fsType = 'ext4' } = input
  if (!fileSystem.test(fsType)) throw invalid(`${fsType} is no file system.`)
  const backends = await parts.there()
  const { backend, source } = await sourceOf(backends, caller, input)
  const size = input.size === undefined ? source?.size : checkSize(input.size)
  if (size === undefined) throw invalid('The size of a new volume must be given, in GiB.')
  if (source && size < source.size) throw invalid(`The volume must have at least the ${source.size} GiB of its source.`)
  const body: NewKeptVolume = {
    name: input.name,
    size,
    ...source?.as,
    ...(input.type !== undefined && { type: input.type }),
    ...(input.multiattach !== undefined && { multiattach: input.multiattach }),
    ...(input.availabilityZone !== undefined && { availabilityZone: input.availabilityZone }),
    ...(input.description !== undefined && { description: input.description }),
    metadata: { ...input.metadata, [marks.deployment]: parts.deployment, ...(!source && { [marks.fsType]: fsType }) },
  }
  const it = await backend.volumes.create(caller, body)
  const row = { ...rowOf(parts, caller, { backend, it }), fsType, shared }
  const blank = row.blank && !source
  await parts.store.cloudVolumes.insert({ ...row, blank, labels: labels ?? null, options: options ?? null })
  return one(parts, { backend, it })
}

interface Source {
  /** GiB. */
  readonly size: number
  readonly as: Pick<NewKeptVolume, 'snapshot' | 'volume' | 'backup'>
}

/** Where the new volume is to be kept, and what it begins with. */
async function sourceOf(
  backends: readonly VolumeBackend[],
  caller: Caller,
  { snapshot, volume, backup, backend: name }: NewVolume,
): Promise<{ readonly backend: VolumeBackend; readonly source: Source | null }> {
  const given = [snapshot, volume, backup].filter((ref) => ref !== undefined)
  if (given.length > 1) throw invalid('A volume begins with one of: a snapshot, a volume, a backup.')
  const asked = name === undefined ? backends : backends.filter((backend) => backend.name === name)
  const [first] = asked
  if (!first) throw name === undefined ? noService() : noSuchService(name, backends)
  if (snapshot !== undefined) {
    const { backend, it } = await snapshotBy(asked, caller, snapshot)
    requireAvailable('snapshot', it)
    return { backend, source: { size: it.size, as: { snapshot: it.id } } }
  }
  if (volume !== undefined) {
    const { backend, it } = await volumeBy(asked, caller, volume)
    return { backend, source: { size: it.size, as: { volume: it.id } } }
  }
  if (backup !== undefined) {
    const { backend, it } = await backupBy(asked, caller, backup)
    requireAvailable('backup', it)
    return { backend, source: { size: it.size, as: { backup: it.id } } }
  }
  return { backend: first, source: null }
}

function requireAvailable(
  type: string,
  piece: { readonly id: string; readonly name: string; readonly status: string },
): void {
  const { status } = piece
  if (status === 'available') return
  throw new Fault('volume.state', { type, ref: called(piece), status, needed: 'available' })
}

function noSuchService(name: string, backends: readonly VolumeBackend[]): Fault {
  const others = backends.map((backend) => backend.name).join(' and ')
  return invalid(`This cloud does not keep volumes in ${name}${others === '' ? '' : `; it has ${others}`}.`)
}

async function extend(
  parts: MakerParts,
  caller: Caller,
  { backend, it }: Found<KeptVolume>,
  size: number,
): Promise<Volume> {
  if (size <= it.size) throw invalid(`Volume ${called(it)} has ${it.size} GiB; it can only become larger.`)
  await backend.volumes.extend(caller, it.id, size, it.status === 'in-use')
  const now = (await backend.volumes.get(caller, it.id)) ?? it
  await noteSize(parts, now)
  return one(parts, { backend, it: now })
}

/** Hosts that have it make its file system as large. */
export async function noteSize({ store, bells }: MakerParts, { id, size }: KeptVolume): Promise<void> {
  const volumeId = id as VolumeId
  const row = await store.cloudVolumes.get(volumeId)
  if (!row || row.size >= size) return
  await store.cloudVolumes.update(volumeId, { size })
  for (const { hostId, leaving } of await store.cloudAttachments.ofVolume(volumeId)) {
    if (hostId !== null && !leaving) bells.changed(hostId, volumeId)
  }
}

async function remove(parts: MakerParts, caller: Caller, { backend, it }: Found<KeptVolume>): Promise<void> {
  const { store, settle } = parts
  const id = it.id as VolumeId
  const [holder] = await store.cloudHolders.ofVolume(id)
  if (holder) {
    const reason = `container ${holder.containerId} has it`
    throw new Fault('volume.in-use', { type: 'volume', ref: called(it), reason })
  }
  // Its last container has just gone.
  if ((await store.cloudAttachments.ofVolume(id)).length > 0) await settle([id])
  await backend.volumes.remove(caller, it.id)
}
