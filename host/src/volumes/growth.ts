import { readFile, stat, statfs } from 'node:fs/promises'
import { type DiskImages, gib, setSize } from './disk-images.ts'
import { fileSystemBytes } from './file-system-bytes.ts'
import type { Programs } from './run-program.ts'
import { flush } from './state-folders.ts'
import type { VolumeMounts } from './volume-mounts.ts'

/** Makes room in volumes that are there. Calls for one volume must not overlap. */
export interface Growth {
  /** Gives the file system of a volume `size` GiB unless it has as much. Until that is done it is as it was, and in use if it was. */
  grow(
    volume: { readonly id: string; readonly file: string; readonly size: number },
    signal: AbortSignal,
  ): Promise<void>
}

export interface GrowthParts {
  readonly mounts: VolumeMounts
  readonly images: DiskImages
  readonly programs: Programs
}

/**
 * A mounted file system is grown by the kernel, while containers write on, and its journal makes it safe to be killed in. The
 * kernel does so only for root with CAP_SYS_RESOURCE. Without that a copy is grown, in the place of one that is not mounted:
 * what grows unmounted file systems has no journal.
 */
export function growth({ mounts, images, programs }: GrowthParts): Growth {
  const devicesOf = async (file: string): Promise<string[]> => {
    const told = await programs.run('losetup', ['--noheadings', '--output', 'NAME', '--associated', file])
    return told.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
  }

  const growMounted = async (file: string, size: number): Promise<void> => {
    if ((await stat(file)).size < size * gib) await setSize(file, size)
    // What the file system has beyond its old end must not be on disk before this.
    await flush(file)
    for (const device of await devicesOf(file)) {
      await programs.run('losetup', ['--set-capacity', device])
      await programs.run('resize2fs', [device])
    }
  }

  return {
    grow: async ({ id, file, size }, signal) => {
      const has = await fileSystemBytes(file)
      // One with no file system that we know is a matter for whoever mounts it.
      if (has === null || has >= size * gib) return
      await requireRoom(file, size * gib - has)
      const isUsed = (await devicesOf(file)).length > 0
      if (!(await mayGrowMounted())) {
        if (isUsed) throw new Error('The host lacks the right to do so while a container has it (CAP_SYS_RESOURCE).')
        return images.makeCopy(file, { file, point: null }, size, signal)
      }
      if (isUsed) return growMounted(file, size)
      await mounts.mount(id)
      try {
        await growMounted(file, size)
      } finally {
        await mounts.unmount(id)
      }
    },
  }
}

/** The kernel lets this process, and so the programs it starts, grow a mounted file system. From proc(5) and capabilities(7). */
export async function mayGrowMounted(): Promise<boolean> {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> capSysResource) & 1n) === 1n
}

const capSysResource = 24n

/** What the kernel writes for new room, and finds no place for, would end in a file system that is read-only. */
async function requireRoom(file: string, growing: number): Promise<void> {
  const { bavail, bsize } = await statfs(file)
  if (bavail * bsize < leastFree + growing * tablesShare) throw new Error('The disk of the host is full.')
}

/** Bytes. */
const leastFree = 64 << 20
/** Tables of inodes are 1.6 % of a file system as mkfs makes it. */
const tablesShare = 0.02
