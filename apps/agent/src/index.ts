export { type AgentOptions, readOptions, UsageError, usage } from './options.ts'
export { type RunAgent, runAgent } from './run-agent.ts'
