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
  Events,
  ExecRequest,
  ExecStream,
  Hosts,
  Images,
  ListContainers,
  LogOptions,
  LogStream,
  NewCapsule,
  NewContainer,
  NewRegistry,
  Quotas,
  RefOptions,
  Registries,
} from './control.ts'
export type { AttachOptions, EngineAsk, EngineVerbs, PolicyVerbs, RawStream } from './engine-verbs.ts'
export type { Activity } from './events/activity.ts'
export { createControl } from './create-control.ts'
export { defaultPolicy, type Policy } from './deps.ts'
export type { Gauges } from './ports/gauges.ts'
export type { Reconciler } from './reconcile/reconciler.ts'
export type { Log } from './ports/log.ts'
export * from './ports/index.ts'
export { parseCapsuleTemplate } from './usecases/capsule-template.ts'
