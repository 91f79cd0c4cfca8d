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
} from '@gantry/model'

import type { CapsuleTable } from './capsule-table.ts'
import type { CertificateTable } from './certificate-table.ts'
import type { ConsoleTable } from './console-table.ts'
import type { ImageTables } from './image-tables.ts'
import type { NetworkTables } from './network-tables.ts'
import type { RegistryTable } from './registry-table.ts'
import type { VolumeTables } from './volumes.ts'

/** Where the truth is kept. Every write that belongs together happens in one `transaction`. */
export interface Store extends Tables {
  /** Runs `work` in one transaction that excludes other writers; rolled back if it throws. Not re-entrant. */
  transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T>
}

export interface Tables extends NetworkTables, VolumeTables, ImageTables {
  readonly containers: ContainerTable
  readonly actions: ActionTable
  readonly hosts: HostTable
  readonly quotas: QuotaTable
  readonly capsules: CapsuleTable
  readonly registries: RegistryTable
  readonly consoles: ConsoleTable
  readonly certificates: CertificateTable
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
  readonly task?: string | null
  readonly status?: string
  readonly autoRemove?: boolean
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

export interface ContainerTable {
  insert(container: Container): Promise<void>
  get(id: ContainerId): Promise<Container | undefined>
  /**
   * By id or by name, at most two: the second only tells that the name is ambiguous. An id wins over names. Members of
   * capsules are found by id only.
   */
  find(scope: Scope, ref: string): Promise<Container[]>
  /** Whose id without dashes begins with these hex digits, at most two. */
  withIdPrefix(project: ProjectId, digits: string): Promise<Container[]>
  /** Without members of capsules. Throws `request.invalid` when the marker is unknown. Order is total: ties are broken by age. */
  list(scope: Scope, query: ContainerQuery): Promise<Container[]>
  update(id: ContainerId, change: ContainerChange): Promise<void>
  remove(id: ContainerId): Promise<void>
  /** All of a host, for the first sync of its agent. */
  ofHost(hostId: HostId): Promise<Container[]>
  /** Those that wait for a host, oldest first; of a capsule its sandbox alone. */
  unplaced(): Promise<Container[]>
  /** What a project's containers were promised; those being deleted count until they are gone. Sandboxes are no containers. */
  usageOfProject(projectId: ProjectId): Promise<HostUsage>
  usageOfHost(hostId: HostId): Promise<HostUsage>
}

export interface ActionTable {
  insert(action: Action): Promise<void>
  /** Ends every unfinished action of the container whose wish version is at most `version`, and returns them. */
  finishUpTo(containerId: ContainerId, version: number, at: number, error: string | null): Promise<Action[]>
  finish(id: ActionId, at: number, error: string | null): Promise<void>
  /** Newest first. */
  list(containerId: ContainerId): Promise<Action[]>
  byRequest(containerId: ContainerId, requestId: RequestId): Promise<Action | undefined>
  /** The action whose wish version is `version` or, if none, the newest below it. */
  forVersion(containerId: ContainerId, version: number): Promise<Action | undefined>
  /** Unfinished ones that a call carries out (no wish version): kill, commit. */
  unfinishedCalls(): Promise<Action[]>
  addEvent(event: ActionEvent): Promise<void>
  events(actionId: ActionId): Promise<ActionEvent[]>
}

export interface HostTable {
  /** Adds the host or updates its facts; `used` and `connected` are not stored. */
  upsert(host: { id: HostId; name: string; availabilityZone: string; facts: HostFacts; at: number }): Promise<void>
  get(id: HostId): Promise<Host | undefined>
  list(): Promise<Host[]>
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
