import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { addAbortSignal, type Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { BuildError } from '@gantry/dockerfile'
import { extract, type Header } from 'tar-stream'
import { FileTree, type TreeEntry, treePath } from './file-tree.ts'

export interface TreeLimits {
  /** Of all files together. */
  readonly bytes: number
  readonly entries: number
}

export interface TreeOptions {
  readonly limits?: TreeLimits
  /** What a name in the tar is to be in the tree. */
  readonly rename?: (name: string) => string
}

/** Far more than any source tree; without a bound a build could fill the host. */
const treeLimits: TreeLimits = { bytes: 8 * 1024 ** 3, entries: 200_000 }

/**
 * Reads a tar (plain, gzip or zstd) of any length into a tree whose spool is the new file `spool`. Throws `BuildError` for
 * what is no such tar, is too large, or names a place outside itself. Devices and pipes are left out.
 */
export async function readTree(
  tar: Readable,
  spool: string,
  signal: AbortSignal,
  { limits = treeLimits, rename = (name) => name }: TreeOptions = {},
): Promise<FileTree> {
  await using file = await open(spool, 'wx', 0o600)
  const reader = new TreeReader(file, limits, rename)
  const unpack = extract()
  addAbortSignal(signal, tar)
  const { head, whole } = await peek(tar)
  const plain = decompressed(head)
  unpack.on('entry', (header, content, next) => {
    reader.take(header, content as AsyncIterable<Buffer>).then(
      () => {
        content.resume()
        next()
      },
      (error: unknown) => next(asError(error)),
    )
  })
  try {
    if (plain === null) await pipeline(whole, unpack, { signal })
    else await pipeline(whole, plain, unpack, { signal })
  } catch (error) {
    if (error instanceof BuildError || signal.aborted || isSystem(error)) throw error
    throw new BuildError(`Error processing tar file: ${error instanceof Error ? error.message : String(error)}`)
  }
  return new FileTree(reader.finish(), spool)
}

class TreeReader {
  readonly #file: FileHandle
  readonly #limits: TreeLimits
  readonly #rename: (name: string) => string
  readonly #entries = new Map<string, TreeEntry>()
  #at = 0

  constructor(file: FileHandle, limits: TreeLimits, rename: (name: string) => string) {
    this.#file = file
    this.#limits = limits
    this.#rename = rename
  }

  async take(header: Header, content: AsyncIterable<Buffer>): Promise<void> {
    const path = treePath(this.#rename(header.name))
    if (path === null) throw new BuildError(`Error processing tar file: ${header.name} lies outside of the archive`)
    const usual = {
      ...usualEntry,
      ...owner(header),
      mode: (header.mode ?? 0o644) & 0o7777,
      mtime: +(header.mtime ?? 0),
    }
    if (header.type === 'file' || header.type === 'contiguous-file') {
      this.#put(path, { ...usual, kind: 'file', ...(await this.#store(content)) })
      return
    }
    if (header.type === 'directory') this.#put(path, { ...usual, kind: 'folder' })
    if (header.type === 'symlink') this.#put(path, { ...usual, kind: 'link', target: header.linkname ?? '' })
    if (header.type === 'link') {
      const same = this.#entries.get(treePath(this.#rename(header.linkname ?? '')) ?? '')
      if (same?.kind !== 'file') throw new BuildError(`Error processing tar file: ${header.name} links to nothing`)
      this.#put(path, same)
    }
  }

  /** Folders that the tar left out are there all the same. */
  finish(): ReadonlyMap<string, TreeEntry> {
    for (const path of [...this.#entries.keys(), '/']) {
      const parts = path.split('/')
      for (let count = parts.length - 1; count >= 0; count -= 1) {
        const parent = parts.slice(0, count).join('/')
        if (this.#entries.has(parent)) continue
        this.#entries.set(parent, { ...usualEntry, kind: 'folder', mode: 0o755 })
      }
    }
    return this.#entries
  }

  #put(path: string, entry: TreeEntry): void {
    if (path === '' && entry.kind !== 'folder') return
    if (this.#entries.size >= this.#limits.entries) {
      throw new BuildError(`The build context has more than ${this.#limits.entries} files.`)
    }
    this.#entries.set(path, entry)
  }

  async #store(content: AsyncIterable<Buffer>): Promise<Pick<TreeEntry, 'at' | 'size' | 'sha256'>> {
    const at = this.#at
    const hash = createHash('sha256')
    for await (const chunk of content) {
      if (this.#at + chunk.length > this.#limits.bytes) {
        throw new BuildError(`The build context is larger than ${this.#limits.bytes} bytes.`)
      }
      hash.update(chunk)
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, this.#at + done)
        done += bytesWritten
      }
      this.#at += chunk.length
    }
    return { at, size: this.#at - at, sha256: hash.digest('hex') }
  }
}

const usualEntry = {
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  target: '',
  at: 0,
  size: 0,
  sha256: '',
} as const

function owner({ uid, gid }: Header): { uid: number; gid: number } {
  return { uid: uid ?? 0, gid: gid ?? 0 }
}

/** Enough to tell the compressions apart, bytes. */
const headBytes = 6

/** The first bytes of a stream, and the whole of it. */
async function peek(tar: Readable): Promise<{ head: Buffer; whole: () => AsyncGenerator<Buffer, void> }> {
  const chunks = (tar as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  let ended = false
  while (head.length < headBytes && !ended) {
    const { value, done } = await chunks.next()
    if (done === true) ended = true
    else head = Buffer.concat([head, value])
  }
  const whole = async function* () {
    if (head.length > 0) yield head
    if (!ended) yield* { [Symbol.asyncIterator]: () => chunks }
  }
  return { head, whole }
}

/** By the first bytes of each format; null: none of them. */
function decompressed(head: Buffer): Transform | null {
  const begins = (...bytes: number[]) => head.subarray(0, bytes.length).equals(Buffer.from(bytes))
  if (begins(0x1f, 0x8b)) return createGunzip()
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return createZstdDecompress()
  const name = begins(0x42, 0x5a, 0x68) ? 'bzip2' : begins(0xfd, 0x37, 0x7a, 0x58, 0x5a) ? 'xz' : ''
  if (name !== '') throw new BuildError(`A build context compressed with ${name} is not supported; use gzip or none.`)
  return null
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** A full disk and the like, which is not the tar's fault. */
function isSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
