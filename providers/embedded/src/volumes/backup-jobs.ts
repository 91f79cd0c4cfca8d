import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, limiter, reasonOf } from '@gantry/kernel'
import type { Backup, BackupId, HostId, Volume, VolumeId } from '@gantry/model'
import type { BackupFiles } from './backup-files.ts'
import { type Parts, shortened, transact } from './parts.ts'

/** Volumes' content on its way between hosts and the server. Every call may be broken off, and leaves nothing then. */
export interface VolumeCopies {
  /** The content of a volume as it is now, packed. Whatever it is packed in, `write` of any host takes it. */
  read(hostId: HostId, id: VolumeId, signal: AbortSignal): Promise<Readable>
  /** Makes a volume of `size` GiB of what `read` gave. It is there only if all of the content has that SHA-256 (hex). */
  write(
    hostId: HostId,
    volume: { readonly id: VolumeId; readonly size: number; readonly sha256: string },
    content: Readable,
    signal: AbortSignal,
  ): Promise<void>
}

/** Backups and restores under way. What this server has begun it ends; what dead ones left is found by `begin`. */
export interface BackupJobs {
  /** Before anything else, and when a server was found dead. */
  begin(): Promise<void>
  backUp(backup: Backup, hostId: HostId): void
  restore(volume: Volume): void
  /** Breaks off what is under way for this backup or volume, on whatever server, and resolves when it is over. */
  giveUp(id: BackupId | VolumeId): Promise<void>
  /** Takes away the content of a backup that is being deleted, then forgets it. */
  remove(id: BackupId): Promise<void>
  close(): Promise<void>
}

export interface JobsOptions {
  readonly parts: Parts
  readonly files: BackupFiles
  readonly copies: VolumeCopies
}

/** How long another server may take to break one off, and between two looks whether it has. Milliseconds. */
const elsewhereMs = 30_000
const lookMs = 200

/** Each has a disk of a host busy, and a core with packing. */
const atOnce = 4

export function backupJobs({ parts, files, copies }: JobsOptions): BackupJobs {
  const { store, cluster } = parts
  const limited = limiter(atOnce)
  const running = new Map<string, { readonly leave: AbortController; readonly end: Promise<void> }>()

  const start = (id: BackupId | VolumeId, work: (signal: AbortSignal) => Promise<void>): void => {
    const leave = new AbortController()
    const { signal } = leave
    const unbegun = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => unbegun.resolve(), { once: true })
    const inTurn = limited(async () => {
      if (signal.aborted) return
      const whole = work(signal)
      unbegun.resolve(whole)
      await whole
    })
    // One that waits for its turn is over when it is not wanted any more.
    const whole = async () => {
      try {
        await Promise.race([inTurn, unbegun.promise])
      } finally {
        running.delete(id)
        await store.duties.end('backup', id)
      }
    }
    const end = whole()
    // What `work` cannot write down is found by the next `begin`.
    end.catch(() => undefined)
    running.set(id, { leave, end })
  }

  const giveUpHere = async (id: string, reason = new Error('It is being deleted.')) => {
    const job = running.get(id)
    job?.leave.abort(reason)
    await job?.end.catch(() => undefined)
  }
  const giveUp = async (id: BackupId | VolumeId): Promise<void> => {
    if (running.has(id)) return giveUpHere(id)
    for (let waited = 0; waited < elsewhereMs; waited += lookMs) {
      if (!(await heldByLiving(parts)).has(id)) return
      cluster.tell({ kind: 'give-up', id })
      await sleep(lookMs)
    }
  }
  cluster.onNote((note) => {
    if (note.kind === 'give-up') void giveUpHere(note.id)
  })

  return {
    begin: () => takeUp(parts, files),
    backUp: ({ id, volumeId }, hostId) =>
      start(id, async (signal) => {
        try {
          const content = await copies.read(hostId, volumeId, signal)
          const sha256 = await files.keep(id, content, signal)
          await endBackup(parts, id, { status: 'available', statusReason: null, sha256 })
        } catch (error) {
          await endBackup(parts, id, { status: 'error', statusReason: sentence(error, signal) })
        }
        // It may have been deleted while its last byte was written.
        if ((await store.backups.get(id))?.status !== 'available') await files.remove(id)
      }),
    restore: (volume) =>
      start(volume.id, async (signal) => {
        try {
          await restore({ parts, files, copies }, volume, signal)
          await endRestore(parts, volume.id, { status: 'available', statusReason: null })
        } catch (error) {
          await endRestore(parts, volume.id, { status: 'error', statusReason: sentence(error, signal) })
        }
      }),
    giveUp,
    remove: async (id) => {
      await giveUp(id)
      await files.remove(id)
      await store.backups.remove(id)
    },
    close: async () => {
      const stopping = new Error('The server was stopped meanwhile.')
      await Promise.all([...running.keys()].map((id) => giveUpHere(id, stopping)))
    },
  }
}

async function restore({ parts, files, copies }: JobsOptions, volume: Volume, signal: AbortSignal): Promise<void> {
  const { id, size, hostId, backupId } = volume
  const backup = backupId && (await parts.store.backups.get(backupId))
  if (!backup?.sha256 || hostId === null) throw new Error('The backup is gone.')
  const content = await files.read(backup.id)
  try {
    await copies.write(hostId, { id, size, sha256: backup.sha256 }, content, signal)
  } finally {
    content.destroy()
  }
}

/** What living servers have under way. */
async function heldByLiving({ store, cluster }: Parts): Promise<ReadonlySet<string>> {
  return store.duties.heldBy(
    'backup',
    (await cluster.members()).map(({ id }) => id),
  )
}

/** What a server that is no more began and did not end. Hosts have given up by now what they did for it. */
async function takeUp(parts: Parts, files: BackupFiles): Promise<void> {
  const { store } = parts
  const statusReason = 'The server ended while it was being made; delete it and begin anew.'
  const whole = new Set<BackupId>()
  const [backups, volumes] = [await store.backups.list(null), await store.volumes.list(null)]
  // Asked after them, or what begins in between would be taken for left.
  const held = await heldByLiving(parts)
  for (const { id, status } of backups) {
    if (status === 'available' || held.has(id)) whole.add(id)
    if (held.has(id)) continue
    if (status === 'creating') await endBackup(parts, id, { status: 'error', statusReason })
    if (status === 'deleting') await store.backups.remove(id)
  }
  // Should the host have all of it, it will say so when it connects.
  for (const { id, status, backupId } of volumes) {
    const isLeft = status === 'creating' && backupId && !held.has(id)
    if (isLeft) await endRestore(parts, id, { status: 'error', statusReason })
  }
  // What others have begun since is in no list of ours.
  if ((await parts.cluster.members()).length === 1) await files.keepOnly(whole)
}

async function endBackup(
  { store }: Parts,
  id: BackupId,
  change: { readonly status: 'available' | 'error'; readonly statusReason: string | null; readonly sha256?: string },
): Promise<void> {
  await store.transaction(async ({ backups }) => {
    if ((await backups.get(id))?.status === 'creating') await backups.update(id, change)
  })
}

async function endRestore(
  parts: Parts,
  id: VolumeId,
  change: { readonly status: 'available' | 'error'; readonly statusReason: string | null },
): Promise<void> {
  await transact(parts, async ({ tables, changed }) => {
    const volume = await tables.volumes.get(id)
    if (volume?.status !== 'creating') return
    await tables.volumes.update(id, change)
    // From now on its host is told of it like of any other.
    if (change.status === 'available') changed(volume)
  })
}

function sentence(error: unknown, signal: AbortSignal): string {
  const cause: unknown = signal.aborted ? signal.reason : error
  if (cause instanceof Fault && cause.code === 'host.unreachable') return 'The host of its data went away meanwhile.'
  return shortened(reasonOf(cause))
}
