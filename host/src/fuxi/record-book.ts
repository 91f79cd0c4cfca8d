import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TSchema } from 'typebox'
import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'
import { flush } from '../volumes/state-folders.ts'

const schema = Type.Object({
  name: Type.String(),
  backend: Type.Union([Type.Literal('cinder'), Type.Literal('manila')]),
  volumeId: Type.String(),
  /** An attachment, an access rule; null: not known, though there may be one. */
  accessId: Type.Union([Type.String(), Type.Null()]),
  /** It was mounted here, whole, and Docker was told so or is about to be. */
  mounted: Type.Boolean(),
  /** Docker's ids of those who use it. */
  holds: Type.Array(Type.String()),
  /** Which start of the machine it was mounted in. */
  bootId: Type.String(),
}) satisfies TSchema

/** A volume that this host has, is getting or is letting go. */
export type VolumeRecord = Readonly<Static<typeof schema>>

/** Records in a folder, one file each; also in memory, so that reading them takes no time. */
export interface RecordBook {
  get(name: string): VolumeRecord | null
  all(): VolumeRecord[]
  /** Safe on disk when it resolves. */
  set(record: VolumeRecord): Promise<void>
  remove(name: string): Promise<void>
}

const ending = '.json'

/** Opens the book; a file that cannot be read is an error, as it may be all that is known of a mounted volume. */
export async function openRecordBook(folder: string): Promise<RecordBook> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const records = new Map<string, VolumeRecord>()
  for (const file of await readdir(folder)) {
    const path = join(folder, file)
    if (!file.endsWith(ending)) {
      // Half written; what it was to replace is whole.
      await rm(path, { force: true })
      continue
    }
    const record = recordFrom(await readFile(path, 'utf8'), path)
    records.set(record.name, record)
  }
  return {
    get: (name) => records.get(name) ?? null,
    all: () => [...records.values()],
    async set(record) {
      const path = join(folder, record.name + ending)
      const draft = join(folder, `${record.name}.new`)
      const file = await open(draft, 'w', 0o600)
      try {
        await file.writeFile(JSON.stringify(record))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
      await flush(folder)
      records.set(record.name, record)
    },
    async remove(name) {
      await rm(join(folder, name + ending), { force: true })
      await flush(folder)
      records.delete(name)
    },
  }
}

function recordFrom(text: string, path: string): VolumeRecord {
  let document: unknown = null
  try {
    document = JSON.parse(text)
  } catch {
    // Told below.
  }
  if (Value.Check(schema, document)) return document
  throw new Error(`${path} is damaged; it says which volume is mounted on this host. Repair it, or remove it.`)
}
