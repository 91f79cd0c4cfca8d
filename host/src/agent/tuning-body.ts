import { type ContainerSpec, tuned } from '@gantry/model'
import type { TuningBody } from '../engine/engine-types.ts'

/** What an update tells the engine beside cores and memory. A zero would mean "as it is" to it, and is left out. Pure. */
export function tuningBody(spec: Pick<ContainerSpec, 'restartPolicy' | 'options'>): TuningBody {
  const { restart, pids, cpuShares, memoryReservation } = tuned(spec)
  return {
    RestartPolicy: {
      Name: restart.name,
      MaximumRetryCount: restart.name === 'on-failure' ? restart.maxRetries : 0,
    },
    PidsLimit: pids,
    ...(cpuShares > 0 && { CpuShares: cpuShares }),
    ...(memoryReservation > 0 && { MemoryReservation: memoryReservation }),
  }
}
