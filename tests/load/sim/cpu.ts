import { readdirSync, readFileSync } from 'node:fs'

/** Seconds of a processor, user and system time together. */
export interface CpuTimes {
  readonly servers: number
  readonly database: number
  readonly agents: number
}

interface Stat {
  readonly parent: number
  readonly seconds: number
}

/** What these processes and all that they started have used so far, children that have ended included. */
export function cpuOfTrees(roots: readonly number[]): number {
  const stats = new Map<number, Stat>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(name) : null
    if (stat) stats.set(Number(name), stat)
  }
  const isIn = (pid: number): boolean => roots.includes(pid) || (stats.has(pid) && isIn(stats.get(pid)?.parent ?? 0))
  return [...stats].reduce((sum, [pid, { seconds }]) => sum + (isIn(pid) ? seconds : 0), 0)
}

/** proc(5): the name of the program may have anything in it, so what comes after its bracket is counted. In hundredths of a second. */
function statOf(pid: string): Stat | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    const times = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0)
    return { parent: Number(fields[1]), seconds: times / 100 }
  } catch {
    // It has ended since.
    return null
  }
}

export function less(after: CpuTimes, before: CpuTimes): CpuTimes {
  return {
    servers: after.servers - before.servers,
    database: after.database - before.database,
    agents: after.agents - before.agents,
  }
}
