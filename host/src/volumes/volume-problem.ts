import { mkdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { mountPoints } from './mount-table.ts'
import { isDiskFull, problemSentence } from './problem-sentence.ts'
import { ProgramError, runProgram } from './run-program.ts'

/**
 * Why this machine cannot hold volumes, as a sentence; null: it can. Found out by doing it once with a very small one, since
 * a container without loop devices, or root without its rights, looks fine until then. A full disk is none: it may have room again
 * long before this is asked again, and each volume tells of it by itself. Calls must not overlap.
 */
export async function volumeProblem(stateDir: string): Promise<string | null> {
  if (process.geteuid?.() !== 0) return 'The agent does not run as root, so it cannot mount volumes.'
  try {
    await mkdir(stateDir, { recursive: true })
    const folder = join(await realpath(stateDir), 'volume-trial')
    await tidy(folder)
    try {
      await tryIn(folder)
    } finally {
      await tidy(folder)
    }
    return null
  } catch (error) {
    return isDiskFull(error) ? null : problemSentence(error)
  }
}

async function tryIn(folder: string): Promise<void> {
  const point = join(folder, 'mount')
  const file = join(folder, 'disk.img')
  await mkdir(point, { recursive: true, mode: 0o700 })
  await runProgram('mkfs.ext4', ['-q', '-F', '-O', '^has_journal', file, '1M'])
  await runProgram('losetup', ['--noheadings', '--output', 'NAME', '--associated', file])
  await runProgram('mount', ['-t', 'ext4', '-o', 'loop,nodev', file, point])
  for (const program of ['fsfreeze', 'flock', 'setpriv', 'resize2fs', 'tar']) await requireProgram(program)
  await runProgram('umount', [point])
}

/** Those that only a snapshot or a backup needs must not be found missing by it. */
async function requireProgram(name: string): Promise<void> {
  try {
    await runProgram(name, ['--version'])
  } catch (error) {
    if (error instanceof ProgramError && error.exitCode === null) throw error
  }
}

async function tidy(folder: string): Promise<void> {
  const point = join(folder, 'mount')
  for (const other of await mountPoints()) {
    if (other !== point) continue
    await runProgram('umount', [point])
  }
  await rm(folder, { recursive: true, force: true })
}
