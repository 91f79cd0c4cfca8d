import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { reasonOf } from '@gantry/kernel'
import type { Caller, Digest } from '@gantry/model'
import { extract } from 'tar-stream'
import type { Catalogue } from '../../catalogue.ts'
import { badArchive } from './bad-archive.ts'
import { type Compression, compressionOf, decompressor, peeked, streamOf } from './compression.ts'

/** A blob, and what it would be as a layer. */
export interface StoredLayer {
  readonly digest: Digest
  /** Bytes, as it came. */
  readonly size: number
  /** What it unpacks to; or why it is no layer. */
  readonly unpacked: UnpackedLayer | { readonly problem: string }
}

export interface UnpackedLayer {
  readonly compression: Compression
  readonly diffId: Digest
  /** Bytes of the files in it, as engines count them. */
  readonly filesSize: number
}

/** A layer that unpacks to more is refused: work that a small archive could make for the server. Bytes. */
const largestUnpacked = 256 * 2 ** 30

/** Tars from before POSIX too. */
const anyFormat = { highWaterMark: 64 << 10, allowUnknownFormat: true }

/** Keeps `body` as a blob while finding out what kind of layer it is. Constant memory. */
export async function storeLayer(
  catalogue: Catalogue,
  caller: Caller,
  body: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<StoredLayer> {
  const { head, body: whole } = await peeked(body)
  const look = lookInto(head, signal)
  try {
    const { digest, size } = await catalogue.addBlob(caller, streamOf(watched(whole, look)), signal)
    return { digest, size, unpacked: await look.end(digest) }
  } finally {
    look.close()
  }
}

async function* watched(source: AsyncIterable<Buffer>, look: Look): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    await look.take(chunk)
    yield chunk
  }
}

interface Look {
  readonly take: (chunk: Buffer) => Promise<void>
  readonly end: (digest: Digest) => Promise<StoredLayer['unpacked']>
  readonly close: () => void
}

/** A second reader of the same bytes. That it finds no layer in them ends it, and not the first one. */
function lookInto(head: Buffer, signal: AbortSignal): Look {
  let compression: Compression
  try {
    compression = compressionOf(head)
  } catch (error) {
    const unpacked = { problem: reasonOf(error) }
    return { take: async () => undefined, end: async () => unpacked, close: () => undefined }
  }
  const hash = compression === 'none' ? null : createHash('sha256')
  const input = new PassThrough({ highWaterMark: 1 << 20 })
  let filesSize = 0
  let failed: unknown = null
  async function* hashed(source: AsyncIterable<Buffer>) {
    let size = 0
    for await (const chunk of source) {
      hash?.update(chunk)
      size += chunk.length
      if (size > largestUnpacked) throw badArchive(`a layer unpacks to more than ${largestUnpacked} bytes`)
      yield chunk
    }
  }
  async function count(source: AsyncIterable<Buffer>) {
    filesSize = await sizeOfFiles(source)
  }
  const reading = (
    compression === 'none'
      ? pipeline(input, count, { signal })
      : pipeline(input, decompressor(compression), hashed, count, { signal })
  ).catch((error: unknown) => {
    failed = error
  })
  return {
    async take(chunk) {
      if (failed !== null || input.destroyed || input.write(chunk)) return
      const stop = new AbortController()
      const drained = once(input, 'drain', { signal: stop.signal }).catch(() => undefined)
      await Promise.race([drained, reading])
      stop.abort()
    },
    async end(digest) {
      input.end()
      await reading
      if (failed !== null) return { problem: reasonOf(failed) }
      const diffId = hash ? (`sha256:${hash.digest('hex')}` as Digest) : digest
      return { compression, diffId, filesSize }
    },
    close: () => void input.destroy(),
  }
}

async function sizeOfFiles(source: AsyncIterable<Buffer>): Promise<number> {
  const entries = extract(anyFormat)
  const feeding = pipeline(source, entries)
  // Thrown below, unless the entries end first.
  feeding.catch(() => undefined)
  let total = 0
  for await (const entry of entries) {
    const { type, size, linkname } = entry.header
    if (type === 'file' || type === 'contiguous-file') total += size ?? 0
    // A link is as long as what it says; another name of a file is nothing.
    if (type === 'symlink') total += Buffer.byteLength(linkname ?? '')
    entry.resume()
  }
  await feeding
  return total
}
