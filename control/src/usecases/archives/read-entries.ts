import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import type { Caller, Digest } from '@gantry/model'
import { extract, type Header } from 'tar-stream'
import type { Catalogue } from '../../catalogue.ts'
import { ArchiveIndex, type ArchivedFile } from './archive-index.ts'
import { asBadArchive, badArchive, shown } from './bad-archive.ts'
import { peeked, unpacked } from './compression.ts'
import { sentByClient } from './sent-by-client.ts'
import { storeLayer } from './store-layer.ts'

/** Files that are kept in memory until it is known what they are: descriptions, if they begin like JSON, and all small ones. Bytes. */
const largestText = 4 << 20
const largestSmall = 16 << 10

/**
 * Reads an archive of images once, from its first byte to its last: what is large becomes a blob of the project's as it comes, and
 * what is small stays in memory. In what order things come is no matter.
 */
export async function readEntries(
  catalogue: Catalogue,
  caller: Caller,
  tar: Readable,
  signal: AbortSignal,
): Promise<ArchiveIndex> {
  const index = new ArchiveIndex()
  const entries = extract()
  const source = sentByClient(tar, signal)
  try {
    const feeding = (await unpacked(source)).into(entries, signal)
    // Thrown below, unless the entries fail first.
    feeding.catch(() => undefined)
    for await (const entry of entries) {
      const { header } = entry
      if (header.type === 'file' || header.type === 'contiguous-file') {
        const path = index.path(header.name)
        index.add(path, await fileOf(index.room, header.size ?? 0, entry as AsyncIterable<Buffer>))
        continue
      }
      noteOther(index, header)
      entry.resume()
    }
    await feeding
  } catch (error) {
    throw asBadArchive(error)
  } finally {
    entries.destroy()
    // It may be waiting for the client, who then waits for our answer.
    void source.return(undefined)
  }
  return index

  async function fileOf(room: number, size: number, content: AsyncIterable<Buffer>): Promise<ArchivedFile> {
    const { head, body } = await peeked(content)
    const isText = size <= largestText && (head[0] === 0x7b || head[0] === 0x5b)
    if ((isText || size <= largestSmall) && size <= room) return kept(await Array.fromAsync(body))
    return { kind: 'stored', ...(await storeLayer(catalogue, caller, body, signal)) }
  }
}

function kept(parts: readonly Buffer[]): ArchivedFile {
  const content = Buffer.concat(parts)
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
  return { kind: 'kept', content, digest }
}

function noteOther(index: ArchiveIndex, { type, name, linkname }: Header): void {
  if (type === 'directory') return
  if ((type !== 'symlink' && type !== 'link') || !linkname) throw badArchive(`${shown(name)} is no file`)
  // A symbolic link counts from its own folder, a hard one from the top.
  const target = type === 'link' || linkname.startsWith('/') ? linkname : posix.join(posix.dirname(name), linkname)
  index.link(index.path(name), target)
}
