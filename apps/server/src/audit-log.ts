import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { reasonOf } from '@gantry/kernel'
import type { AuditWriter } from '@gantry/http'
import type { Log } from '@gantry/control'

export interface AuditLog {
  readonly write: AuditWriter
  close(): void
}

const largestFile = 64 * 2 ** 20
/** Beside the one that is written. */
const keptFiles = 9

/**
 * One JSON line each, into a file that only its owner reads, or to standard output. A line is with the kernel before the answer goes
 * out, so that no kill of the server loses it, and none waits in memory.
 */
export function auditLog(target: string, log: Log): AuditLog {
  if (target === '-') {
    return { write: (record) => void process.stdout.write(`${JSON.stringify(record)}\n`), close: () => undefined }
  }
  mkdirSync(dirname(target), { recursive: true })
  let size = statSync(target, { throwIfNoEntry: false })?.size ?? 0
  let file = openSync(target, 'a', 0o600)
  const turnOver = () => {
    closeSync(file)
    rotate(target)
    file = openSync(target, 'a', 0o600)
    size = 0
  }
  return {
    write(record) {
      try {
        const line = Buffer.from(`${JSON.stringify(record)}\n`)
        if (size + line.length > largestFile) turnOver()
        size += writeSync(file, line)
      } catch (error) {
        log.error({ reason: reasonOf(error) }, 'the audit log cannot be written')
      }
    },
    close: () => closeSync(file),
  }
}

/** `audit.log.1` is the last one; the oldest goes. */
function rotate(path: string): void {
  rmSync(`${path}.${keptFiles}`, { force: true })
  for (let n = keptFiles - 1; n >= 1; n -= 1) move(`${path}.${n}`, `${path}.${n + 1}`)
  move(path, `${path}.1`)
}

function move(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false })) renameSync(from, to)
}
