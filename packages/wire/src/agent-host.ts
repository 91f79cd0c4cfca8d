import type { HostFacts } from '@gantry/model'
import type { AgentCalls } from './calls.ts'
import type { AgentMessage, ServerMessage } from './messages.ts'

/** What a machine offers to the session that connects it with a relay. Implemented by host/. */
export interface AgentHost {
  facts(): Promise<HostFacts>
  readonly calls: AgentCalls
  /** `holdingsDigest` of all containers; null while there is something to do or to tell of one, or if it cannot tell. Asked before a session begins. */
  readonly holds?: () => string | null
  /**
   * A session began. `send` may be called until `signal` aborts and keeps order; what it is given is queued and written with
   * back-pressure, so it never blocks. The answer takes the relay's messages in order. Work under way goes on between
   * sessions; the next session starts with every assignment again. `ping` settles when the server has answered it, and
   * rejects if it never will.
   */
  session(
    send: (message: AgentMessage) => void,
    signal: AbortSignal,
    ping: () => Promise<void>,
  ): (message: ServerMessage) => void
}
