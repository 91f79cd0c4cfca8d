import type { Touched, UsageDatabase } from './usage-database.ts'
import type { EventDatabase } from './event-database.ts'
import type { IdentityDatabase } from './identity/index.ts'
import type { ImageDatabase } from './image-database.ts'
import type { NetworkDatabase } from './network-database.ts'
import type { ServerDatabase } from './server-database.ts'

/** Text ids, integer epoch milliseconds, JSON as text, booleans as 0 and 1: what SQLite and PostgreSQL both take. */
export interface Database
  extends IdentityDatabase,
    NetworkDatabase,
    ImageDatabase,
    ServerDatabase,
    EventDatabase,
    UsageDatabase {
  containers: ContainerRow
  actions: ActionRow
  action_events: ActionEventRow
  hosts: HostRow & Touched
  join_tokens: JoinTokenRow
  project_quotas: ProjectQuotaRow
  class_quotas: ClassQuotaRow
  settings: SettingRow
  volumes: VolumeRow
  volume_holders: VolumeHolderRow
  snapshots: SnapshotRow
  backups: BackupRow
  capsules: CapsuleRow
  registries: RegistryRow
  console_sessions: ConsoleSessionRow
  docker_certificates: DockerCertificateRow
  cloud_ports: CloudPortRow
  cloud_networks: CloudNetworkRow
  cloud_volumes: CloudVolumeRow
  cloud_attachments: CloudAttachmentRow
  cloud_holders: CloudHolderRow
}

export type { ChangeRow, WebhookDeliveryRow, WebhookRow } from './event-database.ts'
export type { HostSessionRow, ServerDutyRow, ServerRow } from './server-database.ts'

export interface ContainerRow {
  id: string
  /** Order of creation: breaks ties in every sort. */
  seq: number
  project_id: string
  user_id: string
  name: string
  image: string
  image_ref: string
  image_manifest: string | null
  status: string
  status_reason: string | null
  task: string | null
  cpu: number
  memory: number
  disk: number
  auto_remove: number
  host_id: string | null
  host_name: string | null
  placement_failure: string | null
  seen_generation: number
  host_lost: number
  created_at: number
  updated_at: number
  spec: string
  wish: string
  observed: string
  /** JSON arrays. */
  nics: string
  mounts: string
  capsule_id: string | null
  capsule_role: string | null
  capsule_position: number | null
  registry_id: string | null
  sealed_registry_auth: string | null
  /** JSON. */
  moving: string | null
  lease: number | null
}

export interface ActionRow {
  id: string
  seq: number
  container_id: string
  project_id: string
  user_id: string
  request_id: string
  name: string
  wish_version: number | null
  started_at: number
  finished_at: number | null
  error: string | null
}

export interface ActionEventRow {
  action_id: string
  seq: number
  name: string
  started_at: number
  finished_at: number | null
  result: string | null
  detail: string | null
}

export interface HostRow {
  id: string
  name: string
  availability_zone: string
  facts: string
  disabled: number
  disabled_reason: string | null
  forced_down: number
  created_at: number
  updated_at: number
  last_seen_at: number
  report_count: number
}

export interface JoinTokenRow {
  id: string
  secret_hash: string
  expires_at: number
}

export interface ProjectQuotaRow {
  project_id: string
  resource: string
  value: number
}

export interface ClassQuotaRow {
  name: string
  resource: string
  value: number
}

export interface SettingRow {
  key: string
  value: string
}

export interface VolumeRow {
  id: string
  seq: number
  project_id: string
  user_id: string
  name: string
  size: number
  status: string
  status_reason: string | null
  host_id: string | null
  container_id: string | null
  snapshot_id: string | null
  ephemeral: number
  shared: number | null
  /** JSON. */
  labels: string | null
  options: string | null
  backend: string | null
  source_volume_id: string | null
  backup_id: string | null
  volume_type: string | null
  multiattach: number | null
  created_at: number
}

export interface VolumeHolderRow {
  volume_id: string
  container_id: string
}

export interface SnapshotRow {
  id: string
  seq: number
  project_id: string
  name: string
  volume_id: string
  size: number
  status: string
  status_reason: string | null
  host_id: string
  created_at: number
}

export interface BackupRow {
  id: string
  seq: number
  project_id: string
  name: string
  volume_id: string
  size: number
  status: string
  status_reason: string | null
  sha256: string | null
  created_at: number
}

export interface CapsuleRow {
  id: string
  seq: number
  project_id: string
  user_id: string
  name: string
  /** JSON. */
  labels: string
  annotations: string
  restart_policy: string
  host_id: string | null
  gone: number
  created_at: number
  updated_at: number
}

export interface RegistryRow {
  id: string
  seq: number
  project_id: string
  user_id: string
  name: string
  domain: string
  username: string | null
  sealed_password: string | null
  created_at: number
  updated_at: number
}

export interface ConsoleSessionRow {
  token_hash: string
  container_id: string
  project_id: string
  user_id: string
  exec_id: string | null
  expires_at: number
}

export interface CloudPortRow {
  id: string
  kind: string
  container_id: string | null
  project_id: string
  network_id: string | null
  given: number
  host_id: string | null
  bound_to: string | null
  leaving: number
  created_at: number
}

export interface CloudNetworkRow {
  id: string
  network_id: string | null
  project_id: string
  usual: number
  /** JSON. */
  labels: string | null
  created_at: number
}

export interface CloudVolumeRow {
  id: string
  backend: string
  project_id: string
  user_id: string
  size: number
  container_id: string | null
  ephemeral: number
  shared: number
  multiattach: number
  blank: number
  maybe_blank: number
  fs_type: string
  /** JSON. */
  labels: string | null
  options: string | null
  leaving: number
  created_at: number
}

export interface CloudAttachmentRow {
  id: string
  volume_id: string
  owner: string
  service_id: string | null
  host_id: string | null
  writable: number
  sealed_connection: string | null
  mounted: number
  completed: number
  by_service: number
  leaving: number
  problem: string | null
  created_at: number
}

export interface CloudHolderRow {
  container_id: string
  volume_id: string
  attachment_id: string
  read_only: number
  created_at: number
}

export interface DockerCertificateRow {
  serial: string
  user_id: string
  project_id: string
  name: string
  app_credential_id: string
  sealed_secret: string
  created_at: number
  expires_at: number
}
