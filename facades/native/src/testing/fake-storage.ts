import { randomUUID } from 'node:crypto'
import type { MountRequest, VolumeVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId, HostId, Mount, Snapshot, SnapshotId, Volume, VolumeId } from '@gantry/model'
import { Shelf } from './shelf.ts'

const named = ({ name }: { name: string }): string[] => [name]

/** Volumes in memory, made and gone at once. */
export class FakeStorage {
  readonly volumes = new Shelf<Volume>('volume', 'volume.not-found', named)
  readonly snapshots = new Shelf<Snapshot>('snapshot', 'volume.not-found', named)

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

  readonly verbs: VolumeVerbs = {
    volumes: {
      create: async (caller, { name, size, snapshot }) => {
        const from = snapshot === undefined ? undefined : this.snapshots.find(caller, snapshot)
        const asked = size ?? from?.size
        if (asked === undefined) throw new Fault('request.invalid', { problem: 'A volume needs a size.' })
        return this.volumes.add({ ...this.#volume(caller, name, asked, false), snapshotId: from?.id ?? null })
      },
      list: async (caller, options) => this.volumes.list(caller, options?.allProjects),
      get: async (caller, ref) => this.volumes.find(caller, ref),
      rename: async (caller, ref, name) => this.volumes.change(caller, ref, { name }),
      delete: async (caller, ref) => {
        const { status } = this.volumes.find(caller, ref)
        if (status === 'in-use') throw new Fault('volume.in-use', { type: 'volume', ref, reason: 'a container has it' })
        this.volumes.remove(caller, ref)
      },
    },
    snapshots: {
      create: async (caller, ref, name) => {
        const { id: volumeId, size, projectId } = this.volumes.find(caller, ref)
        const id = randomUUID() as SnapshotId
        const rest = { status: 'available', statusReason: null, hostId: 'h1' as HostId, createdAt: 0 } as const
        return this.snapshots.add({ id, projectId, name, volumeId, size, ...rest })
      },
      list: async (caller) => this.snapshots.list(caller),
      get: async (caller, ref) => this.snapshots.find(caller, ref),
      delete: async (caller, ref) => void this.snapshots.remove(caller, ref),
    },
  }
}
