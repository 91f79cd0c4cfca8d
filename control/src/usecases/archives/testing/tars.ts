import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { extract, pack } from 'tar-stream'

export type Entry = readonly [
  name: string,
  content: Buffer | string | { readonly link: string } | { readonly type: 'fifo' | 'link' },
  pax?: Record<string, string>,
]

export async function tarOf(...entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const [name, content, pax] of entries) {
    const header = pax ? { name, pax } : { name }
    if (Buffer.isBuffer(content) || typeof content === 'string') tar.entry(header, content)
    else if ('link' in content) tar.entry({ name, type: 'symlink', linkname: content.link })
    else tar.entry({ name, type: content.type, linkname: 'layer.tar' })
  }
  tar.finalize()
  return await buffer(tar)
}

export async function filesOf(tar: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const entries = extract()
  entries.end(tar)
  for await (const entry of entries) files.set(entry.header.name, await buffer(entry))
  return files
}

/** Bytes as a client sends them: in small pieces. */
export function inPieces(content: Buffer, size = 1000): Readable {
  const pieces = function* () {
    for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
  }
  return Readable.from(pieces(), { objectMode: false })
}
