import { posix } from 'node:path'
import { BuildError } from '@gantry/dockerfile'
import type { CopySource } from './copy-sources.ts'
import type { FileTree, TreeEntry } from './file-tree.ts'

/** What there is at a path of an image, links followed. */
export interface Destination {
  readonly kind: 'folder' | 'other' | 'missing'
  /** The nearest folder above it that there is; itself if it is one. Absolute. */
  readonly base: string
  /** From there to it. */
  readonly below: readonly string[]
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** One entry of the tar that is unpacked in `Destination.base`. */
export interface CopyEntry {
  /** Relative to the base. */
  readonly path: string
  readonly entry: TreeEntry
}

export interface CopyOptions {
  readonly sources: readonly CopySource[]
  /** As the instruction names it, absolute; a slash at the end means a folder. */
  readonly destination: string
  readonly there: Destination
  /** null: as in the source. */
  readonly owner: Owner | null
  /** Epoch milliseconds: of folders that are made on the way. */
  readonly now: number
}

const root: Owner = { uid: 0, gid: 0 }

/** What COPY puts where, by the rules of the classic builder. Pure. Throws `BuildError`. */
export function copyPlan(tree: FileTree, { sources, destination, there, owner, now }: CopyOptions): CopyEntry[] {
  const made = folderEntry(now)
  const mine = owner ?? root
  const to = there.below.join('/')
  const entries = new Map<string, CopyEntry>()
  const put = (path: string, entry: TreeEntry) => entries.set(path, { path, entry })
  const owned = (entry: TreeEntry) => (owner ? { ...entry, ...owner } : entry)
  const makeFolders = (parts: readonly string[], by: Owner) => {
    parts.forEach((_, index) => {
      const path = parts.slice(0, index + 1).join('/')
      if (!entries.has(path)) put(path, { ...made, ...by })
    })
  }
  for (const source of sources) {
    const entry = tree.get(source.path)
    if (!entry) continue
    if (source.isFolder) {
      if (there.kind === 'other')
        throw new BuildError(`failed to copy files: cannot copy to non-directory: ${destination}`)
      if (there.kind === 'missing') {
        makeFolders(there.below.slice(0, -1), root)
        put(to, { ...made, ...mine })
      }
      for (const path of tree.below(source.path)) {
        const inner = tree.get(path)
        const relative = source.path === '' ? path : path.slice(source.path.length + 1)
        if (inner) put(posix.join(to, relative), owned(inner))
      }
    } else {
      const intoFolder = destination.endsWith('/') || there.kind === 'folder'
      makeFolders(intoFolder && there.kind !== 'folder' ? there.below : there.below.slice(0, -1), mine)
      const path = intoFolder ? posix.join(to, posix.basename(source.named)) : to
      put(path, owned(entry))
    }
  }
  return [...entries.values()]
}

/** Folders from the base to the destination, which an archive is to be unpacked in. */
export function foldersTo({ below, kind }: Destination, now: number): CopyEntry[] {
  if (kind === 'folder') return []
  return below.map((_, index) => ({ path: below.slice(0, index + 1).join('/'), entry: folderEntry(now) }))
}

export function folderEntry(now: number): TreeEntry {
  return { kind: 'folder', mode: 0o755, ...root, mtime: now, target: '', at: 0, size: 0, sha256: '' }
}
