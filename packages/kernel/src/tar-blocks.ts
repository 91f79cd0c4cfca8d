const blockSize = 512
/** The largest that eleven octal digits hold. */
const largestOctal = 0o77777777777

/** The header of a plain file (POSIX ustar; sizes of 8 GiB and more as GNU writes them). `name`: at most 100 bytes of ASCII. */
export function fileHeader(name: string, size: number, mode = 0o644): Buffer {
  const header = Buffer.alloc(blockSize)
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1')
  header.write(name, 0, 'latin1')
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  if (size <= largestOctal) octal(size, 124, 12)
  else {
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(size), 128)
  }
  octal(0, 136, 12)
  header.write('        0', 148, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  octal(sum, 148, 8)
  return header
}

/** What fills the last block of a file of `size` bytes. */
export function filePadding(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize)
}

export function wholeFile(name: string, content: Buffer, mode?: number): Buffer {
  return Buffer.concat([fileHeader(name, content.length, mode), content, filePadding(content.length)])
}

export const tarEnd = Buffer.alloc(2 * blockSize)
