import type {
  Backup,
  Caller,
  ContainerId,
  HostId,
  Mount,
  ProjectId,
  Snapshot,
  SnapshotId,
  Volume,
  VolumeBackendName,
  VolumeId,
  VolumePlan,
  VolumeReport,
} from '@gantry/model'
import type { Tables } from './store.ts'

/**
 * Volumes as a tenant sees them, and as the life of a container needs them. Implemented by the embedded provider, and by one
 * on Cinder. A `ref` is an id or a name; two of a name are `volume.ambiguous`.
 */
export interface VolumeProvider extends VolumeVerbs, ContainerVolumes {
  /** What hosts must make, reach and take away. */
  readonly source: VolumeSource
  /** What must be asked of another service before a transaction; null: everything happens within. */
  readonly remote: RemoteVolumes | null
}

/**
 * Volumes that other services keep, asked with the caller's own rights before the transaction which writes the container. What
 * was made for a container that is then never written is found by the provider's own sweep; `drop` spares the wait. Every call
 * may be repeated.
 */
export interface RemoteVolumes {
  /** As `ContainerVolumes.reserve`, which is then given the answer. */
  make(caller: Caller, containerId: ContainerId, mounts: readonly MountRequest[]): Promise<MadeVolumes>
  /** Takes back what `make` did, unless a container has it by now. Rejects with nothing. */
  drop(containerId: ContainerId, made: MadeVolumes): Promise<void>
  /**
   * The container is gone from its host and about to be forgotten, or to be placed elsewhere: gives back what it alone held, as
   * far as that can be done within a few seconds; `release` sees to the rest. Rejects with nothing.
   */
  leave(containerId: ContainerId): Promise<void>
}

/** The volume of each request, by the very object that asked for it. */
export type MadeVolumes = ReadonlyMap<MountRequest, VolumeId>

export interface VolumeVerbs {
  readonly volumes: {
    /** Answers with status `creating`. Its data lives on one host; undefined: any that is up and has room. */
    create(caller: Caller, input: NewVolume): Promise<Volume>
    list(caller: Caller, options?: { readonly allProjects?: boolean }): Promise<Volume[]>
    get(caller: Caller, ref: string): Promise<Volume>
    rename(caller: Caller, ref: string, name: string): Promise<Volume>
    /** To so many GiB, more than it has; also while a container has it. */
    extend(caller: Caller, ref: string, size: number): Promise<Volume>
    /** `volume.in-use` while a container has it or a snapshot is being made of it. */
    delete(caller: Caller, ref: string): Promise<void>
  }
  readonly snapshots: {
    create(caller: Caller, volume: string, name: string): Promise<Snapshot>
    list(caller: Caller): Promise<Snapshot[]>
    get(caller: Caller, ref: string): Promise<Snapshot>
    delete(caller: Caller, ref: string): Promise<void>
  }
  /** Copies kept away from the volume; a new volume is made from one with `NewVolume.backup`. */
  readonly backups: {
    /** Of a volume as it is now, also while a container has it. */
    create(caller: Caller, volume: string, name: string): Promise<Backup>
    list(caller: Caller): Promise<Backup[]>
    get(caller: Caller, ref: string): Promise<Backup>
    delete(caller: Caller, ref: string): Promise<void>
  }
}

export interface NewVolume {
  readonly name: string
  /** GiB; with a snapshot at least its size, which is also the default. Without one it must be given. */
  readonly size?: number
  readonly snapshot?: string
  /** Another volume, or a backup, whose data it begins with; at most one of the three. The size is as with a snapshot. */
  readonly volume?: string
  readonly backup?: string
  /** The service that is to keep it; undefined: the first that the cloud has. `request.invalid` if there is no such service. */
  readonly backend?: VolumeBackendName
  /** A kind of storage, by name or id; only where another service keeps it. */
  readonly type?: string
  /** Several hosts are to reach it at once; a `type` that allows it is chosen. */
  readonly multiattach?: boolean
  /** The file system a new one is given, `ext4` unless told; only where another service keeps it. */
  readonly fsType?: string
  readonly availabilityZone?: string
  readonly description?: string
  /** Several containers may have it at once; it gets its host with the first of them. Not with a snapshot. */
  readonly shared?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly options?: Readonly<Record<string, string>>
  /** For other clients of the service that keeps it. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** One mount that a user asked for. */
export type MountRequest =
  | {
      readonly kind: 'volume'
      readonly source: string
      readonly destination: string
      readonly readOnly: boolean
      /** While nothing was ever written to it, it begins with what the image has at its place. */
      readonly fill?: boolean
    }
  /** A new volume of so many GiB that goes with the container, unless it is to be kept. */
  | {
      readonly kind: 'new'
      readonly size: number
      readonly destination: string
      readonly readOnly: boolean
      /** Requests of one capsule with the same word are one volume. */
      readonly share?: string
      /** It stays when its container goes. */
      readonly keep?: boolean
      /** Other containers may be given it later; it goes with the last one that has it. */
      readonly shared?: boolean
      readonly labels?: Readonly<Record<string, string>>
      readonly fill?: boolean
    }
  /** A file with this content, in base64. */
  | { readonly kind: 'file'; readonly content: string; readonly destination: string }

/** Each call is made inside the transaction that writes the container. */
export interface ContainerVolumes {
  /** Takes the volumes for a new container. Faults: `volume.not-found`, `volume.in-use`, `volume.state`, `quota.exceeded`. */
  reserve(
    tables: Tables,
    caller: Caller,
    containerId: ContainerId,
    mounts: readonly MountRequest[],
    made?: MadeVolumes,
  ): Promise<Mount[]>
  /** The only host where these mounts can be had; null: any. Two hosts: a fault that says so. */
  hostOf(tables: Tables, mounts: readonly Mount[]): Promise<HostId | null>
  place(tables: Tables, containerId: ContainerId, hostId: HostId): Promise<void>
  /** Throws `volume.bound`, which names one, if the container has volumes that cannot leave its host. */
  mayLeave(tables: Tables, containerId: ContainerId): Promise<void>
  /** The container leaves its host for another, which is not known yet: it keeps its volumes, and they are taken off that host. */
  displace(tables: Tables, containerId: ContainerId): Promise<void>
  /** Everything the container held is given back; what was made for it is deleted. May be called again. */
  release(tables: Tables, containerId: ContainerId): Promise<void>
}

export interface VolumeSource {
  /** Everything that is, or is to be deleted, on a host. */
  ofHost(hostId: HostId): Promise<VolumePlan[]>
  /** The plans of a container's volumes on its host. */
  ofMounts(mounts: readonly Mount[], hostId: HostId): Promise<VolumePlan[]>
  /** What that host is to be told of one volume or snapshot; nothing if it has no part in it. */
  ofOne(hostId: HostId, id: string): Promise<VolumePlan[]>
  onChange(listener: (hostId: HostId, plan: VolumePlan) => void): void
  report(hostId: HostId, report: VolumeReport): Promise<void>
}

/** What the embedded volume provider keeps. Lists are ordered by age. */
export interface VolumeTables {
  readonly volumes: {
    insert(volume: Volume): Promise<void>
    get(id: VolumeId): Promise<Volume | undefined>
    getMany(ids: readonly VolumeId[]): Promise<Volume[]>
    /** null: of every project. */
    list(project: ProjectId | null): Promise<Volume[]>
    ofHost(hostId: HostId): Promise<Volume[]>
    /** What it has alone or shares. */
    ofContainer(id: ContainerId): Promise<Volume[]>
    /** The containers that a shared one is held by. */
    holdersOf(id: VolumeId): Promise<ContainerId[]>
    /** May be repeated, as may `letGo`. */
    hold(id: VolumeId, container: ContainerId): Promise<void>
    letGo(id: VolumeId, container: ContainerId): Promise<void>
    update(id: VolumeId, change: Partial<Omit<Volume, 'id' | 'projectId' | 'userId' | 'createdAt'>>): Promise<void>
    remove(id: VolumeId): Promise<void>
    /** Count and GiB. */
    usageOf(project: ProjectId): Promise<{ volumes: number; gigabytes: number }>
  }
  readonly snapshots: {
    insert(snapshot: Snapshot): Promise<void>
    get(id: SnapshotId): Promise<Snapshot | undefined>
    list(project: ProjectId | null): Promise<Snapshot[]>
    ofHost(hostId: HostId): Promise<Snapshot[]>
    ofVolume(id: VolumeId): Promise<Snapshot[]>
    update(id: SnapshotId, change: Partial<Pick<Snapshot, 'name' | 'status' | 'statusReason'>>): Promise<void>
    remove(id: SnapshotId): Promise<void>
    countOf(project: ProjectId): Promise<number>
  }
}
