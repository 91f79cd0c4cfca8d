import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { flush } from '../state-folders.ts'
import type { AttachedVolume } from './attached-volumes.ts'

export interface VolumeRecord extends AttachedVolume {
  /** GiB. The size that its file system has been given; 0: not known. */
  readonly grownTo: number
}

/** What is, or may be, of a volume on this machine. On disk before anything of it is; readable by root alone. */
export interface Records {
  write(record: VolumeRecord): Promise<void>
  read(id: string): Promise<VolumeRecord | null>
  remove(id: string): Promise<void>
  all(): Promise<VolumeRecord[]>
  ids(): Promise<string[]>
}

const ending = '.json'

export function recordsIn(folder: string): Records {
  const pathOf = (id: string) => {
    if (!/^[\w-]+$/.test(id)) throw new Error('A volume of that id cannot be.')
    return join(folder, `${id}${ending}`)
  }
  const ids = async () =>
    (await readdir(folder).catch(noneIfMissing))
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length))

  const read = async (id: string): Promise<VolumeRecord | null> => {
    try {
      return JSON.parse(await readFile(pathOf(id), 'utf8')) as VolumeRecord
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  return {
    read,
    ids,
    all: async () => (await Promise.all((await ids()).map(read))).filter((record) => record !== null),
    write: async (record) => {
      const path = pathOf(record.id)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const file = await open(`${path}.new`, 'w', 0o600)
      try {
        await file.writeFile(JSON.stringify(record))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}.new`, path)
      await flush(folder)
    },
    remove: async (id) => {
      await rm(`${pathOf(id)}.new`, { force: true })
      await rm(pathOf(id), { force: true })
    },
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function noneIfMissing(error: unknown): string[] {
  if (isMissing(error)) return []
  throw error
}
