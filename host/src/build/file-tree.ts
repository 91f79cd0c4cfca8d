import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

export interface TreeEntry {
  readonly kind: 'file' | 'folder' | 'link'
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Epoch milliseconds. */
  readonly mtime: number
  /** Where a link points, as written. */
  readonly target: string
  /** Of a file: where its bytes begin in the spool, how many they are, and their SHA-256 in hex. */
  readonly at: number
  readonly size: number
  readonly sha256: string
}

/** As deep as Linux follows links before it gives up. */
const mostLinks = 40

/**
 * Files that came as a tar: their names in memory, their bytes one after the other in one file, the spool. Nothing is ever
 * unpacked on this machine, so no name and no link in a tar can reach out of it. Paths have no slash at the beginning; the
 * root is the empty one.
 */
export class FileTree {
  readonly #entries: ReadonlyMap<string, TreeEntry>
  readonly #spool: string
  #sorted: readonly string[] | null = null

  constructor(entries: ReadonlyMap<string, TreeEntry>, spool: string) {
    this.#entries = entries
    this.#spool = spool
  }

  get(path: string): TreeEntry | undefined {
    return this.#entries.get(path)
  }

  /** Every path, in order. */
  paths(): readonly string[] {
    this.#sorted ??= [...this.#entries.keys()].sort()
    return this.#sorted
  }

  without(paths: readonly string[]): FileTree {
    if (paths.length === 0) return this
    return new FileTree(new Map([...this.#entries].filter(([path]) => !paths.includes(path))), this.#spool)
  }

  /** What lies below a folder, in order: parents before children. */
  below(folder: string): readonly string[] {
    const prefix = folder === '' ? '' : `${folder}/`
    return this.paths().filter((path) => path !== '' && path.startsWith(prefix))
  }

  /** Follows every link on the way and the last one; null: there is nothing. Links never lead out of the root. */
  resolve(path: string): string | null {
    let left = path.split('/').filter((part) => part !== '' && part !== '.')
    let done: string[] = []
    let links = 0
    while (left.length > 0) {
      const [part = '', ...others] = left
      left = others
      if (part === '..') {
        done = done.slice(0, -1)
        continue
      }
      const here = [...done, part].join('/')
      const entry = this.#entries.get(here)
      if (!entry) return null
      if (entry.kind === 'link') {
        links += 1
        if (links > mostLinks) return null
        if (entry.target.startsWith('/')) done = []
        left = [...entry.target.split('/').filter((each) => each !== '' && each !== '.'), ...left]
      } else {
        done = [...done, part]
      }
    }
    const found = done.join('/')
    return this.#entries.has(found) ? found : null
  }

  read({ at, size }: TreeEntry): Readable {
    if (size === 0) return Readable.from([])
    return createReadStream(this.#spool, { start: at, end: at + size - 1 })
  }

  /** The spool, for who reads many small files; the caller closes it. */
  open(): Promise<FileHandle> {
    return open(this.#spool)
  }

  /** The first `most` bytes of a file. */
  async head(entry: TreeEntry, most: number): Promise<Buffer> {
    return buffer(this.read({ ...entry, size: Math.min(entry.size, most) }))
  }

  /** Of names, kinds, permissions, owners and contents, not of times: what decides whether a copy is the same as before. */
  hash(paths: readonly string[]): string {
    const hash = createHash('sha256')
    for (const path of paths) {
      const entry = this.#entries.get(path)
      if (!entry) continue
      const { kind, mode, uid, gid, target, sha256 } = entry
      hash.update(`${JSON.stringify([path, kind, mode, uid, gid, target, sha256])}\n`)
    }
    return hash.digest('hex')
  }
}

/** A name in a tar as a path of the tree; null: it would lie outside. */
export function treePath(name: string): string | null {
  const plain = posix.normalize(name.replace(/^\/+/, '')).replace(/\/+$/, '')
  if (plain === '..' || plain.startsWith('../') || plain.includes('\0')) return null
  return plain === '.' ? '' : plain
}
