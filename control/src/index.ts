export type {
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
  NewContainer,
  Quotas,
  RefOptions,
} from './control.ts'
export * from './ports/index.ts'
