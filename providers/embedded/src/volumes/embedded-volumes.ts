import type { Cluster, Store, VolumeProvider } from '@gantry/control'
import { type Clock, type Ids, limiter } from '@gantry/kernel'
import type { BackupFiles } from './backup-files.ts'
import { backupJobs, type VolumeCopies } from './backup-jobs.ts'
import { backupVerbs } from './backup-verbs.ts'
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
  /** The servers that make backups. */
  readonly cluster: Pick<Cluster, 'self' | 'members' | 'tell' | 'onNote'>
  /** How the server gets at what hosts have. */
  readonly copies: VolumeCopies
  readonly backupFiles: BackupFiles
  readonly limits?: Partial<VolumeLimits>
}

export interface EmbeddedVolumes extends VolumeProvider {
  /** Makes good what dead servers left half done: before the first request, and when one is found dead. */
  begin(): Promise<void>
  /** Breaks off the backups and restores under way; they end in error, with a reason. */
  close(): Promise<void>
}

/** Volumes on the disks of the hosts: one lives on one host, and its containers run there. Backups lie with the server. */
export function embeddedVolumes(options: EmbeddedVolumesOptions): EmbeddedVolumes {
  const { store, clock, ids, hosts, cluster, limits, copies, backupFiles } = options
  const listeners: PlanListener[] = []
  const parts: Parts = {
    store,
    clock,
    ids,
    hosts,
    cluster,
    limits: { ...defaultLimits, ...limits },
    telling: limiter(1),
    tell: (hostId, plan) => {
      for (const listener of listeners) listener(hostId, plan)
    },
  }
  const jobs = backupJobs({ parts, files: backupFiles, copies })
  return {
    volumes: volumeVerbs(parts, jobs),
    snapshots: snapshotVerbs(parts),
    backups: backupVerbs(parts, jobs),
    ...containerVolumes(parts),
    source: volumeSource(parts, listeners),
    remote: null,
    begin: () => jobs.begin(),
    close: () => jobs.close(),
  }
}
