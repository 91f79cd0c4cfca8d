import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { VolumePlan } from '@gantry/model'
import type { DiskImages } from './disk-images.ts'
import type { Growth } from './growth.ts'
import { problemSentence } from './problem-sentence.ts'
import { flushName, type StateFolders } from './state-folders.ts'
import type { VolumeMounts } from './volume-mounts.ts'

/** The files that hold the data. Calls for one volume or snapshot, or the source of one, must not overlap. */
export interface VolumeStore {
  /**
   * Makes what is not there yet, and gives a volume the size it is to have. Rejects if it cannot, or if data that has been there
   * is missing. A sentence instead of nothing: it is there, but could not be given its size.
   */
  ensure(plan: VolumePlan, signal: AbortSignal): Promise<string>
  /** Takes the data away for good, whether or not it is there. */
  remove(plan: Pick<VolumePlan, 'kind' | 'id'>): Promise<void>
  /** Mounts a volume that is there, and resolves with the folder for containers. */
  mount(id: string): Promise<string>
}

export interface StoreParts {
  readonly folders: StateFolders
  readonly images: DiskImages
  readonly mounts: VolumeMounts
  readonly growth: Growth
}

export function volumeStore({ folders, images, mounts, growth }: StoreParts): VolumeStore {
  const fileOf = (piece: Pick<VolumePlan, 'kind' | 'id'>) => fileIn(folders, piece)

  const sourceOf = async ({ kind, source, sourceKind }: VolumePlan) => {
    const from = { kind: sourceKind ?? (kind === 'volume' ? 'snapshot' : 'volume'), id: String(source) } as const
    if (!(await isThere(fileOf(from)))) throw new Error(`The ${from.kind} it is made from is missing on the host.`)
    return { file: fileOf(from), point: from.kind === 'volume' ? await mounts.pointOf(from.id) : null }
  }

  const grown = async ({ id, size }: VolumePlan, file: string, signal: AbortSignal): Promise<string> => {
    try {
      await growth.grow({ id, file, size }, signal)
      return ''
    } catch (error) {
      signal.throwIfAborted()
      return `It could not be given ${size} GiB: ${problemSentence(error)}`
    }
  }

  return {
    ensure: async (plan, signal) => {
      const file = fileOf(plan)
      if (await isThere(file)) return plan.kind === 'volume' ? grown(plan, file, signal) : ''
      if (plan.made) throw new Error(`The data of the ${plan.kind} is missing on the host.`)
      if (plan.source === null) await images.makeEmpty(file, plan.size, signal)
      else await images.makeCopy(file, await sourceOf(plan), plan.size, signal)
      return ''
    },
    remove: async (plan) => {
      if (plan.kind === 'volume') await mounts.unmount(plan.id)
      const file = fileOf(plan)
      await rm(file, { force: true })
      await flushName(file)
    },
    mount: async (id) => {
      if (!(await isThere(fileOf({ kind: 'volume', id })))) throw new Error('Its data is missing on the host.')
      return mounts.mount(id)
    },
  }
}

/** Where the data of a volume or snapshot is. Pure. */
export function fileIn(folders: StateFolders, { kind, id }: Pick<VolumePlan, 'kind' | 'id'>): string {
  return join(kind === 'volume' ? folders.volumes : folders.snapshots, `${id}.img`)
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    // Only this means that it is not there; anything else must not lead to a new one.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
