import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { badArchive } from './bad-archive.ts'

export type Compression = 'none' | 'gzip' | 'zstd'

/** How many bytes tell a compression. */
const longestMagic = 6

/** Throws `request.invalid` for those that are known and not read here. */
export function compressionOf(head: Buffer): Compression {
  const begins = (...bytes: readonly number[]) => bytes.every((byte, at) => head[at] === byte)
  if (begins(0x1f, 0x8b)) return 'gzip'
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a)) throw unread('xz')
  if (begins(0x42, 0x5a, 0x68) && head.length > 3) throw unread('bzip2')
  return 'none'
}

/** What is unpacked at once. Bytes. */
const chunkSize = 256 << 10

export function decompressor(compression: Exclude<Compression, 'none'>) {
  return compression === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize })
}

/** A stream again, and at least so many of its first bytes, or all if it is shorter. */
export async function peeked(
  source: AsyncIterable<Buffer>,
  least = longestMagic,
): Promise<{ head: Buffer; body: AsyncGenerator<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  while (head.length < least) {
    const next = await iterator.next()
    if (next.done === true) break
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
  const first = head
  async function* whole() {
    try {
      if (first.length > 0) yield first
      yield* { [Symbol.asyncIterator]: () => iterator }
    } finally {
      await iterator.return?.()
    }
  }
  return { head, body: whole() }
}

/** Bytes as a stream that `pipeline` takes. */
export function streamOf(source: AsyncIterable<Buffer>): Readable {
  return Readable.from(source, { objectMode: false, highWaterMark: 1 << 20 })
}

function unread(name: string) {
  return badArchive(`it is compressed with ${name}; give it as it is, or compressed with gzip or zstd`)
}

/** What `source` gives, without its compression. Throws for one that is not supported; `into` settles when all has gone on. */
export async function unpacked(
  source: AsyncIterable<Buffer>,
): Promise<{ into(target: NodeJS.WritableStream, signal: AbortSignal): Promise<void> }> {
  const { head, body } = await peeked(source)
  const compression = compressionOf(head)
  return {
    into: (target, signal) =>
      compression === 'none'
        ? pipeline(streamOf(body), target, { signal })
        : pipeline(streamOf(body), decompressor(compression), target, { signal }),
  }
}
