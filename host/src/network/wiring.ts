import type { Assignment, ContainerId, Nic, PortId } from '@gantry/model'
import type { ContainerInspect, EndpointConfig } from '../engine/engine-types.ts'

/** What the engine is told of networks when it creates a container. */
export interface Networking {
  readonly mode: string
  /** By the engine's name of the network. */
  readonly endpoints: Readonly<Record<string, EndpointConfig>>
  /** Name servers; empty: the engine's own choice. */
  readonly dns: readonly string[]
  /** Ports that the container is plugged into once it is created. */
  readonly plugged: readonly PortId[]
}

/** How containers of one kind of engine get into the networks. Every method may be repeated. */
export interface Wiring {
  /** Before `create`. Not for containers that share another's network. */
  prepare(assignment: Assignment, signal: AbortSignal): Promise<Networking>
  /** Before `start`: all that the engine will ask for. */
  ready(assignment: Assignment, signal: AbortSignal): Promise<void>
  connect(assignment: Assignment, nic: Nic, signal: AbortSignal): Promise<void>
  disconnect(assignment: Assignment, portId: PortId, signal: AbortSignal): Promise<void>
  /** Before `nicsOf`: what an inspect does not tell. */
  look(id: ContainerId): Promise<void>
  /** Ids of the ports that a container is plugged into. */
  nicsOf(id: ContainerId, inspect: ContainerInspect): string[]
  /** After the engine's container has gone for good, or before it is made anew. */
  release(id: ContainerId): Promise<void>
  /** Makes good what the engine said is missing. */
  repair(assignment: Assignment, error: unknown, signal: AbortSignal): Promise<boolean>
  /** Looks at what the engine has; `mayRemove`: also takes down what no assignment needs. */
  sweep(mayRemove: boolean, signal: AbortSignal): Promise<void>
}
