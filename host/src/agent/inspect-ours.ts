import type { ContainerId, EngineContainer } from '@gantry/model'
import type { ContainerApi } from '../engine/containers.ts'
import { isStatus } from '../engine/engine-error.ts'
import type { Wiring } from '../network/wiring.ts'
import { engineContainerFrom } from './engine-container.ts'
import { engineName, labels } from './labels.ts'

/** The engine has a container of that name, but it belongs to somebody else. */
export const foreignName = 'foreign'

export type Inspect = (id: ContainerId, signal: AbortSignal) => Promise<EngineContainer | null | typeof foreignName>

/** Looks a container of ours up; null when the engine has none. */
export function inspectOurs(containers: ContainerApi, deployment: string, wiring: () => Promise<Wiring>): Inspect {
  return async (id, signal) => {
    try {
      const found = await containers.inspect(engineName(id), signal)
      const theirs = found.Config.Labels ?? {}
      if (theirs[labels.deployment] !== deployment || theirs[labels.container] !== id) return foreignName
      const wires = await wiring()
      await wires.look(id)
      return engineContainerFrom(found, wires.nicsOf(id, found))
    } catch (error) {
      if (isStatus(error, 404)) return null
      throw error
    }
  }
}
