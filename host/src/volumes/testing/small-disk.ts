import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A file system of its own with little room, and a folder in it for an agent. Needs root. */
export async function smallDisk(mebibytes: number) {
  const base = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim()
  const [file, point] = [join(base, 'disk.img'), join(base, 'mount')]
  await mkdir(point)
  execFileSync('truncate', ['--size', `${mebibytes}M`, file])
  execFileSync('mkfs.ext4', ['-q', '-F', file])
  execFileSync('mount', ['-o', 'loop', file, point])
  return {
    folder: join(point, 'agent'),
    end: () => {
      execFileSync('umount', [point])
      execFileSync('rm', ['-r', base])
    },
  }
}
