import { closeSync, copyFileSync, fstatSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs'

const mostBytes = 16 * 1024 ** 2
const checkEveryMs = 30_000

/** A log opened for appending, for a child's stdout and stderr. */
export function openLog(path: string): Disposable & { readonly fd: number } {
  boundLog(path)
  const fd = openSync(path, 'a', 0o600)
  return { fd, [Symbol.dispose]: () => closeSync(fd) }
}

/**
 * A log that has grown past the bound is copied to `<path>.1` and emptied in place. Its writers have it open for appending,
 * so they go on at the new end, and none of them depends on this process to be able to write.
 */
export function boundLog(path: string, most: number = mostBytes): void {
  try {
    if (statSync(path).size <= most) return
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Keeps these logs bounded until disposed. */
export function boundLogs(paths: readonly string[]): Disposable {
  const timer = setInterval(() => paths.forEach((path) => boundLog(path)), checkEveryMs)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** The last non-empty lines, at most 64 KiB of them. */
export function tailOf(path: string, lines: number): string {
  try {
    return readTail(path)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-lines)
      .join('\n')
  } catch {
    return ''
  }
}

function readTail(path: string): string {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    return size <= 65_536 ? readFileSync(fd, 'utf8') : readFileSync(path).subarray(-65_536).toString()
  } finally {
    closeSync(fd)
  }
}
