/** What the API's answers look like, for clients: types alone, without what makes the answers. */
export type {
  ActionView,
  CapsuleView,
  ContainerSummaryView,
  ContainerView,
  CreateContainer,
  CreateContainers,
  EventView,
  HostView,
} from './schemas.ts'
export type {
  ImageMemberView,
  ImageView,
  ProvenanceView,
  SignaturePolicyView,
  SweptView,
  VerifiedView,
} from './schemas-image.ts'
export type {
  FloatingIpView,
  ForwardingView,
  NetworkView,
  PortView,
  RouterView,
  RuleView,
  SecurityGroupView,
  SubnetView,
} from './schemas-network.ts'
export type { AuditPageView, AuditRecordView } from './schemas-audit.ts'
export type { VerdictsView } from './schemas-placement.ts'
export type { ChangeView, DeliveryView, WebhookView } from './schemas-events.ts'
export type { CertificateView } from './schemas-certificate.ts'
export type { RegistryView } from './schemas-registry.ts'
export type { BackupView, SnapshotView, VolumeView } from './schemas-storage.ts'
