import { Assignment, type ContainerId, HostFacts, Observed } from '@gantry/model'
import Type, { type Static } from 'typebox'

/**
 * The control stream: one HTTP/2 request that the relay opens on an agent when it connects and that lasts as long as the
 * session. Both directions carry NDJSON. The agent begins with `hello`; the relay answers with every assignment of the host,
 * then `synced`; only from then on may the agent remove engine containers that no assignment names. The agent sends one
 * `observed` for each assignment it was given and one more at every change.
 */
export const ServerMessage = Type.Union([
  Type.Object({ kind: Type.Literal('assign'), assignment: Assignment }),
  Type.Object({ kind: Type.Literal('synced') }),
])
export type ServerMessage = Static<typeof ServerMessage>

const containerId = Type.Unsafe<ContainerId>(Type.String())

export const AgentMessage = Type.Union([
  Type.Object({ kind: Type.Literal('hello'), facts: HostFacts }),
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
  /** The engine went away or came back. */
  Type.Object({ kind: Type.Literal('engine'), up: Type.Boolean(), reason: Type.String() }),
])
export type AgentMessage = Static<typeof AgentMessage>
