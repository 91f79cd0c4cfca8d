import type { Deps } from '../deps.ts'
import type { ComputeProvider, SupplyPolicy } from '../ports/compute.ts'

export interface HostsOnDemand {
  readonly provider: ComputeProvider
  readonly policy: SupplyPolicy
  /** A join token that is good for so many milliseconds, and for an instance that has its id alone. */
  readonly issueToken: (lifeMs: number) => Promise<{ readonly id: string; readonly token: string }>
}

export type SupplyParts = Omit<Deps, 'ring' | 'supply'> & { readonly demand: HostsOnDemand }

/** The most that a container waits for an instance, whatever happens. */
export function longestWaitMs({ attempts, bootTimeoutMs, retryMs }: SupplyPolicy): number {
  return attempts * (bootTimeoutMs + retryMs * 2 ** attempts) + 60_000
}

/** How long an attempt that has failed is remembered. */
export const failureMs = 60 * 60_000
