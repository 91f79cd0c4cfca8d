export type * from './blob-store.ts'
export type { CapsuleTable } from './capsule-table.ts'
export type { CertificateTable, ClientCertificate } from './certificate-table.ts'
export type { ConsoleSession, ConsoleTable } from './console-table.ts'
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
  containerSortKeys,
  type HostTable,
  type QuotaTable,
  type Scope,
  type Store,
  type Tables,
} from './store.ts'
export type * from './image-tables.ts'
export type { Namespaces } from './namespaces.ts'
export type { NetworkTables } from './network-tables.ts'
export type * from './networks.ts'
export type { RegistryTable } from './registry-table.ts'
export type { Secrets } from './secrets.ts'
export type * from './upstream.ts'
export type * from './volumes.ts'
