import type { Store, VolumeProvider } from '@gantry/control'
import { type Clock, type Ids, limiter } from '@gantry/kernel'
import type { VolumeHosts } from './choose-host.ts'
import { containerVolumes } from './container-volumes.ts'
import { defaultLimits, type VolumeLimits } from './limits.ts'
import type { Parts } from './parts.ts'
import { snapshotVerbs } from './snapshot-verbs.ts'
import { type PlanListener, volumeSource } from './volume-source.ts'
import { volumeVerbs } from './volume-verbs.ts'

export interface EmbeddedVolumesOptions {
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly hosts: VolumeHosts
  readonly limits?: Partial<VolumeLimits>
}

/** Volumes on the disks of the hosts: one lives on one host, and its containers run there. */
export function embeddedVolumes({ store, clock, ids, hosts, limits }: EmbeddedVolumesOptions): VolumeProvider {
  const listeners: PlanListener[] = []
  const parts: Parts = {
    store,
    clock,
    ids,
    hosts,
    limits: { ...defaultLimits, ...limits },
    telling: limiter(1),
    tell: (hostId, plan) => {
      for (const listener of listeners) listener(hostId, plan)
    },
  }
  return {
    volumes: volumeVerbs(parts),
    snapshots: snapshotVerbs(parts),
    ...containerVolumes(parts),
    source: volumeSource(parts, listeners),
  }
}
