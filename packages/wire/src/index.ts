export type { AgentHost } from './agent-host.ts'
export { type AgentSessionOptions, runAgentSession } from './agent-session.ts'
export {
  type AgentCalls,
  type CallArgs,
  type CallIo,
  type CallName,
  type CallReply,
  type CallResult,
  calls,
  PathStat,
  Stats,
} from './calls.ts'
export { type Credentials, lifetimeOf } from './credentials.ts'
export { type Dial, dialTcp } from './dial.ts'
export { type EnrolOptions, enrol } from './enrol.ts'
export { encodeFrame, type Frame, FrameDecoder, frameKinds } from './frames.ts'
export { type Holding, holdingDigest, holdingsDigest } from './holdings.ts'
export { formatJoinToken, type JoinToken, parseJoinToken } from './join-token.ts'
export type { Log } from './log.ts'
export { AgentMessage, ServerMessage } from './messages.ts'
export { type PeerLinks, type PeerLinksOptions, peerLinks } from './peer-links.ts'
export { type RegistryDial, registryDial } from './registry-dial.ts'
export type { ServeRegistry } from './registry-lines.ts'
export { Roster, type RosterOptions } from './roster.ts'
export { createRelay, type Relay, type RelayOptions, type ServerCertificate } from './relay.ts'
export type { HostPlan, PlanMessage, RelayLinks, RelayReports, RelayStep } from './relay-ports.ts'
