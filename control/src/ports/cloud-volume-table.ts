import type { ContainerId, HostId, ProjectId, UserId, VolumeBackendName, VolumeId } from '@gantry/model'

/** What is known here, and nowhere else, of a volume that another service keeps. Only of those that were made here or mounted. */
export interface CloudVolume {
  /** The service's. */
  readonly id: VolumeId
  readonly backend: Exclude<VolumeBackendName, 'local'>
  readonly projectId: ProjectId
  readonly userId: UserId
  /** GiB, as last heard. */
  readonly size: number
  /** For which it was made; null: for none. */
  readonly containerId: ContainerId | null
  /** Goes with the last container that has it. */
  readonly ephemeral: boolean
  /** Several containers may have it, all on one host. */
  readonly shared: boolean
  /** Several hosts may reach it at once. */
  readonly multiattach: boolean
  /** Made here with nothing in it, and not mounted since. */
  readonly blank: boolean
  /** Made elsewhere with nothing in it, and never mounted by us: whoever made it may have written to it. */
  readonly maybeBlank: boolean
  readonly fsType: string
  /** null: no Docker client made it. */
  readonly labels: Readonly<Record<string, string>> | null
  readonly options: Readonly<Record<string, string>> | null
  /** To be deleted at the service. */
  readonly leaving: boolean
  readonly createdAt: number
}

/**
 * A volume that is kept for containers, and later is on the host of them. The row is written before the service is asked, so
 * that nothing is forgotten by whoever dies in between.
 */
export interface CloudAttachment {
  readonly id: string
  readonly volumeId: VolumeId
  /** A UUID by which the service knows whose it is: of the container that it was first for. */
  readonly owner: string
  /** The service's id of it; null: none yet, or none any more. */
  readonly serviceId: string | null
  /** null: its containers are nowhere yet. */
  readonly hostId: HostId | null
  /** Mounted to be written; of one that is not, several hosts may have one each. */
  readonly writable: boolean
  /** What its host needs to reach the volume; null: not connected. */
  readonly sealedConnection: string | null
  /** The host has said that it is mounted. */
  readonly mounted: boolean
  /** The service was told so. */
  readonly completed: boolean
  /** It is reserved by us and not on a user's errand: its container has moved, or it was lost at the service. */
  readonly byService: boolean
  /** To be given back. */
  readonly leaving: boolean
  /** Why it is not connected although it should be, as a sentence. */
  readonly problem: string | null
  readonly createdAt: number
}

/** That a container has a volume, or is going to. */
export interface CloudHolder {
  readonly containerId: ContainerId
  readonly volumeId: VolumeId
  /** `CloudAttachment.id`. */
  readonly attachmentId: string
  readonly readOnly: boolean
  readonly createdAt: number
}

export interface CloudVolumeTable {
  /** False: there is a row of that id, which stays as it is. */
  insert(volume: CloudVolume): Promise<boolean>
  get(id: VolumeId): Promise<CloudVolume | undefined>
  getMany(ids: readonly VolumeId[]): Promise<CloudVolume[]>
  /** Those that were made for it. */
  madeFor(containerId: ContainerId): Promise<CloudVolume[]>
  update(id: VolumeId, change: Partial<Omit<CloudVolume, 'id'>>): Promise<void>
  remove(id: VolumeId): Promise<void>
  leaving(): Promise<CloudVolume[]>
  list(): Promise<CloudVolume[]>
}

/** Lists are ordered by age. */
export interface CloudAttachmentTable {
  insert(attachment: CloudAttachment): Promise<void>
  get(id: string): Promise<CloudAttachment | undefined>
  ofVolume(id: VolumeId): Promise<CloudAttachment[]>
  ofVolumes(ids: readonly VolumeId[]): Promise<CloudAttachment[]>
  ofHost(hostId: HostId): Promise<CloudAttachment[]>
  update(id: string, change: Partial<Omit<CloudAttachment, 'id' | 'volumeId'>>): Promise<void>
  remove(id: string): Promise<void>
  /** Of which something is to be done at the service: to be reserved, given back, connected or completed. */
  due(): Promise<CloudAttachment[]>
  list(): Promise<CloudAttachment[]>
}

/** Lists are ordered by age. */
export interface CloudHolderTable {
  /** There is one for each container and volume: an earlier one is replaced. */
  put(holder: CloudHolder): Promise<void>
  ofContainer(id: ContainerId): Promise<CloudHolder[]>
  ofAttachment(id: string): Promise<CloudHolder[]>
  ofVolume(id: VolumeId): Promise<CloudHolder[]>
  ofVolumes(ids: readonly VolumeId[]): Promise<CloudHolder[]>
  remove(containerId: ContainerId, volumeId: VolumeId): Promise<void>
  list(): Promise<CloudHolder[]>
}
