import { open } from 'node:fs/promises'

/**
 * Of the ext4 file system in a file; null: there is none. While it is mounted this may be less than it has, since the kernel
 * writes this later; never more. From its superblock (kernel documentation, filesystems/ext4/super.rst).
 */
export async function fileSystemBytes(path: string): Promise<number | null> {
  const file = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(1024), 0, 1024, 1024)
    if (bytesRead < 1024 || buffer.readUInt16LE(0x38) !== 0xef53) return null
    const with64bit = (buffer.readUInt32LE(0x60) & 0x80) !== 0
    const blocks = buffer.readUInt32LE(0x04) + (with64bit ? buffer.readUInt32LE(0x150) * 2 ** 32 : 0)
    return blocks * 2 ** (10 + buffer.readUInt32LE(0x18))
  } finally {
    await file.close()
  }
}
