import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BackupId } from '@gantry/model'
import { FileSink } from '../blobs/file-sink.ts'
import { makeFolder, syncFolder, writing } from '../blobs/layout.ts'

/** What backups hold, one file each. A file has its name only once it is whole and safe on disk. */
export interface BackupFiles {
  /** Resolves with the SHA-256 of the content, in hex. Rejects, with nothing left, if the content breaks off: `store.full`. */
  keep(id: BackupId, content: Readable, signal: AbortSignal): Promise<string>
  /** Its content, from the beginning. Rejects if it is missing. */
  read(id: BackupId): Promise<Readable>
  /** Whether or not it is there. */
  remove(id: BackupId): Promise<void>
  /** Removes all others, and what a server that was killed had half written. */
  keepOnly(ids: ReadonlySet<BackupId>): Promise<void>
}

const ending = '.tar.zst'

/** Files in `folder`, which nobody else uses; made when it is needed. */
export function backupFiles(folder: string): BackupFiles {
  const pathOf = (id: BackupId) => join(folder, `${id}${ending}`)

  return {
    keep: async (id, content, signal) => {
      const draft = `${pathOf(id)}.new`
      try {
        return await writing(async () => {
          await makeFolder(folder)
          const digest = await write(draft, content, signal)
          await rename(draft, pathOf(id))
          await syncFolder(folder)
          return digest
        })
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      } finally {
        content.destroy()
      }
    },
    read: async (id) => {
      const content = createReadStream(pathOf(id), { highWaterMark: 1 << 20 })
      const { promise, resolve, reject } = Promise.withResolvers<Readable>()
      content.once('open', () => resolve(content)).once('error', reject)
      return promise
    },
    remove: async (id) => {
      await rm(pathOf(id), { force: true })
      await rm(`${pathOf(id)}.new`, { force: true })
    },
    keepOnly: async (ids) => {
      await makeFolder(folder)
      const wanted = new Set([...ids].map((id) => `${id}${ending}`))
      for (const name of await readdir(folder)) {
        if (!wanted.has(name)) await rm(join(folder, name), { force: true })
      }
    },
  }
}

async function write(path: string, content: Readable, signal: AbortSignal): Promise<string> {
  const file = await open(path, 'w', 0o600)
  try {
    const hash = createHash('sha256')
    const sink = new FileSink(file, 0, Number.POSITIVE_INFINITY)
    const into = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        hash.update(chunk)
        sink.take(chunk).then(() => done(), done)
      },
      final: (done) => void sink.end().then(() => done(), done),
    })
    await pipeline(content, into, { signal })
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}
