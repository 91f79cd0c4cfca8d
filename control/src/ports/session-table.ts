import type { HostId } from '@gantry/model'
import type { ServerId } from './cluster.ts'

/** On which server a host hangs, or hung last. */
export interface HostSession {
  readonly hostId: HostId
  /** null: on none. */
  readonly serverId: ServerId | null
  /** Grows with every session of the host: of two, the higher is the newer, whatever clocks say. */
  readonly number: number
  /** Epoch milliseconds, the clock of the server that wrote it. */
  readonly since: number
}

export interface SessionTable {
  /** The host hangs on this server from now on, and on no other. Answers the number of its session. */
  open(hostId: HostId, serverId: ServerId, at: number): Promise<number>
  /** It hangs on none any more; nothing if it has a newer session. */
  close(hostId: HostId, session: number, at: number): Promise<void>
  /** All of that server end. */
  closeOf(serverId: ServerId, at: number): Promise<void>
  /** Servers that hosts hang on. */
  servers(): Promise<ServerId[]>
  get(hostId: HostId): Promise<HostSession | undefined>
  list(): Promise<HostSession[]>
  /** Those that hang on no server. */
  silentOnes(): Promise<HostSession[]>
  /** Within a transaction: whether the host has hung nowhere since that session, and it stays so until that ends. */
  isSilent(hostId: HostId, session: number): Promise<boolean>
  /** Those whose session is still their newest. Within a transaction it stays so until that ends. */
  current(sessions: readonly { readonly hostId: HostId; readonly session: number }[]): Promise<HostId[]>
  /** Within a transaction: true once for each time that the host hangs nowhere, and it stays so until that ends. */
  lose(hostId: HostId): Promise<boolean>
}

/** What a server has begun and only it can end. Of a server that is no more, another one ends it. */
export interface DutyTable {
  begin(kind: DutyKind, id: string, serverId: ServerId): Promise<void>
  end(kind: DutyKind, id: string): Promise<void>
  /** Those of these servers. */
  heldBy(kind: DutyKind, servers: readonly ServerId[]): Promise<ReadonlySet<string>>
  /** Those of all other servers. */
  left(kind: DutyKind, servers: readonly ServerId[]): Promise<string[]>
  /** Forgets those of all other servers. */
  keepOnly(servers: readonly ServerId[]): Promise<void>
}

/** A kill or commit, an image on its way, a build, a backup or its restoring, what is made at other services for a container. */
export type DutyKind = 'call' | 'image' | 'build' | 'backup' | 'making'
