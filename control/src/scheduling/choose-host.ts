import type { Host } from '@gantry/model'
import { type Candidate, filters, type Need } from './filters.ts'

export type Choice =
  | { readonly kind: 'chosen'; readonly host: Host }
  | { readonly kind: 'none'; readonly reasons: string }

/**
 * The host for a container: of those that pass every filter, the one with the smallest share of its memory promised
 * (spread). When none passes, the reasons count the hosts that each filter refused. Pure.
 */
export function chooseHost(candidates: readonly Candidate[], need: Need): Choice {
  const refused = new Map<string, number>()
  let best: Host | null = null
  for (const candidate of candidates) {
    const refusal = filters.find((filter) => !filter.passes(candidate, need))
    if (refusal) refused.set(refusal.why, (refused.get(refusal.why) ?? 0) + 1)
    else if (best === null || load(candidate.host) < load(best)) best = candidate.host
  }
  if (best) return { kind: 'chosen', host: best }
  if (candidates.length === 0) return { kind: 'none', reasons: 'no host has joined yet' }
  const counts = [...refused].map(
    ([why, count]) => `${count} of ${candidates.length} ${count === 1 ? 'is' : 'are'} ${why}`,
  )
  return { kind: 'none', reasons: counts.join(', ') }
}

function load(host: Host): number {
  return host.used.memory / Math.max(1, host.facts.memory)
}
