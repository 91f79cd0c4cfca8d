import type { VolumeVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Backup, Caller, Snapshot } from '@gantry/model'
import type { KeptVolume, VolumeBackend } from './backend.ts'
import type { MakerParts } from './make-volumes.ts'
import { called, checkName } from './parts.ts'
import { type Found, pieceBy, volumeBy } from './refs.ts'

export function snapshotBy(backends: readonly VolumeBackend[], caller: Caller, ref: string): Promise<Found<Snapshot>> {
  return pieceBy('snapshot', backends, caller, ref, ({ snapshots }) => snapshots && sightOf(snapshots))
}

export function backupBy(backends: readonly VolumeBackend[], caller: Caller, ref: string): Promise<Found<Backup>> {
  return pieceBy('backup', backends, caller, ref, ({ backups }) => backups && sightOf(backups))
}

interface Pieces<T> {
  list(caller: Caller, filter: { readonly name?: string }): Promise<T[]>
  get(caller: Caller, id: string): Promise<T | null>
}

function sightOf<T>(pieces: Pieces<T>) {
  return {
    get: (caller: Caller, id: string) => pieces.get(caller, id),
    named: (caller: Caller, name: string) => pieces.list(caller, { name }),
  }
}

export function snapshotVerbs({ there }: MakerParts): VolumeVerbs['snapshots'] {
  return {
    async create(caller, ref, name) {
      checkName(name, 'snapshot')
      const { backend, it } = await source(await there(), caller, ref)
      if (!backend.snapshots) throw makesNone('A snapshot', backend)
      return backend.snapshots.create(caller, it.id, name, it.status === 'in-use')
    },
    list: async (caller) => listed(await there(), ({ snapshots }) => snapshots?.list(caller, {})),
    get: async (caller, ref) => (await snapshotBy(await there(), caller, ref)).it,
    async delete(caller, ref) {
      const { backend, it } = await snapshotBy(await there(), caller, ref)
      await backend.snapshots?.remove(caller, it.id)
    },
  }
}

export function backupVerbs({ there }: MakerParts): VolumeVerbs['backups'] {
  return {
    async create(caller, ref, name) {
      checkName(name, 'backup')
      const { backend, it } = await source(await there(), caller, ref)
      if (!backend.backups) throw makesNone('A backup', backend)
      return backend.backups.create(caller, it.id, name, it.status === 'in-use')
    },
    list: async (caller) => listed(await there(), ({ backups }) => backups?.list(caller, {})),
    get: async (caller, ref) => (await backupBy(await there(), caller, ref)).it,
    async delete(caller, ref) {
      const { backend, it } = await backupBy(await there(), caller, ref)
      await backend.backups?.remove(caller, it.id)
    },
  }
}

async function source(backends: readonly VolumeBackend[], caller: Caller, ref: string): Promise<Found<KeptVolume>> {
  const found = await volumeBy(backends, caller, ref)
  const { status } = found.it
  if (status === 'available' || status === 'in-use') return found
  throw new Fault('volume.state', { type: 'volume', ref: called(found.it), status, needed: 'available or in-use' })
}

/** Of all services, the oldest first. */
async function listed<T extends { readonly id: string; readonly createdAt: number }>(
  backends: readonly VolumeBackend[],
  list: (backend: VolumeBackend) => Promise<T[]> | undefined,
): Promise<T[]> {
  const lists = await Promise.all(backends.map(async (backend) => (await list(backend)) ?? []))
  return lists.flat().toSorted((a, b) => a.createdAt - b.createdAt || a.id.localeCompare(b.id))
}

function makesNone(feature: string, { noun, name }: VolumeBackend): Fault {
  return new Fault('request.unsupported', { feature, reason: `${name} makes none of a ${noun}` })
}
