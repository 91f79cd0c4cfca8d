import type { AgentCalls } from '@gantry/wire'
import { archiveCalls } from './archive.ts'
import { attachCall } from './attach.ts'
import { type CallContext, onContainer } from './call-context.ts'
import { commitCall } from './commit.ts'
import { engineContainerCalls } from './engine-container.ts'
import { engineImageCalls } from './engine-images.ts'
import { execCalls } from './exec.ts'
import { imageBuildCalls } from './image-build.ts'
import { logsCall } from './logs.ts'
import { statsCall } from './stats.ts'
import { volumeCopyCalls } from './volume-copies.ts'

/** What a server may ask of this host at once, carried out on its engine. */
export function agentCalls(context: CallContext): AgentCalls {
  const { containers } = context.engine
  return {
    logs: logsCall(context),
    attach: attachCall(context),
    stats: statsCall(context),
    commit: commitCall(context),
    ...execCalls(context),
    ...engineContainerCalls(context),
    ...archiveCalls(context),
    ...engineImageCalls(context),
    ...imageBuildCalls(context),
    ...volumeCopyCalls(context),
    ttyResize: ({ id, rows, columns }, { signal }) =>
      onContainer(context, 'resize the terminal of', id, signal, async (engineId) => {
        await containers.resize(engineId, rows, columns, signal)
        return { reply: {}, output: null }
      }),
    top: ({ id, psArgs }, { signal }) =>
      onContainer(context, 'list the processes of', id, signal, async (engineId) => {
        const { Titles, Processes } = await containers.top(engineId, psArgs, signal)
        const processes = (Processes ?? []).map((row) => [...row])
        return { reply: { titles: [...Titles], processes }, output: null }
      }),
    kill: ({ id, signal: killSignal }, { signal }) =>
      onContainer(context, 'kill', id, signal, async (engineId) => {
        await containers.kill(engineId, killSignal, signal)
        return { reply: {}, output: null }
      }),
  }
}
