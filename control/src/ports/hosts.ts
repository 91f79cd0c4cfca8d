import type { Assignment, ContainerId, HostFacts, HostId, Observed } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'

/** What control needs of the relay. */
export interface HostLinks {
  connected(hostId: HostId): boolean
  /** Sends the newest assignment if the host is connected; if it is not, its next connection brings everything anyway. */
  assign(hostId: HostId, assignment: Assignment): void
  /** Throws `host.unreachable` if the host is not connected. */
  calls(hostId: HostId): AgentCalls
}

/** A step that an agent took, for the container's timeline. */
export interface StepReport {
  readonly id: ContainerId
  readonly version: number
  readonly step: string
  readonly startedAt: number
  readonly finishedAt: number
  readonly error: string | null
}

/** What the relay tells control. Calls for one host come in order and each is awaited before the next. */
export interface HostReports {
  /** An agent said hello. The answer is everything that is assigned to it. */
  connected(hostId: HostId, facts: HostFacts): Promise<Assignment[]>
  disconnected(hostId: HostId): Promise<void>
  observed(hostId: HostId, id: ContainerId, observed: Observed, gone: boolean): Promise<void>
  step(hostId: HostId, report: StepReport): Promise<void>
  engine(hostId: HostId, up: boolean, reason: string): Promise<void>
}
