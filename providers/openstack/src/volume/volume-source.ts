import type { CloudAttachment, CloudVolume, Store, Tables, VolumeSource } from '@gantry/control'
import { limiter } from '@gantry/kernel'
import type { Connection, HostId, VolumeId, VolumePlan, VolumeReport } from '@gantry/model'
import type { Parts } from './parts.ts'
import { liveOn, volumesIn } from './rows.ts'

type PlanListener = (hostId: HostId, plan: VolumePlan) => void

export interface SourceParts extends Parts {
  /** Something may be due at a service. */
  readonly wake: () => void
}

/** What hosts are told of volumes that other services keep, and what they say. */
export interface CloudSource {
  readonly source: VolumeSource
  /** What a host is to know of a volume changed; it is told once the transaction under way has ended. */
  changed(hostId: HostId, volumeId: VolumeId): void
}

export function cloudSource(parts: SourceParts): CloudSource {
  const { store } = parts
  const listeners: PlanListener[] = []
  // One after another: nothing older can then be told after something newer.
  const telling = limiter(1)
  const plansOf = async (hostId: HostId, attachments: readonly CloudAttachment[]): Promise<VolumePlan[]> => {
    const ids = [...new Set(attachments.map(({ volumeId }) => volumeId))]
    const volumes = await store.cloudVolumes.getMany(ids)
    return volumes.flatMap((volume) => {
      const of = attachments.filter((one) => one.volumeId === volume.id && one.hostId === hostId)
      return of.length === 0 ? [] : [planOf(parts, volume, liveOn(of, hostId))]
    })
  }
  return {
    source: {
      ofHost: async (hostId) => plansOf(hostId, await store.cloudAttachments.ofHost(hostId)),
      ofMounts: async (mounts, hostId) => plansOf(hostId, await store.cloudAttachments.ofVolumes(volumesIn(mounts))),
      ofOne: async (hostId, id) => plansOf(hostId, await store.cloudAttachments.ofVolume(id as VolumeId)),
      onChange: (listener) => {
        listeners.push(listener)
      },
      report: (hostId, report) => onReport(parts, hostId, report),
    },
    changed(hostId, volumeId) {
      // If the store is closed by then, every host is told everything at its next connection anyway.
      afterTransaction(store)
        .then(() =>
          telling(async () => {
            const rows = await store.cloudAttachments.ofVolume(volumeId)
            for (const plan of await plansOf(hostId, rows)) for (const listener of listeners) listener(hostId, plan)
          }),
        )
        .catch(() => undefined)
    },
  }
}

/** Transactions exclude each other, so an empty one ends after the one under way. */
function afterTransaction(store: Store): Promise<void> {
  return store.transaction(async () => undefined)
}

function planOf(parts: Parts, volume: CloudVolume, live: CloudAttachment | undefined): VolumePlan {
  const { id, size, blank, maybeBlank, fsType } = volume
  const connection = connectionOf(parts, live?.sealedConnection ?? null)
  const problem = live?.problem ?? null
  return {
    kind: 'volume',
    id,
    size,
    source: null,
    made: !blank,
    gone: live === undefined,
    remote: {
      connection,
      fsType,
      blank,
      ...(maybeBlank && { maybeBlank }),
      readOnly: live ? !live.writable : false,
      ...(connection === null && problem !== null && { problem }),
    },
  }
}

/** null as well if the key is another one by now: the other volumes of the host must not wait for that. */
function connectionOf({ secrets, log }: Parts, sealed: string | null): Connection | null {
  if (sealed === null) return null
  try {
    return JSON.parse(secrets.open(sealed)) as Connection
  } catch {
    log.error({}, 'a connection to a volume cannot be opened: secrets.key is not the one it was sealed with')
    return null
  }
}

async function onReport(parts: SourceParts, hostId: HostId, { kind, id, state, reason }: VolumeReport): Promise<void> {
  if (kind !== 'volume') return
  await parts.store.transaction(async (tables) => {
    const live = liveOn(await tables.cloudAttachments.ofVolume(id as VolumeId), hostId)
    if (!live) return
    if (state === 'available') await onMounted(tables, live)
    if (state === 'error') await tables.cloudAttachments.update(live.id, { problem: reason.slice(0, 1000) })
  })
  parts.wake()
}

async function onMounted(tables: Tables, { id, volumeId }: CloudAttachment): Promise<void> {
  // From now on it is never given a file system again.
  await tables.cloudVolumes.update(volumeId, { blank: false, maybeBlank: false })
  await tables.cloudAttachments.update(id, { mounted: true, problem: null })
}
