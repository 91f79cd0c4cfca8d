import { readFile, rename, writeFile } from 'node:fs/promises'
import type { RemoteEntry } from './backend.ts'

/** What was known of a service's volumes, for a plugin that begins while the service is away. */
export interface KnownFile {
  /** null: nothing is known. */
  readonly before: readonly RemoteEntry[] | null
  /** Written behind the caller; of several at once the last counts. */
  readonly keep: (entries: readonly RemoteEntry[]) => void
}

export async function openKnownFile(path: string, failed: (error: unknown) => void): Promise<KnownFile> {
  let written = await readFile(path, 'utf8').catch(() => '')
  let wanted = written
  let writing: Promise<void> | null = null
  const write = async () => {
    try {
      while (wanted !== written) {
        const text = wanted
        await writeFile(`${path}.new`, text, { mode: 0o600 })
        await rename(`${path}.new`, path)
        written = text
      }
    } catch (error) {
      failed(error)
    } finally {
      writing = null
    }
  }
  return {
    before: entriesFrom(written),
    keep(entries) {
      wanted = JSON.stringify(entries)
      if (wanted !== written) writing ??= write()
    },
  }
}

/** It is a memory only: one that cannot be read is none. */
function entriesFrom(text: string): RemoteEntry[] | null {
  try {
    const document: unknown = JSON.parse(text)
    return Array.isArray(document) ? (document as RemoteEntry[]) : null
  } catch {
    return null
  }
}
