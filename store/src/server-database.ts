/** Of the servers that share a store. */
export interface ServerDatabase {
  servers: ServerRow
  host_sessions: HostSessionRow
  server_duties: ServerDutyRow
  instances: InstanceRow
}

export interface ServerRow {
  id: string
  name: string
  peer: string | null
  agents: string | null
  version: string
  started_at: number
  /** The database's clock, epoch milliseconds. */
  seen_at: number
}

export interface HostSessionRow {
  host_id: string
  server_id: string | null
  number: number
  since: number
  lost: number
}

export interface ServerDutyRow {
  kind: string
  object_id: string
  server_id: string
}

/** A machine that was made to be a host. */
export interface InstanceRow {
  id: string
  seq: number
  name: string
  state: string
  project_id: string | null
  provider_id: string | null
  token_id: string | null
  reason: string | null
  refused: number
  created_at: number
  since: number
  idle_since: number | null
}
