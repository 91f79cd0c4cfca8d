import type { VolumeProvider } from '@gantry/control'
import type { ContainerId } from '@gantry/model'
import { inTurn } from '../among-servers.ts'
import { making } from '../making.ts'
import { sweeping } from '../sweeping.ts'
import { attachWorker } from './attach-worker.ts'
import type { VolumeBackend } from './backend.ts'
import { containerVolumes } from './container-volumes.ts'
import { dropVolumes, type MakerParts, makeVolumes } from './make-volumes.ts'
import type { Bells, Parts } from './parts.ts'
import { backupVerbs, snapshotVerbs } from './piece-verbs.ts'
import { letGo } from './rows.ts'
import { cloudSource } from './volume-source.ts'
import { sweepVolumes } from './volume-sweep.ts'
import { volumeVerbs } from './volume-verbs.ts'

export interface CloudVolumes extends VolumeProvider, AsyncDisposable {
  readonly remote: NonNullable<VolumeProvider['remote']>
  /** Goes on with what a dead server left; sweeps now and then. */
  start(): Promise<void>
}

export type CloudVolumesParts = Parts

/** How long a container that is gone waits for its volumes to be given back, too. Milliseconds. */
const leaveMs = 8000

/**
 * Volumes that services of an OpenStack keep: found, made and reserved with their users' rights, connected and given back with
 * Gantry's own.
 */
export function cloudVolumes(parts: CloudVolumesParts): CloudVolumes {
  const { store } = parts
  const bells: Bells = {
    wake: () => worker.wake(),
    changed: (hostId, volumeId) => told.changed(hostId, volumeId),
  }
  const told = cloudSource({ ...parts, wake: bells.wake })
  const worker = attachWorker({ ...parts, bells })
  const inHand = making(parts)
  const maker: MakerParts = {
    ...parts,
    bells,
    making: inHand,
    there: whatIsThere(parts.backends),
    settle: (ids) => worker.settle(ids),
  }
  // Where there are other servers, what is young may be theirs.
  const startedAt = parts.servers ? 0 : parts.clock.now()
  const sweeps = sweeping(parts.log, 'services of volumes', async () => {
    await inTurn(parts, 'sweep of volumes', () => sweepVolumes({ ...maker, startedAt }))
    worker.wake()
  })

  async function leaveAll(containerId: ContainerId): Promise<void> {
    const ids = await store.transaction((tables) => letGo(tables, bells, containerId))
    await within(leaveMs, worker.settle(ids))
    worker.wake()
  }

  return {
    volumes: volumeVerbs(maker),
    snapshots: snapshotVerbs(maker),
    backups: backupVerbs(maker),
    ...containerVolumes(parts, bells),
    source: told.source,
    remote: {
      make: (caller, containerId, mounts) => makeVolumes(maker, caller, containerId, mounts),
      drop: (containerId) => dropVolumes(maker, containerId).catch(() => undefined),
      leave: (containerId) => leaveAll(containerId).catch(() => worker.wake()),
    },
    async start() {
      worker.wake()
      sweeps.start()
    },
    async [Symbol.asyncDispose]() {
      await sweeps.stop()
      await worker.close()
    },
  }
}

/** Services come and go with the catalog; one that was there a moment ago is not looked for again. */
function whatIsThere(backends: readonly VolumeBackend[]): () => Promise<readonly VolumeBackend[]> {
  const seen = new Set<VolumeBackend>()
  return async () => {
    for (const backend of backends) if (!seen.has(backend) && (await backend.isThere())) seen.add(backend)
    return backends.filter((backend) => seen.has(backend))
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const tooLong = Promise.withResolvers<void>()
  const timer = setTimeout(tooLong.resolve, ms)
  await Promise.race([work, tooLong.promise])
  clearTimeout(timer)
}
