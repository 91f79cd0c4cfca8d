/** One entry of a ustar archive. Paths are relative and at most 100 bytes. */
export type TarEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Buffer }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

const typeFlag = { file: '0', folder: '5', link: '2' } as const

/** A POSIX ustar archive, owned by root, with a fixed time so that the same entries give the same bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) =>
    entry.kind === 'file' ? [header(entry), padded(entry.content)] : [header(entry)],
  )
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

function header(entry: TarEntry): Buffer {
  const block = Buffer.alloc(512)
  const mode = entry.kind === 'link' ? 0o777 : entry.mode
  const size = entry.kind === 'file' ? entry.content.length : 0
  if (Buffer.byteLength(entry.path) > 100) throw new RangeError(`path too long for ustar: ${entry.path}`)
  block.write(entry.path, 0)
  octal(block, mode, 100, 8)
  octal(block, 0, 108, 8)
  octal(block, 0, 116, 8)
  octal(block, size, 124, 12)
  octal(block, 0, 136, 12)
  block.write('        ', 148)
  block.write(typeFlag[entry.kind], 156)
  if (entry.kind === 'link') block.write(entry.target, 157, 100)
  block.write('ustar\x0000', 257)
  octal(
    block,
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return block
}

function octal(block: Buffer, value: number, offset: number, length: number): void {
  block.write(value.toString(8).padStart(length - 1, '0'), offset, length - 1)
  block[offset + length - 1] = 0
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
