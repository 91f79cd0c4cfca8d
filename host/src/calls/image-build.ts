import { PassThrough } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { AgentCalls } from '@gantry/wire'
import { type CallContext, onContainer } from './call-context.ts'

/** Images from Dockerfiles. */
export function imageBuildCalls(context: CallContext): Pick<AgentCalls, 'imageBuildPlan' | 'imageBuild'> {
  const { builds } = context
  return {
    imageBuildPlan: async (args, { signal, input }) => {
      if (!input) throw new Fault('request.invalid', { problem: 'A tar is needed to build from.' })
      return { reply: await builds.plan(args, input, signal), output: null }
    },
    imageBuild: (args, { signal }) =>
      onContainer(context, 'build in', args.sandbox, signal, (sandbox) => {
        const taken = builds.take(args.contextId)
        const output = new PassThrough()
        const ended = new AbortController()
        // Told to who reads it; if nobody does, it is no matter.
        output.on('error', () => undefined)
        output.once('close', () => ended.abort(new Error('nobody reads the output any more')))
        builds
          .build(args, taken, sandbox, output, AbortSignal.any([signal, ended.signal]))
          .then(() => output.end())
          .catch((error: unknown) => output.destroy(error instanceof Error ? error : new Error(String(error))))
        return Promise.resolve({ reply: {}, output })
      }),
  }
}
