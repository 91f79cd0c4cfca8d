export type { AgentHost } from './agent-host.ts'
export {
  type AgentCalls,
  type CallArgs,
  type CallIo,
  type CallName,
  type CallReply,
  type CallResult,
  calls,
  type EngineImage,
  PathStat,
  Stats,
} from './calls.ts'
export { encodeFrame, type Frame, FrameDecoder, frameKinds } from './frames.ts'
export { AgentMessage, ServerMessage } from './messages.ts'
