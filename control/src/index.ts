export type {
  CapsuleContainer,
  Capsules,
  CapsuleView,
  Consoles,
  ConsoleTarget,
  ContainerEvent,
  ContainerPatch,
  Containers,
  Control,
  DeleteOptions,
  EndpointNames,
  Events,
  ExecRequest,
  ExecStream,
  Hosts,
  ListContainers,
  LogOptions,
  LogStream,
  NewCapsule,
  NewContainer,
  NewRegistry,
  Quotas,
  RefOptions,
  Registries,
  ServerListing,
  Servers,
} from './control.ts'
export type {
  BuildRequest,
  CommitRequest,
  EngineImages,
  ImageFilters,
  ImageListing,
  ProjectImage,
  RegistryLogin,
  RemovedImage,
} from './engine-image-verbs.ts'
export {
  type BlobProgress,
  type Catalogue,
  type Holder,
  type ImageName,
  layersOf,
  type NamingOptions,
  type Swept,
  pulledFrom,
} from './catalogue.ts'
export type {
  FoundRepository,
  ManifestAnswer,
  NamePage,
  Provenance,
  ReferrerView,
  RegistryVerbs,
  Repository,
} from './registry-verbs.ts'
export type { ImageFilter, ImagePatch, ImageVerbs, NewImage, SignaturePolicy } from './image-verbs.ts'
export type { AttachOptions, EngineAsk, EngineVerbs, PolicyVerbs, RawStream } from './engine-verbs.ts'
export type { Activity } from './events/activity.ts'
export type { AuditVerbs } from './usecases/read-audit.ts'
export { type AuditBook, auditBook } from './events/audit-book.ts'
export type { ChangePage, ChangeWatch } from './events/change-feed.ts'
export type { NewWebhook, WebhookPatch, WebhookVerbs } from './webhooks/webhook-verbs.ts'
export { containerData } from './events/change-of.ts'
export { recorded } from './events/recorded-store.ts'
export {
  type CertificateSigner,
  type CertificateView,
  type ClientCertificateDeps,
  type ClientCertificates,
  createClientCertificates,
} from './access/client-certificates.ts'
export { createIdentify, followToken, type Identified, type Identify, type IdentifyDeps } from './access/identify.ts'
export {
  type BasicLogin,
  createRegistryLogins,
  type IssuedRegistryToken,
  type RegistryLoginDeps,
  type RegistryLogins,
  type RegistryVisitor,
} from './access/registry-logins.ts'
export { isGranted, type RegistryGrant, requireGrant } from './access/registry-tokens.ts'
export { createStreamGuard, type StreamGuard } from './access/stream-guard.ts'
export { whoseToken } from './access/whose-token.ts'
export { aloneCluster, soleServer } from './cluster/alone.ts'
export { hostSessions } from './cluster/host-sessions.ts'
export { createControl } from './create-control.ts'
export { defaultPolicy, type Policy } from './deps.ts'
export type { Fence } from './reconcile/evacuation.ts'
export type { Gauges } from './ports/gauges.ts'
export type { HostsOnDemand } from './supply/supply-parts.ts'
export type { Reconciler } from './reconcile/reconciler.ts'
export type { Log } from './ports/log.ts'
export * from './ports/index.ts'
export { parseCapsuleTemplate } from './usecases/capsule-template.ts'
export { type MountedVolume, mountedVolumes } from './usecases/mounted-volumes.ts'
export { canonicalFields } from './policy/canonical.ts'
export { fieldRules, grantProblem } from './policy/field-rules.ts'
export type { FieldRule, FieldRules } from './policy/field-rule.ts'
export { type GrantEntry, grantsOf, type PolicyGrants } from './policy/grants.ts'
export { type VolumeDriver, type VolumeOption, volumeDrivers, volumeOptions } from './policy/volume-drivers.ts'
export { isPublicAddress } from './policy/registry-address.ts'
export { freeCidr, plannedSubnets, poolsOf } from './addresses/subnet-plan.ts'
export {
  type Address,
  type Block,
  bitsOf,
  blockOf,
  canonicalAddress,
  defaultPools,
  formatAddress,
  formatBlock,
  isForInterfaces,
  isInside,
  lowestFree,
  overlap,
  parseAddress,
  parseBlock,
  purposeOf,
} from './addresses/addresses.ts'
