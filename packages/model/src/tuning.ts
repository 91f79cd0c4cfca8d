import type { ContainerSpec } from './spec.ts'

/** Processes of a container, unless it asks for fewer: enough for any service, and it stops a fork bomb. */
export const mostPids = 4096

export interface Tuning {
  readonly restart: ContainerSpec['restartPolicy']
  readonly pids: number
  readonly cpuShares: number
  /** Bytes. */
  readonly memoryReservation: number
}

/** What an update may change beside cores and memory. */
export function tuned({ restartPolicy, options = {} }: Pick<ContainerSpec, 'restartPolicy' | 'options'>): Tuning {
  return {
    restart: restartPolicy,
    pids: Math.min(options.pidsLimit ?? mostPids, mostPids),
    cpuShares: options.cpuShares ?? 0,
    memoryReservation: options.memoryReservation ?? 0,
  }
}

/** The same as one text, for comparing what is with what is asked. */
export function tuningText({ restart, pids, cpuShares, memoryReservation }: Tuning): string {
  const retries = restart.name === 'on-failure' ? restart.maxRetries : 0
  return `${restart.name}:${retries} pids:${pids} shares:${cpuShares} reserved:${memoryReservation}`
}

export function tuningOf(spec: Pick<ContainerSpec, 'restartPolicy' | 'options'>): string {
  return tuningText(tuned(spec))
}
