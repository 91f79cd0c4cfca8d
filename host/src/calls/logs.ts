import type { AgentCalls } from '@gantry/wire'
import { type CallContext, onContainer } from './call-context.ts'

/** The engine's own stream, untouched: framed without a terminal, raw with one. */
export function logsCall(context: CallContext): AgentCalls['logs'] {
  return ({ id, ...query }, { signal }) =>
    onContainer(context, 'read the logs of', id, signal, async (engineId) => {
      const { containers } = context.engine
      const [{ Config }, output] = await Promise.all([
        containers.inspect(engineId, signal),
        containers.logs(engineId, query, signal),
      ])
      return { reply: { framed: !Config.Tty }, output }
    })
}
