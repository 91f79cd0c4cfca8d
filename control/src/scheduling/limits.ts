import type { Host } from '@gantry/model'
import type { Policy } from '../deps.ts'

/** How much of each may be promised on a host. */
export interface Limits {
  readonly cpu: number
  readonly memory: number
  readonly disk: number
  readonly containers: number
}

/** The operator's ratios, unless the host's own labels say otherwise (`gantry.cpu-ratio=4`, `gantry.containers=10`). Pure. */
export function limitsOf({ facts }: Host, policy: Policy): Limits {
  const { labels } = facts
  return {
    cpu: facts.cpus * told(labels['gantry.cpu-ratio'], policy.cpuRatio),
    memory: facts.memory * told(labels['gantry.memory-ratio'], policy.memoryRatio),
    disk: facts.disk * told(labels['gantry.disk-ratio'], policy.diskRatio),
    containers: told(labels['gantry.containers'], policy.containersPerHost ?? Number.POSITIVE_INFINITY),
  }
}

function told(label: string | undefined, otherwise: number): number {
  if (label === undefined) return otherwise
  const value = Number(label)
  return Number.isFinite(value) && value > 0 ? value : otherwise
}
