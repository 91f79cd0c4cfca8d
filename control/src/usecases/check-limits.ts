import { Fault } from '@gantry/kernel'
import type { ContainerSpec } from '@gantry/model'

/** The least share of a core that engines can cap; they take one that rounds to nothing for "no limit". */
const leastCpu = 0.01

/** Throws `request.invalid` for limits that would not limit. */
export function checkLimits({ cpu }: Pick<ContainerSpec, 'cpu'>): void {
  if (cpu >= leastCpu) return
  throw new Fault('request.invalid', { problem: `cpu must be at least ${leastCpu} cores, not ${cpu}.` })
}
