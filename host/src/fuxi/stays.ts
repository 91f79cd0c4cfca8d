import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { backoff, reasonOf, turns } from '@gantry/kernel'
import type { Context } from '@gantry/openstack'
import type { HostLog } from '../agent/host-log.ts'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { AttachedVolumes } from '../volumes/index.ts'
import type { FuxiBackend, RemoteEntry } from './backend.ts'
import type { RecordBook, VolumeRecord } from './record-book.ts'
import { reasonToldOf } from './told.ts'

/** Volumes that are on this host, from the first container that uses one to the last. */
export interface Stays {
  /** Where it is mounted now; null: it is not. */
  pointOf(name: string): string | null
  /** Mounts it if it is not; `entry` is asked for then. */
  enter(name: string, holdId: string, entry: () => Promise<Found>, context: Context): Promise<string>
  /** The last one to leave takes the volume off this host. What does not work at once is done behind it. */
  leave(name: string, holdId: string, context: Context): Promise<void>
  /** Does it if nothing here uses the volume, and while nothing can begin to; refuses else. */
  whileUnused<T>(name: string, work: () => Promise<T>, context: Context): Promise<T>
  /** Forgets those who hold it but `kept`; the volume goes if nobody is left. */
  settle(name: string, kept: (record: VolumeRecord) => readonly string[]): Promise<void>
  /** Resolves when nothing is under way, or begun any more. */
  close(): Promise<void>
}

export interface Found {
  readonly backend: FuxiBackend
  readonly entry: RemoteEntry
}

export interface StaysParts {
  readonly book: RecordBook
  readonly attached: AttachedVolumes
  readonly backends: readonly FuxiBackend[]
  /** Volumes are mounted at `<folder>/<backend>/<name>`. */
  readonly folder: string
  /** How long a volume stays when nothing uses it, milliseconds. */
  readonly lingerMs: number
  readonly bootId: string
  readonly log: HostLog
}

/** For what is done behind Docker's back, milliseconds. */
const behindMs = 60_000
const pause = { baseMs: 500, maxMs: 30_000 }

export function stays(parts: StaysParts): Stays {
  const { book, attached, backends, folder, lingerMs, bootId, log } = parts
  const turn = turns()
  const closing = new AbortController()
  const behind = new Map<string, Promise<void>>()

  const pointFor = ({ backend, name }: Pick<VolumeRecord, 'backend' | 'name'>) => join(folder, backend, name)
  const behindContext = () => ({ signal: AbortSignal.timeout(behindMs) })

  /** Whatever there is of it on this host. Repeatable. */
  const takeOff = async (record: VolumeRecord, context: Context): Promise<void> => {
    await attached.unmount(record.volumeId)
    const backend = backends.find(({ name }) => name === record.backend)
    if (!backend) throw new Error(`${record.backend} is not among the volume providers of this plugin any more.`)
    await book.set({ ...record, mounted: false, holds: [] })
    await backend.disconnect(record.volumeId, record.accessId, context)
    await book.remove(record.name)
    log.info({ volume: record.name, id: record.volumeId }, 'volume left this host')
  }

  /** Until it is done, or used again. */
  const takeOffBehind = (name: string, afterMs: number): void => {
    if (behind.has(name)) return
    const work = async () => {
      await sleep(afterMs, undefined, { signal: closing.signal })
      for (let attempt = 0; ; attempt += 1) {
        try {
          await turn.take(name, async () => {
            const record = book.get(name)
            if (record && record.holds.length === 0) await takeOff(record, behindContext())
          })
          return
        } catch (error) {
          log.warn({ volume: name, attempt, reason: reasonToldOf(error) }, 'volume still on this host')
        }
        await backoff(attempt, pause, closing.signal)
      }
    }
    const done = work()
      .catch((error: unknown) => {
        if (!closing.signal.aborted) log.error({ volume: name, reason: reasonOf(error) }, 'volume stays on this host')
      })
      .finally(() => behind.delete(name))
    behind.set(name, done)
  }

  const mountNew = async (
    name: string,
    holdId: string,
    { backend, entry }: Found,
    context: Context,
  ): Promise<string> => {
    let record: VolumeRecord = {
      name,
      backend: backend.name,
      volumeId: entry.id,
      accessId: null,
      mounted: false,
      holds: [],
      bootId,
    }
    await book.set(record)
    const note = async (accessId: string) => {
      record = { ...record, accessId }
      await book.set(record)
    }
    const point = pointFor(record)
    const reach = await backend.connect(entry, { id: null, note }, context)
    const { connection, fsType, blank, readOnly } = reach
    const { id, size } = entry
    await attached.mount({ id, size, connection, point, covered: false, fsType, blank, readOnly }, context.signal)
    if (record.accessId !== null) await backend.complete(id, record.accessId, context)
    await book.set({ ...record, mounted: true, holds: [holdId] })
    return point
  }

  const enter = async (name: string, holdId: string, find: () => Promise<Found>, context: Context): Promise<string> => {
    const before = book.get(name)
    if (before?.mounted && (await attached.isMounted(before.volumeId))) {
      await book.set({ ...before, holds: [...new Set([...before.holds, holdId])] })
      return pointFor(before)
    }
    if (before?.mounted && before.holds.length > 0) {
      throw new PluginRefusal(
        409,
        `The volume ${name} was unmounted on this host by somebody else while containers use it; stop them first.`,
      )
    }
    if (before) await takeOff(before, context)
    const found = await find()
    try {
      const point = await mountNew(name, holdId, found, context)
      log.info({ volume: name, id: found.entry.id }, 'volume came to this host')
      return point
    } catch (error) {
      // In its own time: the caller's may be over.
      const left = book.get(name)
      if (left) await takeOff(left, behindContext()).catch(() => takeOffBehind(name, 0))
      throw error
    }
  }

  const leave = async (name: string, holdId: string, context: Context): Promise<void> => {
    const record = book.get(name)
    if (!record) return
    const holds = record.holds.filter((id) => id !== holdId)
    await book.set({ ...record, holds })
    if (holds.length > 0) return
    if (lingerMs > 0) return takeOffBehind(name, lingerMs)
    try {
      await takeOff({ ...record, holds }, context)
    } catch (error) {
      log.warn({ volume: name, reason: reasonToldOf(error) }, 'volume still on this host')
      takeOffBehind(name, pause.baseMs)
    }
  }

  return {
    pointOf: (name) => {
      const record = book.get(name)
      return record?.mounted ? pointFor(record) : null
    },
    enter: (name, holdId, find, context) => turn.take(name, () => enter(name, holdId, find, context)),
    leave: (name, holdId, context) => turn.take(name, () => leave(name, holdId, context)),
    whileUnused: (name, work, context) =>
      turn.take(name, async () => {
        const record = book.get(name)
        if (record && record.holds.length > 0) {
          throw new PluginRefusal(409, `The volume ${name} is in use on this host by ${countOf(record.holds.length)}.`)
        }
        if (record) await takeOff(record, context)
        return work()
      }),
    settle: (name, kept) =>
      turn.take(name, async () => {
        const record = book.get(name)
        if (!record) return
        const holds = kept(record)
        if (holds.length !== record.holds.length) await book.set({ ...record, holds: [...holds] })
        if (holds.length === 0) takeOffBehind(name, 0)
      }),
    async close() {
      closing.abort(new Error('the plugin is closing'))
      await Promise.all(behind.values())
    },
  }
}

function countOf(count: number): string {
  return count === 1 ? 'a container' : `${count} containers`
}
