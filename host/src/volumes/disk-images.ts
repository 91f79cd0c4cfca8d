import { mkdtemp, open, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Programs } from './run-program.ts'
import { flush, flushName, type StateFolders } from './state-folders.ts'

const gib = 2 ** 30

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
  /** A copy of `source` with room for `size` GiB. Where that is mounted at `point`, its writers wait meanwhile. */
  makeCopy(
    path: string,
    source: { readonly file: string; readonly point: string | null },
    size: number,
    signal: AbortSignal,
  ): Promise<void>
}

/** Whatever is made appears under its name only once it is complete and safe on disk. */
export function diskImages(folders: StateFolders, programs: Programs): DiskImages {
  const make = async (path: string, fill: (draft: string) => Promise<void>): Promise<void> => {
    // A folder of its own: programs that a killed agent left running must not meet in one file.
    const folder = await mkdtemp(join(folders.making, `${basename(path)}-`))
    try {
      const draft = join(folder, 'disk.img')
      await fill(draft)
      await flush(draft)
      await rename(draft, path)
      await flushName(path)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  return {
    makeEmpty: (path, size, signal) =>
      make(path, async (draft) => {
        await setSize(draft, size)
        // Nothing of the file system is kept for root, and what is zero is not written: 1 MiB on disk for 1 GiB of volume.
        const lazy = 'lazy_itable_init=1,lazy_journal_init=1'
        await programs.run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', lazy, '-d', folders.seed, draft], signal)
      }),
    makeCopy: (path, { file, point }, size, signal) =>
      make(path, async (draft) => {
        if (point === null) await programs.run('cp', [...copyOptions, file, draft], signal)
        else await programs.runScript(quietCopy, [point, ...copyOptions, file, draft], signal)
        if ((await stat(draft)).size >= size * gib) return
        await setSize(draft, size)
        await checkFileSystem(programs, draft, signal, { thorough: true })
        await programs.run('resize2fs', [draft], signal)
      }),
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

async function setSize(path: string, size: number): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    await file.truncate(size * gib)
  } finally {
    await file.close()
  }
}
