import { createHash } from 'node:crypto'
import type { ProjectId } from '@gantry/model'
import { labels } from '../agent/labels.ts'
import { isStatus } from '../engine/engine-error.ts'
import type { NetworkApi } from '../engine/networks.ts'
import { dockerDriverName } from './docker-driver.ts'

/** What one Docker network stands for. */
export interface DockerNetworkKey {
  readonly networkId: string
  readonly projectId: ProjectId
  /** 0, but for further interfaces of one container on the same network: Docker takes a container once per network. */
  readonly slot: number
}

/**
 * Docker's own networks, which are names for us: one for each network and project, also where projects share a network, so
 * that Docker's name service never answers one with the other's containers. Made when first needed, removed by the sweep.
 */
export interface DockerNetworks {
  /** Its name; it exists when this resolves. */
  ensure(key: DockerNetworkKey, signal: AbortSignal): Promise<string>
  name(key: DockerNetworkKey): string
  /** Forgets that they exist, because the engine said that one does not. */
  forget(): void
  /** Learns what the engine has. Removes those that `inUse` does not want, if it is given. */
  sweep(inUse: ((key: DockerNetworkKey) => boolean) | null, signal: AbortSignal): Promise<void>
}

export function dockerNetworks(api: NetworkApi, tag: string, deployment: string): DockerNetworks {
  const known = new Map<string, Promise<void>>()
  const driver = dockerDriverName(tag)
  // Docker answers a question for an address with `<container>.<network>`: longer than 63 characters, and it answers nothing.
  const name = ({ networkId, projectId, slot }: DockerNetworkKey) => {
    const whole = createHash('sha256').update(`${networkId} ${projectId} ${slot}`).digest('hex')
    return `${driver}-${networkId.slice(0, 8)}-${whole.slice(0, 16)}`
  }

  const make = async (key: DockerNetworkKey, signal: AbortSignal) => {
    const ours = {
      [labels.deployment]: deployment,
      [labels.network]: key.networkId,
      [labels.project]: key.projectId,
      [labels.slot]: String(key.slot),
    }
    try {
      await api.create({ name: name(key), labels: ours, driver }, signal)
    } catch (error) {
      if (!isStatus(error, 409)) throw error
    }
  }

  return {
    name,
    ensure: async (key, signal) => {
      const wanted = name(key)
      const making = known.get(wanted) ?? make(key, signal)
      known.set(wanted, making)
      try {
        await making
        return wanted
      } catch (error) {
        known.delete(wanted)
        throw error
      }
    },
    forget: () => known.clear(),
    sweep: async (inUse, signal) => {
      const found = await api.list([`${labels.deployment}=${deployment}`], signal)
      for (const { Name, Id, Driver, Labels } of found) {
        const key = keyOf(Labels ?? {})
        if (Driver === driver && key && (inUse === null || inUse(key))) {
          known.set(Name, Promise.resolve())
          continue
        }
        if (inUse === null) continue
        // Whoever needs it again from here on makes it again, or is told that it is missing and does so then.
        known.delete(Name)
        await api.remove(Id, signal)
      }
    },
  }
}

function keyOf(of: Readonly<Record<string, string>>): DockerNetworkKey | null {
  const [networkId, projectId] = [of[labels.network], of[labels.project]]
  if (networkId === undefined || projectId === undefined) return null
  return { networkId, projectId: projectId as ProjectId, slot: Number(of[labels.slot] ?? 0) }
}
