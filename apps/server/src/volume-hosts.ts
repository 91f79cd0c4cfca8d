import type { HostLinks, Store } from '@gantry/control'
import type { VolumeHosts } from '@gantry/providers-embedded'

/** The hosts as the volume provider looks at them when a volume wants a place. */
export function volumeHosts(store: Store, links: HostLinks): VolumeHosts {
  return async () =>
    (await store.hosts.list()).map(({ id, availabilityZone, disabled, facts, used }) => ({
      id,
      zone: availabilityZone,
      up: links.connected(id),
      freeGib: facts.disk - used.disk,
      problem: disabled ? 'an administrator has disabled it' : (facts.volumeProblem ?? null),
    }))
}
