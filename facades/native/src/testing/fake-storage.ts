import { randomUUID } from 'node:crypto'
import type { MountRequest, NewVolume, VolumeVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  Backup,
  BackupId,
  Caller,
  ContainerId,
  HostId,
  Mount,
  Snapshot,
  SnapshotId,
  Volume,
  VolumeId,
} from '@gantry/model'
import { Shelf } from './shelf.ts'

const named = ({ name }: { name: string }): string[] => [name]

/** Volumes in memory, made and gone at once. */
export class FakeStorage {
  readonly volumes = new Shelf<Volume>('volume', 'volume.not-found', named)
  readonly snapshots = new Shelf<Snapshot>('snapshot', 'volume.not-found', named)
  readonly backups = new Shelf<Backup>('backup', 'volume.not-found', named)

  mount(caller: Caller, containerId: ContainerId, asked: readonly MountRequest[] = []): Mount[] {
    return asked.map((mount) => {
      const { destination } = mount
      if (mount.kind === 'file') return { kind: 'file', destination, content: mount.content }
      const { id, status } =
        mount.kind === 'new' ? this.#volume(caller, '', mount.size, true) : this.volumes.find(caller, mount.source)
      if (status !== 'available')
        throw new Fault('volume.in-use', { type: 'volume', ref: id, reason: `it is ${status}` })
      this.volumes.change(caller, id, { status: 'in-use', containerId })
      return { kind: 'volume', volumeId: id, destination, readOnly: mount.readOnly }
    })
  }

  unmount(caller: Caller, mounts: readonly Mount[]): void {
    for (const mount of mounts) {
      if (mount.kind === 'file') continue
      const { id, ephemeral } = this.volumes.find(caller, mount.volumeId)
      if (ephemeral) this.volumes.remove(caller, id)
      else this.volumes.change(caller, id, { status: 'available', containerId: null })
    }
  }

  #volume(caller: Caller, name: string, size: number, ephemeral: boolean): Volume {
    const { projectId, userId } = caller
    const nowhere = { statusReason: null, hostId: 'h1' as HostId, containerId: null, snapshotId: null }
    const id = randomUUID() as VolumeId
    const made: Volume = { id, projectId, userId, name, size, status: 'available', ...nowhere, ephemeral, createdAt: 0 }
    return this.volumes.add(made)
  }

  /** What a new one begins with: a volume, a snapshot or a backup, all of which have a size. */
  #originOf(caller: Caller, { snapshot, volume, backup }: NewVolume): { from: Partial<Volume>; size?: number } {
    if (snapshot !== undefined) {
      const { id, size } = this.snapshots.find(caller, snapshot)
      return { from: { snapshotId: id }, size }
    }
    if (volume !== undefined) {
      const { id, size } = this.volumes.find(caller, volume)
      return { from: { sourceVolumeId: id }, size }
    }
    return backup === undefined ? { from: {} } : { from: {}, size: this.backups.find(caller, backup).size }
  }

  /** A copy of a volume of any kind. */
  #copy(caller: Caller, ref: string, name: string) {
    const { id: volumeId, size, projectId } = this.volumes.find(caller, ref)
    return { projectId, name, volumeId, size, status: 'available', statusReason: null, createdAt: 0 } as const
  }

  readonly verbs: VolumeVerbs = {
    volumes: {
      create: async (caller, asked) => {
        const { from, size = asked.size } = this.#originOf(caller, asked)
        if (size === undefined) throw new Fault('request.invalid', { problem: 'A volume needs a size.' })
        const { backend, type, multiattach } = asked
        return this.volumes.add({
          ...this.#volume(caller, asked.name, asked.size ?? size, false),
          ...from,
          ...(backend && { backend }),
          ...(type && { volumeType: type }),
          ...(multiattach && { multiattach }),
        })
      },
      list: async (caller, options) => this.volumes.list(caller, options?.allProjects),
      get: async (caller, ref) => this.volumes.find(caller, ref),
      rename: async (caller, ref, name) => this.volumes.change(caller, ref, { name }),
      extend: async (caller, ref, size) => {
        const { size: now } = this.volumes.find(caller, ref)
        if (size <= now) throw new Fault('request.invalid', { problem: `It has ${now} GiB already.` })
        return this.volumes.change(caller, ref, { size })
      },
      delete: async (caller, ref) => {
        const { status } = this.volumes.find(caller, ref)
        if (status === 'in-use') throw new Fault('volume.in-use', { type: 'volume', ref, reason: 'a container has it' })
        this.volumes.remove(caller, ref)
      },
    },
    snapshots: {
      create: async (caller, ref, name) => {
        const id = randomUUID() as SnapshotId
        return this.snapshots.add({ id, ...this.#copy(caller, ref, name), hostId: 'h1' as HostId })
      },
      list: async (caller) => this.snapshots.list(caller),
      get: async (caller, ref) => this.snapshots.find(caller, ref),
      delete: async (caller, ref) => void this.snapshots.remove(caller, ref),
    },
    backups: {
      create: async (caller, ref, name) =>
        this.backups.add({ id: randomUUID() as BackupId, ...this.#copy(caller, ref, name) }),
      list: async (caller) => this.backups.list(caller),
      get: async (caller, ref) => this.backups.find(caller, ref),
      delete: async (caller, ref) => void this.backups.remove(caller, ref),
    },
  }
}
