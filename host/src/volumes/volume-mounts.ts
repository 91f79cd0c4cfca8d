import { mkdir, readdir, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { backoff } from '@gantry/kernel'
import { checkFileSystem } from './disk-images.ts'
import { mountPoints } from './mount-table.ts'
import { ProgramError, type Programs } from './run-program.ts'
import { dataFolder, type StateFolders } from './state-folders.ts'

/** Where volumes are mounted. Nothing is remembered: the kernel is asked. Calls for one volume must not overlap. */
export interface VolumeMounts {
  /** Mounts it unless it is, and resolves with the folder for containers. */
  mount(id: string): Promise<string>
  /** Rejects while somebody on the host has something of it open; containers that bind it do not hinder. */
  unmount(id: string): Promise<void>
  /** Where it is mounted; null: nowhere. */
  pointOf(id: string): Promise<string | null>
  /** Lets writers go on if they were stopped and everything was killed then. */
  thaw(id: string): Promise<void>
  /** All that have a mount point. */
  list(): Promise<string[]>
}

export function volumeMounts(folders: StateFolders, programs: Programs): VolumeMounts {
  const pointOf = (id: string) => join(folders.mounts, id)
  const times = async (point: string) => (await mountPoints()).filter((other) => other === point).length

  const thaw = async (id: string): Promise<void> => {
    try {
      await programs.run('fsfreeze', ['--unfreeze', pointOf(id)])
    } catch (error) {
      // It was not frozen.
      if (!(error instanceof ProgramError && /invalid argument/i.test(error.message))) throw error
    }
  }

  return {
    mount: async (id) => {
      const point = pointOf(id)
      if ((await times(point)) === 0) {
        const file = join(folders.volumes, `${id}.img`)
        // A loop device without a mount of ours: a container still has it in use, and nobody may touch the file itself.
        const attached = await programs.run('losetup', ['--noheadings', '--output', 'NAME', '--associated', file])
        if (attached.trim() === '') await checkFileSystem(programs, file)
        await mkdir(point, { recursive: true, mode: 0o700 })
        // Devices have no business there. `discard` gives the host back what containers delete.
        await programs.run('mount', ['-t', 'ext4', '-o', 'loop,nodev,discard,errors=remount-ro', file, point])
        await pastTheCache(programs, file)
      }
      return join(point, dataFolder)
    },
    unmount: async (id) => {
      const point = pointOf(id)
      // More than one if an agent was killed while its `mount` ran on.
      for (let left = await times(point); left > 0; left -= 1) await umount(programs, point)
      await rmdir(point).catch(unlessMissing)
    },
    pointOf: async (id) => ((await times(pointOf(id))) > 0 ? pointOf(id) : null),
    thaw: async (id) => {
      if ((await times(pointOf(id))) > 0) await thaw(id)
    },
    list: async () => {
      const mounted = (await mountPoints()).filter((point) => dirname(point) === folders.mounts)
      return [...new Set([...mounted.map((point) => basename(point)), ...(await readdir(folders.mounts))])]
    },
  }
}

/** Without it all is held in memory twice, and written at a third of the disk's speed. Some file systems cannot do it. */
async function pastTheCache(programs: Programs, file: string): Promise<void> {
  const devices = await programs.run('losetup', ['--noheadings', '--output', 'NAME', '--associated', file])
  for (const device of devices.split('\n').filter((each) => each.trim() !== '')) {
    await programs.run('losetup', ['--direct-io=on', device.trim()]).catch(() => undefined)
  }
}

/** What a container, or a program of an agent that was killed, had open may take the kernel a moment to close. */
export async function umount(programs: Programs, point: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await programs.run('umount', [point])
      return
    } catch (error) {
      const busy = error instanceof ProgramError && /target is busy/.test(error.message)
      if (!busy || attempt === mostTries) throw error
      await backoff(attempt, { baseMs: 50, maxMs: 800 })
    }
  }
}

const mostTries = 5

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
