import type { Brand } from '@gantry/kernel'
import type {
  Action,
  ActionEvent,
  ActionId,
  Container,
  ContainerId,
  Host,
  HostFacts,
  HostId,
  HostUsage,
  ProjectId,
  QuotaMap,
  RequestId,
  Status,
} from '@gantry/model'

import type { Neighbour } from '../scheduling/rules.ts'
import type { AuditTable } from './audit-table.ts'
import type { BackupTable } from './backup-table.ts'
import type { ChangeTable, WebhookTable } from './change-table.ts'
import type { CapsuleTable } from './capsule-table.ts'
import type { CertificateTable } from './certificate-table.ts'
import type { CloudNetworkTable } from './cloud-network-table.ts'
import type { CloudAttachmentTable, CloudHolderTable, CloudVolumeTable } from './cloud-volume-table.ts'
import type { CloudPortTable } from './cloud-port-table.ts'
import type { ExchangedImageTable } from './exchanged-image-table.ts'
import type { ConsoleTable } from './console-table.ts'
import type { ImageTables } from './image-tables.ts'
import type { InstanceTable } from './instance-table.ts'
import type { NetworkTables } from './network-tables.ts'
import type { RegistryTable } from './registry-table.ts'
import type { DutyTable, SessionTable } from './session-table.ts'
import type { VolumeTables } from './volumes.ts'

/** Where the truth is kept. Every write that belongs together happens in one `transaction`. */
export interface Store extends Tables {
  /**
   * Runs `work` in one transaction, rolled back if it throws. Not re-entrant. It excludes all other transactions, on every
   * server; with `locks` only those that hold one of the same locks, and those without any. Name all that the work's decisions
   * stand on (`projectLock`, `hostLock`): what is read but not locked may have changed by the time of the commit.
   */
  transaction<T>(work: (tables: Tables) => Promise<T>, locks?: readonly Lock[]): Promise<T>
}

export type Lock = Brand<string, 'Lock'>

/** All that a project owns, and its quota. */
export function projectLock(projectId: ProjectId): Lock {
  return `project ${projectId}` as Lock
}

/** The row of a host. What runs there belongs to projects. */
export function hostLock(hostId: HostId): Lock {
  return `host ${hostId}` as Lock
}

/** What is promised of hosts to containers that have none yet: one server at a time decides. */
export const placementLock = 'placement' as Lock

export interface Tables extends NetworkTables, VolumeTables, ImageTables {
  readonly containers: ContainerTable
  readonly actions: ActionTable
  readonly hosts: HostTable
  readonly instances: InstanceTable
  readonly sessions: SessionTable
  readonly duties: DutyTable
  readonly quotas: QuotaTable
  readonly backups: BackupTable
  readonly capsules: CapsuleTable
  readonly registries: RegistryTable
  readonly consoles: ConsoleTable
  readonly certificates: CertificateTable
  readonly cloudPorts: CloudPortTable
  readonly cloudNetworks: CloudNetworkTable
  readonly cloudVolumes: CloudVolumeTable
  readonly cloudAttachments: CloudAttachmentTable
  readonly cloudHolders: CloudHolderTable
  readonly exchangedImages: ExchangedImageTable
  readonly changes: ChangeTable
  readonly webhooks: WebhookTable
  readonly audit: AuditTable
}

/** null: of every project (an administrator asked). */
export type Scope = ProjectId | null

export const containerSortKeys = [
  'id',
  'uuid',
  'name',
  'image',
  'status',
  'cpu',
  'memory',
  'disk',
  'created_at',
  'updated_at',
  'host',
  'project_id',
  'user_id',
  'task_state',
  'auto_remove',
] as const
export type ContainerSortKey = (typeof containerSortKeys)[number]

export interface ContainerFilters {
  readonly name?: string
  readonly image?: string
  readonly projectId?: string
  readonly userId?: string
  readonly memory?: number
  readonly host?: string
  readonly hostId?: HostId
  readonly task?: string | null
  readonly status?: string
  readonly autoRemove?: boolean
  /** What their health checks found last. */
  readonly health?: Health
}

export type Health = 'starting' | 'healthy' | 'unhealthy'

/** How many there are, without members of capsules. */
export interface ContainerCounts {
  readonly byStatus: Readonly<Partial<Record<Status, number>>>
  /** Of those that run: whose health checks fail. */
  readonly unhealthy: number
}

export interface ContainerQuery {
  readonly filters: ContainerFilters
  readonly sortKey: ContainerSortKey
  readonly descending: boolean
  /** At least 1. */
  readonly limit: number
  /** The last container of the page before. */
  readonly marker: ContainerId | null
}

/** What may change in a container's row; status fields are derived by the caller with `statusOf`. */
export type ContainerChange = Partial<Omit<Container, 'id' | 'projectId' | 'userId' | 'createdAt'>>

/** What a report changes in a container. */
export type Seen = Pick<
  Container,
  'id' | 'observed' | 'seenGeneration' | 'hostLost' | 'updatedAt' | 'task' | 'status' | 'statusReason'
>

export interface ContainerTable {
  insert(container: Container): Promise<void>
  /** In this order. */
  insertMany(containers: readonly Container[]): Promise<void>
  get(id: ContainerId): Promise<Container | undefined>
  /** Those that are there, oldest first. */
  getMany(ids: readonly ContainerId[]): Promise<Container[]>
  /**
   * By id or by name, at most two: the second only tells that the name is ambiguous. An id wins over names. Members of
   * capsules are found by id only.
   */
  find(scope: Scope, ref: string): Promise<Container[]>
  /** Whose id without dashes begins with these hex digits, at most two. */
  withIdPrefix(project: ProjectId, digits: string): Promise<Container[]>
  /** Without members of capsules. Throws `request.invalid` when the marker is unknown. Order is total: ties are broken by age. */
  list(scope: Scope, query: ContainerQuery): Promise<Container[]>
  counts(scope: Scope): Promise<ContainerCounts>
  update(id: ContainerId, change: ContainerChange): Promise<void>
  /** Writes what their hosts say of them. Each at most once. */
  observe(seen: readonly Seen[]): Promise<void>
  /** Whose they are; without those that are not there. */
  projectsOf(ids: readonly ContainerId[]): Promise<ReadonlyMap<ContainerId, ProjectId>>
  remove(id: ContainerId): Promise<void>
  /** Writes where these are from now on; their moves are over. */
  place(placed: readonly Pick<Container, 'id' | 'hostId' | 'hostName' | 'lease'>[]): Promise<void>
  /** What the others of a project are, as far as it decides who is placed beside them; only those that have a host. */
  neighbours(projectId: ProjectId): Promise<Neighbour[]>
  /** All of a host, for the first sync of its agent. */
  ofHost(hostId: HostId): Promise<Container[]>
  /** `holdingsDigest` of all of a host, as its agent would tell it if it knew them all; null: each is to be judged by itself. */
  holdings(hostId: HostId): Promise<string | null>
  /** Those that wait for a host, oldest first; of a capsule its sandbox alone. */
  unplaced(): Promise<Container[]>
  /** What a project's containers were promised; those being deleted count until they are gone. Sandboxes are no containers. */
  usageOfProject(projectId: ProjectId): Promise<HostUsage>
  usageOfHost(hostId: HostId): Promise<HostUsage>
}

/** Every unfinished action of this container with a wish version up to `version` has ended. */
export interface ActionEnd {
  readonly containerId: ContainerId
  readonly version: number
  readonly at: number
  readonly error: string | null
}

export interface ActionTable {
  insert(action: Action): Promise<void>
  insertMany(actions: readonly Action[]): Promise<void>
  /** Ends every unfinished action of the container whose wish version is at most `version`, and returns them. */
  finishUpTo(containerId: ContainerId, version: number, at: number, error: string | null): Promise<Action[]>
  /** Likewise for many, each container at most once. */
  finishMany(ends: readonly ActionEnd[]): Promise<Action[]>
  /** Nothing if it has ended already. */
  finish(id: ActionId, at: number, error: string | null): Promise<void>
  /** Newest first. */
  list(containerId: ContainerId): Promise<Action[]>
  byRequest(containerId: ContainerId, requestId: RequestId): Promise<Action | undefined>
  /** The action whose wish version is `version` or, if none, the newest below it. */
  forVersion(containerId: ContainerId, version: number): Promise<Action | undefined>
  /** Likewise for many, in their order. */
  forVersions(wishes: readonly Pick<ActionEnd, 'containerId' | 'version'>[]): Promise<(ActionId | undefined)[]>
  get(id: ActionId): Promise<Action | undefined>
  /** Unfinished ones that a call carries out (no wish version): kill, commit. */
  unfinishedCalls(): Promise<Action[]>
  addEvent(event: ActionEvent): Promise<void>
  /** In this order. */
  addEvents(events: readonly ActionEvent[]): Promise<void>
  /** Removes at most `most` finished before that time of containers that are gone, with their events; how many it were. */
  pruneGone(before: number, most: number): Promise<number>
  /**
   * Of containers for which something was finished since that time: leaves the newest `keep` and what is under way. Removes at most `most` of
   * each container, with their events; how many it were.
   */
  pruneLong(since: number, keep: number, most: number): Promise<number>
  events(actionId: ActionId): Promise<ActionEvent[]>
}

/** What is written of a host when it says hello; its zone only the first time. */
export interface HostHello {
  readonly id: HostId
  readonly name: string
  readonly availabilityZone: string
  readonly facts: HostFacts
  readonly at: number
}

export interface HostsSeen {
  /** Oldest first. */
  readonly hosts: readonly Host[]
  /** The first transaction that may not have been seen. null: all are read each time. */
  readonly mark: number | null
}

export interface HostTable {
  /** Adds the host or updates its facts; `used` and `connected` are not stored. */
  upsert(host: HostHello): Promise<void>
  /** Likewise of many; answers those that were not there before. */
  upsertMany(hosts: readonly HostHello[]): Promise<HostId[]>
  get(id: HostId): Promise<Host | undefined>
  idOf(name: string): Promise<HostId | undefined>
  list(): Promise<Host[]>
  /** Likewise, for who has looked before: what has not changed since is not read again, where the database can tell. */
  look(before: HostsSeen | null): Promise<HostsSeen>
  seen(id: HostId, at: number): Promise<void>
  change(
    id: HostId,
    change: Partial<Pick<Host, 'disabled' | 'disabledReason' | 'forcedDown' | 'availabilityZone'>>,
  ): Promise<void>
  remove(id: HostId): Promise<void>
  /** One-time join tokens: only a hash of the secret is kept. */
  addJoinToken(token: { id: string; secretHash: string; expiresAt: number }): Promise<void>
  /** Takes the token away and tells whether it was valid: a second call with the same one answers false. */
  redeemJoinToken(id: string, secretHash: string, at: number): Promise<boolean>
}

export interface QuotaTable {
  /** What an administrator set for this project; missing resources fall back to the class, then the defaults. */
  ofProject(projectId: ProjectId): Promise<Partial<QuotaMap>>
  setProject(projectId: ProjectId, limits: Partial<QuotaMap>): Promise<void>
  clearProject(projectId: ProjectId): Promise<void>
  ofClass(name: string): Promise<Partial<QuotaMap>>
  setClass(name: string, limits: Partial<QuotaMap>): Promise<void>
}
