import type {
  Assignment,
  ContainerId,
  FabricPlan,
  HostFacts,
  HostId,
  Observed,
  VolumePlan,
  VolumeReport,
} from '@gantry/model'
import type { AgentCalls } from './calls.ts'
import type { ServerMessage } from './messages.ts'

/** What a host must build beside its containers. */
export type PlanMessage = Extract<ServerMessage, { kind: 'fabric' | 'volume' }>

/** All that a host is told when it connects. */
export interface HostPlan {
  /** In pieces, each well below the longest message. */
  readonly fabric: readonly FabricPlan[]
  readonly volumes: readonly VolumePlan[]
  readonly assignments: readonly Assignment[]
  /** It holds what it should already, so there are none. */
  readonly kept?: boolean
}

/** What the relay offers to the control core, whose port `HostLinks` it is. */
export interface RelayLinks {
  connected(hostId: HostId): boolean
  /** Sends the newest assignment if the host is connected; if it is not, its next connection brings everything anyway. */
  assign(hostId: HostId, assignment: Assignment): void
  /**
   * Sends a change of networks or volumes, in the order of the calls and before every assignment that still waits. Not kept
   * for a host that is not connected. Of a host whose plan is just being read, it must be newer than that.
   */
  tell(hostId: HostId, message: PlanMessage): void
  /** Throws `host.unreachable` if the host is not connected. */
  calls(hostId: HostId): AgentCalls
}

export interface RelayStep {
  readonly id: ContainerId
  readonly version: number
  readonly step: string
  /** Epoch milliseconds, the agent's clock. */
  readonly startedAt: number
  readonly finishedAt: number
  readonly error: string | null
}

/**
 * What the relay tells the control core. Calls for one host come in order and each is awaited before the next, also over
 * the change from one session to the next; but for `observed` and `step`, which may come while earlier ones of the same host are
 * still being written, a few hundred at most, and are to be written in the order of the calls. `disconnected` follows each session that was reported `connected`, once.
 * `connected` may come again within a session, when the agent's facts have changed. `holds` is the `holdingsDigest` of what the host says
 * it has, if it says so.
 */
export interface RelayReports {
  connected(hostId: HostId, facts: HostFacts, holds?: string): Promise<HostPlan>
  disconnected(hostId: HostId): Promise<void>
  observed(hostId: HostId, id: ContainerId, observed: Observed, gone: boolean): Promise<void>
  step(hostId: HostId, report: RelayStep): Promise<void>
  volume(hostId: HostId, report: VolumeReport): Promise<void>
  engine(hostId: HostId, up: boolean, reason: string): Promise<void>
}
