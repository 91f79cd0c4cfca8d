import { readFile } from 'node:fs/promises'

/** Every mount point of this process's view, as the kernel has them, once for each time something is mounted there. */
export async function mountPoints(): Promise<string[]> {
  return mountPointsIn(await readFile('/proc/self/mountinfo', 'utf8'))
}

/** Reads the format of proc(5), where a blank in a path is `\040`. Pure. */
export function mountPointsIn(mountInfo: string): string[] {
  return mountInfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
}
