export type { CallNote, Content, Context, Query } from './call.ts'
export type { Interface } from './catalog.ts'
export { type Cloud, type CloudOptions, openCloud } from './cloud.ts'
export { allOf, type Collection, firstOf } from './collection.ts'
export { bufferContent, fileContent, streamContent } from './content.ts'
export type { Credential, Named, Scope } from './credential.ts'
export { faultOf } from './fault-of.ts'
export { type Failure, isOpenStackError, OpenStackError } from './openstack-error.ts'
export { type Patience, usualPatience } from './repeat-policy.ts'
export { kinds, type ServiceKind } from './service-kind.ts'
export {
  type ComputeService,
  computeService,
  type Flavor,
  type Hypervisor,
  type Server,
  type ServerCreate,
} from './services/compute.ts'
export { type Grant, type IdentityService, identityService, type ValidateOptions } from './services/identity.ts'
export type {
  AppCredential,
  AppCredentialCreate,
  CloudService,
  CloudServiceCreate,
  Domain,
  Endpoint,
  EndpointCreate,
  Project,
  ProjectCreate,
  Role,
  Trust,
  TrustCreate,
  User,
  UserCreate,
} from './services/identity-bodies.ts'
export { type ImageData, type ImageService, imageService } from './services/image.ts'
export type { Image, ImageCreate, ImagePatch, Member } from './services/image-bodies.ts'
export { type NetworkService, networkService, type RouterLeg, type Tagged } from './services/network.ts'
export type {
  Agent,
  FloatingIp,
  FloatingIpCreate,
  FloatingIpUpdate,
  PortForwarding,
  PortForwardingCreate,
  QuotaDetails,
  Router,
  RouterCreate,
  SecurityGroup,
  SecurityGroupCreate,
  SecurityGroupRule,
  SecurityGroupRuleCreate,
  SubPort,
  Trunk,
  TrunkCreate,
} from './services/network-access-bodies.ts'
export type {
  Network,
  NetworkCreate,
  Port,
  PortCreate,
  PortUpdate,
  Subnet,
  SubnetCreate,
  SubnetPool,
  SubnetPoolCreate,
} from './services/network-bodies.ts'
export {
  type ObjectContainer,
  type ObjectEntry,
  type ObjectStoreService,
  objectStoreService,
  type StoredObject,
} from './services/object-store.ts'
export {
  type OrchestrationService,
  orchestrationService,
  type Stack,
  type StackCreate,
  type StackName,
  type StackResource,
} from './services/orchestration.ts'
export { type Inventory, type PlacementService, placementService, type ResourceProvider } from './services/placement.ts'
export {
  type AccessRule,
  type AccessRuleCreate,
  type ExportLocation,
  type Share,
  type ShareCreate,
  type ShareMessage,
  type ShareService,
  type ShareSnapshot,
  type ShareType,
  shareService,
} from './services/share.ts'
export {
  type AccessWish,
  accessMarks,
  bestLocation,
  grantAccess,
  markedOwner,
  revokeAccess,
  rulesOf,
} from './services/share-access.ts'
export {
  type Attachment,
  type AttachmentCreate,
  type Connector,
  type Volume,
  type VolumeCreate,
  type VolumeService,
  type VolumeBackup,
  type VolumeSnapshot,
  type VolumeType,
  volumeService,
} from './services/volume.ts'
export type { Session } from './session.ts'
export type { TokenInfo } from './token-info.ts'
