import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process that cannot be mistaken for a later one with the same number: pid and start time (clock ticks since boot). */
export interface ProcessId {
  readonly pid: number
  readonly startTicks: number
  /** Start times are only comparable within one boot. */
  readonly boot: string
}

/** The identity of a running process, or undefined if there is none (zombies count as none). */
export function processId(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command name is in brackets and may itself hold spaces and brackets; fields count from after the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { pid, startTicks: Number(fields[19]), boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() }
  } catch {
    return undefined
  }
}

export function isAlive(id: ProcessId): boolean {
  const now = processId(id.pid)
  return now !== undefined && now.startTicks === id.startTicks && now.boot === id.boot
}

/** Asks it to end, and waits; after `patienceMs` it is killed. */
export async function endProcess(id: ProcessId, patienceMs: number): Promise<void> {
  const killAt = performance.now() + patienceMs
  signal(id, 'SIGTERM')
  // The end of a process that is not our child has no event to wait for.
  while (isAlive(id)) {
    if (performance.now() > killAt) signal(id, 'SIGKILL')
    await sleep(20)
  }
}

function signal(id: ProcessId, name: NodeJS.Signals): void {
  try {
    if (isAlive(id)) process.kill(id.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
