import type { HostLinks } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { VolumeCopies } from '@gantry/providers-embedded'

/** The content of volumes over the agents' own connections. */
export function volumeCopies({ calls }: Pick<HostLinks, 'calls'>): VolumeCopies {
  return {
    read: async (hostId, id, signal) => {
      const { output } = await calls(hostId).volumeRead({ id }, { signal })
      if (output === null) throw new Fault('volume.failed', { reason: 'The host gave no content.' })
      return output
    },
    write: async (hostId, volume, content, signal) => {
      await calls(hostId).volumeWrite(volume, { input: content, signal })
    },
  }
}
