export { type ContainerHost, createHost, type HostOptions } from './agent/create-host.ts'
export type { HostLog } from './agent/host-log.ts'
export { type Engine, openEngine } from './engine/engine.ts'
export { EngineError, EngineUnreachable } from './engine/engine-error.ts'
