import { remembered } from '../identity/remembered.ts'
import { ownNeutron, type Parts } from './parts.ts'

/** What this Neutron can do beyond the core, by alias: `router`, `floating-ip-port-forwarding`. */
export type Extensions = () => Promise<ReadonlySet<string>>

/** It changes when its operator configures Neutron anew. Milliseconds. */
const keptMs = 5 * 60_000

export function extensionsOf(parts: Pick<Parts, 'access' | 'clock'>): Extensions {
  const known = remembered({ clock: parts.clock, keptMs, most: 1 }, () =>
    ownNeutron(parts).extensions(parts.access.ownContext()),
  )
  return () => known('')
}
