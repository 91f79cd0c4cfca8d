import type { VolumeBackendName, VolumeStatus } from '@gantry/model'
import type { Backup, Caller, Connection, Snapshot } from '@gantry/model'

/**
 * A service of the cloud that keeps volumes: Cinder, or Manila for shares. What users ask is asked with their own rights
 * (`caller`), everything else with Gantry's. All reject with faults whose reason is the service's own, and with
 * `volume.not-found` for what is not there or not theirs to see.
 */
export interface VolumeBackend {
  readonly name: Exclude<VolumeBackendName, 'local'>
  /** In sentences: `volume`, `share`. */
  readonly noun: string
  /** Several hosts may write at once to each of its volumes. Otherwise only those that are `multiattach` are had twice at all. */
  readonly manyWriters: boolean
  /** The cloud has the service. Asks the catalog, not the service. */
  isThere(): Promise<boolean>

  readonly volumes: {
    create(caller: Caller, input: NewKeptVolume): Promise<KeptVolume>
    /** Without those that are gone but for a trace. */
    list(caller: Caller, filter: { readonly allProjects?: boolean; readonly name?: string }): Promise<KeptVolume[]>
    /** null: there is none that she may see. */
    get(caller: Caller, id: string): Promise<KeptVolume | null>
    rename(caller: Caller, id: string, name: string): Promise<KeptVolume>
    /** GiB. `inUse`: a container has it just now. */
    extend(caller: Caller, id: string, size: number, inUse: boolean): Promise<void>
    remove(caller: Caller, id: string): Promise<void>
  }
  /** null: it makes none. `hostId` of each is null. */
  readonly snapshots: {
    /** `inUse` as with `extend`. */
    create(caller: Caller, volumeId: string, name: string, inUse: boolean): Promise<Snapshot>
    list(caller: Caller, filter: { readonly name?: string }): Promise<Snapshot[]>
    get(caller: Caller, id: string): Promise<Snapshot | null>
    remove(caller: Caller, id: string): Promise<void>
  } | null
  /** null: it makes none. */
  readonly backups: {
    create(caller: Caller, volumeId: string, name: string, inUse: boolean): Promise<Backup>
    list(caller: Caller, filter: { readonly name?: string }): Promise<Backup[]>
    get(caller: Caller, id: string): Promise<Backup | null>
    remove(caller: Caller, id: string): Promise<void>
  } | null

  /** With Gantry's own rights. */
  readonly own: {
    get(id: string): Promise<KeptVolume | null>
    /** Resolves once it is on its way, or gone; may be repeated. */
    remove(id: string): Promise<void>
    /** Every volume, of any project, with this value of this key in its metadata. */
    marked(key: string, value: string): Promise<KeptVolume[]>
  }
  readonly attachments: Attachments
}

/** One volume on one host, from before the host is known until nothing is left there. Each call may be repeated. */
export interface Attachments {
  /**
   * The volume is kept for us from now on: nobody else gets it, if the service can see to that. Answers its id at the service
   * (a service that has no such thing answers `claim.owner`). null: with Gantry's own rights.
   */
  reserve(caller: Caller | null, claim: Claim): Promise<string>
  /** Lets the host reach it. Answers the id from now on, which may be another one, and what the host needs. */
  connect(
    id: string,
    claim: Claim,
    connector: Connector,
  ): Promise<{ readonly id: string; readonly connection: Connection }>
  /** The host has it mounted. */
  complete(id: string): Promise<void>
  /**
   * The host cannot reach it any more and the volume is free, also if there is no such attachment. `connector`: of the host that
   * it was, or may be, connected with; null: of none.
   */
  release(id: string, claim: Claim, connector: Connector | null): Promise<void>
  /** Ids of those that were made for this claim, also by who died before they could be written down. */
  find(claim: Claim): Promise<string[]>
}

export interface Claim {
  readonly volumeId: string
  /** Whose it is at the service: a UUID, the same for as long as something of ours has the volume without a break. */
  readonly owner: string
  readonly readOnly: boolean
}

/** `HostFacts.connector`. */
export type Connector = Readonly<Record<string, unknown>>

export interface KeptVolume {
  readonly id: string
  readonly projectId: string
  /** Empty where the service does not tell. */
  readonly userId: string
  readonly name: string
  /** GiB. */
  readonly size: number
  readonly status: VolumeStatus
  /** In the service's own words, where its status has no word of ours. */
  readonly statusReason: string | null
  readonly snapshotId: string | null
  readonly sourceVolumeId: string | null
  /** It was made with something in it: from a snapshot, a volume, a backup or an image. */
  readonly hasSource: boolean
  readonly volumeType: string | null
  readonly multiattach: boolean
  /** Hosts would need its key. */
  readonly encrypted: boolean
  readonly metadata: Readonly<Record<string, string>>
  /** Epoch milliseconds. */
  readonly createdAt: number
}

/** Refs are ids by now. */
export interface NewKeptVolume {
  readonly name: string
  /** GiB; may be left out with a source. */
  readonly size?: number
  readonly snapshot?: string
  readonly volume?: string
  readonly backup?: string
  readonly type?: string
  readonly multiattach?: boolean
  readonly availabilityZone?: string
  readonly description?: string
  readonly metadata: Readonly<Record<string, string>>
}
