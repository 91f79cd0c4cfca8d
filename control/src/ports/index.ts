export type * from './audit-table.ts'
export type { BackupTable, KeptBackup } from './backup-table.ts'
export type * from './blob-store.ts'
export type { CapsuleTable } from './capsule-table.ts'
export type { CertificateTable, ClientCertificate } from './certificate-table.ts'
export type { CloudNetwork, CloudNetworkTable } from './cloud-network-table.ts'
export type { CloudPort, CloudPortTable } from './cloud-port-table.ts'
export type {
  CloudAttachment,
  CloudAttachmentTable,
  CloudHolder,
  CloudHolderTable,
  CloudVolume,
  CloudVolumeTable,
} from './cloud-volume-table.ts'
export type * from './change-table.ts'
export type * from './webhook-sender.ts'
export type { Cluster, Member, Note, ServerId } from './cluster.ts'
export type { ConsoleSession, ConsoleTable } from './console-table.ts'
export type { ExchangedImage, ExchangedImageTable } from './exchanged-image-table.ts'
export type { HostLinks, HostReports, StepReport } from './hosts.ts'
export type * from './identity.ts'
export type * from './identity-model.ts'
export type * from './identity-store.ts'
export {
  type ActionTable,
  type ContainerChange,
  type ContainerFilters,
  type ContainerQuery,
  type ContainerSortKey,
  type ContainerTable,
  type ContainerCounts,
  type Health,
  containerSortKeys,
  hostLock,
  type HostHello,
  type HostsSeen,
  type HostTable,
  type Lock,
  projectLock,
  type QuotaTable,
  type Scope,
  type Store,
  type Tables,
} from './store.ts'
export type * from './image-exchange.ts'
export type * from './instance-table.ts'
export type * from './compute.ts'
export type * from './image-tables.ts'
export type { Namespaces } from './namespaces.ts'
export type { NetworkTables } from './network-tables.ts'
export type * from './networks.ts'
export type { RegistryTable } from './registry-table.ts'
export type { Secrets } from './secrets.ts'
export type { DutyKind, DutyTable, HostSession, SessionTable } from './session-table.ts'
export type { HostSessions } from './host-sessions.ts'
export type * from './upstream.ts'
export type * from './volumes.ts'
