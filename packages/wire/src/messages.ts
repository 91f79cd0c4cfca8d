import { Assignment, type ContainerId, FabricPlan, HostFacts, Observed, VolumePlan, VolumeReport } from '@gantry/model'
import Type, { type Static } from 'typebox'

/**
 * The control stream: one HTTP/2 request that the relay opens on an agent when it connects and that lasts as long as the
 * session. Both directions carry NDJSON. The agent begins with `hello`; the relay answers with the networks and volumes of the
 * host and every assignment, then `synced`; only from then on may the agent remove what none of them names. The agent sends one
 * `observed` for each assignment it was given and one more at every change. To an agent whose `hello` says that it holds what the
 * store has, the relay says `kept` in the place of all assignments, and no `observed` answers it.
 */
export const ServerMessage = Type.Union([
  Type.Object({ kind: Type.Literal('assign'), assignment: Assignment }),
  /** Networks, groups and routers to build, change or take down. */
  Type.Object({ kind: Type.Literal('fabric'), plan: FabricPlan }),
  Type.Object({ kind: Type.Literal('volume'), plan: VolumePlan }),
  /** As if each container that the agent named in its `hello` had been assigned as it was. */
  Type.Object({ kind: Type.Literal('kept') }),
  Type.Object({ kind: Type.Literal('synced') }),
])
export type ServerMessage = Static<typeof ServerMessage>

const containerId = Type.Unsafe<ContainerId>(Type.String())

export const AgentMessage = Type.Union([
  Type.Object({
    kind: Type.Literal('hello'),
    facts: HostFacts,
    /** `holdingsDigest` of all its containers, if nothing is to be done or told of any. */
    holds: Type.Optional(Type.String({ maxLength: 64 })),
  }),
  Type.Object({
    kind: Type.Literal('observed'),
    id: containerId,
    observed: Observed,
    /** The engine holds nothing of it any more and its wish was to be gone (or it was to remove itself). */
    gone: Type.Boolean(),
  }),
  Type.Object({
    kind: Type.Literal('step'),
    id: containerId,
    version: Type.Integer(),
    step: Type.String(),
    /** Epoch milliseconds, the agent's clock. */
    startedAt: Type.Integer(),
    finishedAt: Type.Integer(),
    /** null: it worked. */
    error: Type.Union([Type.String(), Type.Null()]),
  }),
  Type.Object({ kind: Type.Literal('volume'), report: VolumeReport }),
  /** The engine went away or came back. */
  Type.Object({ kind: Type.Literal('engine'), up: Type.Boolean(), reason: Type.String() }),
])
export type AgentMessage = Static<typeof AgentMessage>
