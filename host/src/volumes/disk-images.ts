import { mkdtemp, open, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileSystemBytes } from './file-system-bytes.ts'
import type { Programs } from './run-program.ts'
import { flush, flushName, type StateFolders } from './state-folders.ts'

export const gib = 2 ** 30

/** How a file is called while it is being made. */
const diskName = 'disk.img'

const copyOptions = ['--sparse=always', '--reflink=auto', '--']

/** In one script, so that writers are let go on whatever becomes of the agent; the copy is then cut short. */
const quietCopy = `
copy=
point=$1
shift
trap '[ -z "$copy" ] || kill "$copy"' TERM
# Whoever would have read what is said here may be gone.
trap '' PIPE
fsfreeze --freeze "$point" || exit
cp "$@" &
copy=$!
wait "$copy"
status=$?
kill "$copy" 2>/dev/null && wait "$copy"
fsfreeze --unfreeze "$point" || exit
exit "$status"
`

/** Files that hold a file system each. Sparse: they take what was written, and grow to their size at most. */
export interface DiskImages {
  /** A new one of `size` GiB with nothing in it. */
  makeEmpty(path: string, size: number, signal: AbortSignal): Promise<void>
  /** A copy of `source` with room for `size` GiB. */
  makeCopy(path: string, source: CopySource, size: number, signal: AbortSignal): Promise<void>
  /** One with what `fill` writes to the file it is told of (which is not there yet), and room for `size` GiB. */
  makeFrom(path: string, size: number, fill: (draft: string) => Promise<void>, signal: AbortSignal): Promise<void>
  /** A copy in a folder of its own, for a while. Resolves with its path; who has it removes the folder. */
  copyAside(source: CopySource, signal: AbortSignal): Promise<string>
}

export interface CopySource {
  readonly file: string
  /** Where that is mounted: its writers wait meanwhile. null: nowhere. */
  readonly point: string | null
}

/** Whatever is made appears under its name only once it is complete and safe on disk. */
export function diskImages(folders: StateFolders, programs: Programs): DiskImages {
  // A folder of its own: programs that a killed agent left running must not meet in one file.
  const folderFor = (path: string) => mkdtemp(join(folders.making, `${basename(path)}-`))

  const make = async (path: string, fill: (draft: string) => Promise<void>): Promise<void> => {
    const folder = await folderFor(path)
    try {
      const draft = join(folder, diskName)
      await fill(draft)
      await flush(draft)
      await rename(draft, path)
      await flushName(path)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  const copy = async (draft: string, { file, point }: CopySource, signal: AbortSignal): Promise<void> => {
    if (point === null) await programs.run('cp', [...copyOptions, file, draft], signal)
    else await programs.runScript(quietCopy, [point, ...copyOptions, file, draft], signal)
  }

  const fit = async (draft: string, size: number, signal: AbortSignal): Promise<void> => {
    const bytes = (await stat(draft)).size
    // A file that was made longer by an agent that was killed then holds less than it could.
    if (((await fileSystemBytes(draft)) ?? bytes) >= size * gib) return
    if (bytes < size * gib) await setSize(draft, size)
    await checkFileSystem(programs, draft, signal, { thorough: true })
    await programs.run('resize2fs', [draft], signal)
  }

  return {
    makeEmpty: (path, size, signal) =>
      make(path, async (draft) => {
        await setSize(draft, size)
        // Nothing of the file system is kept for root, and what is zero is not written: 1 MiB on disk for 1 GiB of volume.
        const lazy = 'lazy_itable_init=1,lazy_journal_init=1'
        await programs.run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', lazy, '-d', folders.seed, draft], signal)
      }),
    makeCopy: (path, source, size, signal) =>
      make(path, async (draft) => {
        await copy(draft, source, signal)
        await fit(draft, size, signal)
      }),
    makeFrom: (path, size, fill, signal) =>
      make(path, async (draft) => {
        await fill(draft)
        if ((await stat(draft)).size > size * gib) throw new Error(`It holds more than ${size} GiB.`)
        await checkFileSystem(programs, draft, signal, { thorough: true })
        await fit(draft, size, signal)
      }),
    copyAside: async (source, signal) => {
      const folder = await folderFor(source.file)
      try {
        await copy(join(folder, diskName), source, signal)
        return join(folder, diskName)
      } catch (error) {
        await rm(folder, { recursive: true, force: true })
        throw error
      }
    },
  }
}

/**
 * Repairs what can be repaired without asking. Must not be called while it is mounted anywhere. Without `thorough`, one that
 * was left in order is believed.
 */
export async function checkFileSystem(
  { run }: Programs,
  path: string,
  signal?: AbortSignal,
  options?: { thorough: boolean },
): Promise<void> {
  try {
    await run('e2fsck', [...(options?.thorough ? ['-f'] : []), '-p', path], signal)
  } catch (error) {
    // 1 and 2: there was something to repair, and it was.
    const code = error instanceof Error && 'exitCode' in error ? error.exitCode : undefined
    if (code !== 1 && code !== 2) throw error
  }
}

/** Makes a file of `size` GiB of it, or makes it longer; what was in it stays. */
export async function setSize(path: string, size: number): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    await file.truncate(size * gib)
  } finally {
    await file.close()
  }
}
