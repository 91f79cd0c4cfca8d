import { parseImageName } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { type CallContext, onContainer } from './call-context.ts'

/** Makes an image of a container's file system, under a name that the server chose. */
export function commitCall(context: CallContext): AgentCalls['commit'] {
  const { images, containers } = context.engine
  return ({ id, engineRef, ...options }, { signal }) =>
    onContainer(context, 'commit', id, signal, async (engineId) => {
      const { repo, tag } = parseImageName(engineRef)
      const made = await context.hold(id, () => containers.commit(engineId, repo, tag, signal, options))
      const { Id, Size } = await images.inspect(made.Id, signal)
      return { reply: { imageId: Id, size: Size }, output: null }
    })
}
