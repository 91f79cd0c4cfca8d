import { mkdir, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { mountPoints } from '../mount-table.ts'
import type { Programs } from '../run-program.ts'
import { umount } from '../volume-mounts.ts'
import type { AttachedVolume } from './attached-volumes.ts'
import { isMissing } from './records.ts'

type Place = Pick<AttachedVolume, 'point' | 'covered'>

/** Where volumes are mounted. The kernel is asked, nothing is remembered. */
export interface Points {
  isMounted(place: Place): Promise<boolean>
  /** `args`: of `mount`, all but the point. Nothing may be mounted there. */
  mount(place: Place, args: readonly string[]): Promise<void>
  /** Repeatable. Rejects while something on the machine has a file there open. */
  unmount(place: Place): Promise<void>
}

export function pointsBy(programs: Programs): Points {
  const times = async (point: string) => (await mountPoints()).filter((other) => other === point).length
  const clear = async (point: string) => {
    // More than one if an agent was killed while its `mount` ran on.
    for (let left = await times(point); left > 0; left -= 1) await umount(programs, point)
  }

  return {
    isMounted: async ({ point, covered }) =>
      (await times(point)) === 1 && (!covered || (await times(dirname(point))) === 1),
    mount: async ({ point, covered }, args) => {
      if (covered) {
        const cover = dirname(point)
        await mkdir(cover, { recursive: true, mode: 0o700 })
        if ((await times(cover)) === 0) {
          await programs.run('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=16,mode=0700,nodev', 'gantry', cover])
        }
      }
      await mkdir(point, { recursive: true, mode: 0o700 })
      await programs.run('mount', [...args, point])
    },
    unmount: async ({ point, covered }) => {
      await clear(point)
      if (covered) await clear(dirname(point))
      for (const folder of covered ? [point, dirname(point)] : [point]) await rmdir(folder).catch(unlessMissing)
    },
  }
}

function unlessMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}
