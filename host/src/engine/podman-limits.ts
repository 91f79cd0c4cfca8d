import type { EngineTransport } from './engine-transport.ts'
import type { ContainerInspect, Limits } from './engine-types.ts'

/** Microseconds; the kernel's usual period. */
const period = 100_000
/** Containers whose limits are remembered. One forgotten is merely told its limits again. */
const mostRemembered = 10_000

/** Limits in a Podman that has no Docker-compatible `update`. */
export interface PodmanLimits {
  /** Sets the limits of this container; one that does not run gets them when it has been started. */
  set(inspect: ContainerInspect, limits: Limits, signal?: AbortSignal): Promise<void>
  /** The inspect answer with the limits that are in force. Pure. */
  inForce(inspect: ContainerInspect): ContainerInspect
}

/**
 * Podman's own `libpod/containers/{id}/update` (4.3) changes the control group and nothing else: before 5.1 an inspect still
 * tells the limits of the creation, and the next start brings those back. So what was set is remembered for as long as the
 * container runs on (by its start time); after another start, or in a new agent, inspect tells the old limits again, they
 * differ from the wish, and they are set once more.
 */
export function podmanLimits(transport: EngineTransport): PodmanLimits {
  const remembered = new Map<string, { readonly startedAt: string; readonly limits: Limits }>()
  return {
    set: async ({ Id, State }, limits, signal) => {
      if (State.Running || State.Paused) {
        const path = `/containers/${Id}/update`
        const request = { method: 'POST', api: 'libpod', path, body: resourcesOf(limits) } as const
        // Its answer is a bare id, which is no JSON.
        const { body } = await transport.stream({ ...request, ...(signal && { signal }) })
        body.resume()
      }
      remembered.delete(Id)
      remembered.set(Id, { startedAt: State.StartedAt, limits })
      const [oldest] = remembered.keys()
      if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest)
    },
    inForce: (inspect) => {
      const known = remembered.get(inspect.Id)
      if (known?.startedAt !== inspect.State.StartedAt) return inspect
      const { NanoCpus, Memory } = known.limits
      return { ...inspect, HostConfig: { ...inspect.HostConfig, NanoCpus, CpuQuota: 0, Memory } }
    },
  }
}

/** As the OCI runtime specification has them; -1 is no limit. */
function resourcesOf({ NanoCpus, Memory, MemorySwap }: Limits): object {
  return {
    cpu: { period, quota: NanoCpus > 0 ? Math.round((NanoCpus / 1e9) * period) : -1 },
    memory: { limit: Memory > 0 ? Memory : -1, swap: MemorySwap > 0 ? MemorySwap : -1 },
  }
}
