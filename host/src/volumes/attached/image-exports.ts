import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { backoff } from '@gantry/kernel'
import { mountPoints } from '../mount-table.ts'
import { ProgramError, type Programs, runProgram } from '../run-program.ts'
import { umount } from '../volume-mounts.ts'
import { isLockedBy, ownerFile } from './owner-file.ts'

/**
 * Images that are not what a disk would hold (qcow2, as a volume with snapshots is kept on NFS), as a file that is: `qemu-nbd`
 * reads and writes the image, which it locks against all other machines, `nbdfuse` shows it as a file. Both go on when we end.
 * Why not `qemu-storage-daemon --export type=fuse`, one process instead of two: QEMU 7.2's mixes up writes that come at once.
 */
export interface ImageExports {
  /** Repeatable. Resolves with the file. */
  open(id: string, image: string, options: { readonly format: string; readonly readOnly: boolean }): Promise<string>
  /** The file; null: it is not there. */
  find(id: string): Promise<string | null>
  /** Repeatable. What was written is in the image when it resolves. */
  close(id: string): Promise<void>
}

/** `folder`: for sockets and files. `host`: what other machines are told has the image. */
export function imageExports(folder: string, host: string, programs: Programs): ImageExports {
  const at = (id: string, name: 'disk' | 'nbd.sock' | 'image') => join(folder, id, name)

  const find = async (id: string): Promise<string | null> =>
    (await mountPoints()).includes(at(id, 'disk')) ? at(id, 'disk') : null

  const close = async (id: string): Promise<void> => {
    while ((await find(id)) !== null) await umount(programs, at(id, 'disk'))
    const image = await readFile(at(id, 'image'), 'utf8').catch(() => null)
    const servers = await processesOf(at(id, 'nbd.sock'))
    // While it is locked still.
    if (image !== null && servers.length > 0) await rm(ownerFile(image), { force: true }).catch(() => undefined)
    await endAll(at(id, 'nbd.sock'))
    await rm(join(folder, id), { recursive: true, force: true })
  }

  return {
    find,
    close,
    open: async (id, image, { format, readOnly }) => {
      const there = await find(id)
      if (there !== null) return there
      await close(id)
      // Whether it is there would not be told by the one that stays.
      await runProgram('nbdfuse', ['--version'])
      await mkdir(join(folder, id), { recursive: true, mode: 0o700 })
      await writeFile(at(id, 'image'), image)
      await writeFile(at(id, 'disk'), '')
      const access = readOnly ? ['--read-only'] : ['--discard=unmap']
      const server = ['--fork', '--persistent', '--shared=0', `--format=${format}`, '--cache=none', ...access]
      try {
        await runProgram('qemu-nbd', [...server, `--socket=${at(id, 'nbd.sock')}`, image])
      } catch (error) {
        if (error instanceof ProgramError && /Failed to get .* lock/.test(error.message))
          throw await isLockedBy(image, error)
        throw error
      }
      if (!readOnly) await writeFile(ownerFile(image), `${host}\n`).catch(() => undefined)
      await runProgram('sh', [
        '-c',
        showing,
        'sh',
        at(id, 'disk'),
        at(id, 'nbd.sock'),
        ...(readOnly ? ['--readonly'] : []),
      ])
      for (let attempt = 0; (await find(id)) === null; attempt += 1) {
        if (attempt === 20) throw new Error('The image of the volume could not be opened on the host.')
        await backoff(attempt, { baseMs: 20, maxMs: 500 })
      }
      return at(id, 'disk')
    },
  }
}

/** Without a terminal or a pipe of ours, and in a session of its own. */
const showing =
  'file=$1 socket=$2; shift 2; exec setsid --fork nbdfuse "$@" "$file" --unix "$socket" </dev/null >/dev/null 2>&1'

/** Found by the socket in their command line, which nobody else's has. */
async function processesOf(socket: string): Promise<number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (line.split('\0').some((word) => word === socket || word === `--socket=${socket}`)) found.push(Number(name))
  }
  return found
}

/** They are asked, since they have things to write. */
async function endAll(socket: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const left = await processesOf(socket)
    if (left.length === 0) return
    if (attempt === 20) throw new Error('The image of the volume could not be closed on the host.')
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGTERM')
      } catch {
        // It has just ended.
      }
    }
    await backoff(attempt, { baseMs: 20, maxMs: 1000 })
  }
}
