import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A small disk that the campaign may fill. */
export interface Disk {
  readonly name: string
  fill(): Promise<void>
  free(): Promise<void>
}

/** `folder`: where it is mounted. */
export function diskAt(name: string, folder: string): Disk {
  const filler = join(folder, 'campaign-filler')
  const chunk = Buffer.alloc(1 << 20)
  return {
    name,
    async fill() {
      const { bavail, bsize } = await statfs(folder)
      for (let left = bavail * bsize; left > 0; left -= chunk.length) {
        // Others write as well: the last piece may not fit.
        const piece = left < chunk.length ? chunk.subarray(0, left) : chunk
        const isFull = await writeFile(filler, piece, { flag: 'a' }).then(
          () => false,
          () => true,
        )
        if (isFull) return
      }
    },
    free: () => rm(filler, { force: true }),
  }
}
