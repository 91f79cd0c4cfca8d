import { join } from 'node:path'
import { backoff } from '@gantry/kernel'
import type { Context } from '@gantry/openstack'
import type { HostLog } from '../agent/host-log.ts'
import type { AttachedVolumes } from '../volumes/index.ts'
import { mountPoints } from '../volumes/mount-table.ts'
import type { FuxiBackend, RemoteEntry } from './backend.ts'
import type { RecordBook } from './record-book.ts'
import type { Stays } from './stays.ts'
import { reasonToldOf } from './told.ts'

export interface RecoveryParts {
  readonly book: RecordBook
  readonly stays: Stays
  readonly attached: AttachedVolumes
  readonly backends: readonly FuxiBackend[]
  readonly folder: string
  readonly bootId: string
  readonly context: () => Context
  readonly log: HostLog
}

/** Of a user whom nobody remembers. */
const unknownHold = 'unknown'

/**
 * Takes in what a plugin before this one left: asks nobody but the kernel and the state folder, and is over before Docker may
 * call. Who used a volume before the machine was started anew does not any more.
 */
export async function takeIn({ book, stays, attached, bootId, log }: RecoveryParts): Promise<void> {
  const known = new Set<string>()
  for (const { name, volumeId } of book.all()) {
    known.add(volumeId)
    await stays.settle(name, (record) => (record.mounted && record.bootId === bootId ? record.holds : []))
  }
  for (const id of await attached.list()) {
    // One that is mounted may be in use: it is looked for where its name is known.
    if (known.has(id) || (await attached.isMounted(id))) continue
    await attached.unmount(id).catch((error: unknown) => {
      log.warn({ id, reason: reasonToldOf(error) }, 'something of an unknown volume is left')
    })
  }
}

/**
 * Gives back what the services say this host has, and the state folder does not know. Where such a volume is mounted at its place,
 * it is taken in instead. Tries until each service was asked, or the signal ends it.
 */
export async function takeInUnknown(parts: RecoveryParts, signal: AbortSignal): Promise<void> {
  await Promise.all(parts.backends.map((backend) => takeInFrom(parts, backend, signal)))
}

const pause = { baseMs: 2000, maxMs: 60_000 }

async function takeInFrom(parts: RecoveryParts, backend: FuxiBackend, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const here = (await backend.list(parts.context())).filter(({ isHere }) => isHere)
      for (const entry of here) if (parts.book.get(entry.name) === null) await takeInOne(parts, backend, entry)
      return
    } catch (error) {
      parts.log.warn({ provider: backend.name, reason: reasonToldOf(error) }, 'volumes of this host not looked for yet')
      await backoff(attempt, pause, signal).catch(() => undefined)
    }
  }
}

async function takeInOne(parts: RecoveryParts, backend: FuxiBackend, { name, id }: RemoteEntry): Promise<void> {
  const { book, stays, folder, bootId, context, log } = parts
  const isMounted = (await mountPoints()).includes(join(folder, backend.name, name))
  log.warn({ volume: name, id, isMounted }, 'this host has a volume that it did not know of')
  const record = { name, backend: backend.name, volumeId: id, accessId: null, bootId }
  const work = async () => {
    if (isMounted) await book.set({ ...record, mounted: true, holds: [unknownHold] })
    else await backend.disconnect(id, null, context())
  }
  await stays.whileUnused(name, work, context())
}
