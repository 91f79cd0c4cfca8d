import { Fault } from '@gantry/kernel'
import type { AgentCalls } from '@gantry/wire'
import { problemSentence } from '../volumes/index.ts'
import type { CallContext } from './call-context.ts'

/** What volumes on this host's disk hold, for backups with the server and volumes made from those. */
export function volumeCopyCalls({ volumes }: CallContext): Pick<AgentCalls, 'volumeRead' | 'volumeWrite'> {
  const blaming = async <T>(task: Promise<T>): Promise<T> => {
    try {
      return await task
    } catch (error) {
      if (error instanceof Fault) throw error
      throw new Fault('volume.failed', { reason: problemSentence(error) }, error)
    }
  }
  return {
    volumeRead: async ({ id }, { signal }) => ({ reply: {}, output: await blaming(volumes.read(id, signal)) }),
    volumeWrite: async ({ id, size, sha256 }, { signal, input }) => {
      if (!input) throw new Fault('request.invalid', { problem: 'The content of a volume is needed to make it.' })
      await blaming(volumes.write({ id, size, sha256 }, input, signal))
      return { reply: {}, output: null }
    },
  }
}
