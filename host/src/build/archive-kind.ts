import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { FileTree, TreeEntry } from './file-tree.ts'

const block = 512

/** Whether ADD unpacks a file: a tar, plain or compressed as the engine can undo. */
export async function isArchive(tree: FileTree, entry: TreeEntry): Promise<boolean> {
  if (entry.kind !== 'file' || entry.size < 20) return false
  const head = await tree.head(entry, block)
  const begins = (...bytes: number[]) => head.subarray(0, bytes.length).equals(Buffer.from(bytes))
  if (begins(0x42, 0x5a, 0x68) || begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return true
  if (begins(0x1f, 0x8b)) return isTarHeader(await firstBlock(tree, entry, createGunzip()))
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return isTarHeader(await firstBlock(tree, entry, createZstdDecompress()))
  return isTarHeader(head)
}

/** Of what the file unpacks to; shorter if that is not whole. */
async function firstBlock(
  tree: FileTree,
  entry: TreeEntry,
  unzip: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  await pipeline(tree.read(entry), unzip, async (source: AsyncIterable<Buffer>) => {
    for await (const part of source) {
      parts.push(part)
      length += part.length
      if (length >= block) return
    }
  }).catch(() => undefined)
  return Buffer.concat(parts).subarray(0, block)
}

/** By its checksum (POSIX ustar): the bytes of the header, with blanks in the checksum's own place. */
function isTarHeader(head: Buffer): boolean {
  if (head.length < block) return false
  const told = Number.parseInt(
    head
      .toString('latin1', 148, 156)
      .replace(/[\0 ]+/g, ' ')
      .trim(),
    8,
  )
  const sum = head.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  return sum === told
}
