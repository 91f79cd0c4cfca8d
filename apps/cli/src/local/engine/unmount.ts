import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Undoes the mounts that a stopped engine leaves below `root`: with live-restore it keeps its data folder mounted, and the
 * folder could not be removed.
 */
export function unmountBelow(root: string): void {
  for (const point of mountsBelow(root, readFileSync('/proc/self/mounts', 'utf8'))) {
    spawnSync('umount', ['-l', point], { stdio: 'ignore' })
  }
}

/** Deepest first, so that none is in another's way. Pure. */
export function mountsBelow(root: string, mounts: string): string[] {
  return mounts
    .split('\n')
    .map((line) => plain(line.split(' ')[1] ?? ''))
    .filter((point) => point.startsWith(`${root}/`))
    .sort((a, b) => b.length - a.length)
}

/** The kernel writes a blank as `\040` (proc(5)). */
function plain(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
