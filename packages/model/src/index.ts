export type { Action, ActionEvent, ActionName } from './action.ts'
export { Assignment } from './assignment.ts'
export { type AuditOutcome, auditOutcomes, type AuditRecord } from './audit-record.ts'
export type { Caller } from './caller.ts'
export { type Capsule, type CapsuleMembership, type CapsuleRole, type CapsuleStatus, sandboxImage } from './capsule.ts'
export { type Container, type Move, type Status, statuses, type Task, tasks } from './container.ts'
export {
  emptyFabric,
  FabricPlan,
  GroupPlan,
  NetworkPlan,
  Nic,
  NicAddress,
  NicBinding,
  RouterPlan,
  RulePlan,
  Vif,
} from './fabric.ts'
export { type Host, HostFacts, type HostUsage } from './host.ts'
export type * from './ids.ts'
export { type Digest, digestAlgorithm, parseDigest } from './digest.ts'
export {
  dockerImage,
  engineRefIn,
  familiarRepo,
  formatImageName,
  type GlanceFields,
  type Image,
  type ImageKind,
  type ImageMember,
  type ImageStatus,
  type ImageVisibility,
  imageAt,
  imageVisibilities,
  namelessRefIn,
  parseImageName,
  type PendingImage,
  registryOf,
} from './image.ts'
export { isRepositoryName, isTag, splitNamespace } from './repository.ts'
export { ImageSource } from './image-source.ts'
export type * from './network.ts'
export { nextStep, type Seen, type Step, type StepKind } from './next-step.ts'
export { EngineContainer, EngineState, Failure, nothingObserved, Observed } from './observed.ts'
export {
  defaultQuotas,
  nothingUsed,
  type QuotaExcess,
  type QuotaMap,
  type QuotaResource,
  quotaExcess,
  quotaResources,
} from './quota.ts'
export type { Registry } from './registry.ts'
export { isConfined, Publish, RunOptions } from './run-options.ts'
export type { ShownCredential } from './shown-credential.ts'
export { ContainerSpec, defaultSpec, Healthcheck, ImageDriver, PullPolicy, RestartPolicy } from './spec.ts'
export { type StatusView, statusOf } from './status.ts'
export { allows, transitions, type Verb } from './transitions.ts'
export { mostPids, type Tuning, tuned, tuningOf, tuningText } from './tuning.ts'
export { Power, Wish } from './wish.ts'
export {
  type Backup,
  Connection,
  Mount,
  RemoteVolume,
  type Snapshot,
  type Volume,
  type VolumeBackendName,
  VolumePlan,
  VolumeReport,
  type VolumeStatus,
} from './volume.ts'
