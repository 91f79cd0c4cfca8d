import { stopOwnEngine } from './engine/own-engine.ts'
import type { Home } from './home.ts'
import { holderOf } from './lock.ts'
import { readState } from './state.ts'
import { unfit } from './unfit.ts'

const patienceMs = 30_000

export interface Stopped {
  readonly cloud: boolean
  readonly engine: boolean
}

/** Stops the server and the agent of this home; with `all` also the engine that Gantry started, and its containers. */
export async function down(home: Home, { all }: { all: boolean }): Promise<Stopped> {
  const cloud = await stopCloud(home)
  return { cloud, engine: all && (await stopOwnEngine(home, 5)) }
}

async function stopCloud(home: Home): Promise<boolean> {
  const holder = await holderOf(home)
  if (!holder) return false
  try {
    const state = readState(home)
    if (!state) throw unfit('Gantry is still starting.', 'Wait until it is ready, or press Ctrl-C where it starts.')
    process.kill(state.supervisor.pid, 'SIGTERM')
    // The lock is let go by the kernel itself, so its end is the end of the process.
    const late = Symbol('late')
    const { promise, resolve } = Promise.withResolvers<symbol>()
    const timer = setTimeout(() => resolve(late), patienceMs)
    const first = await Promise.race([holder.gone, promise])
    clearTimeout(timer)
    if (first === late) process.kill(state.supervisor.pid, 'SIGKILL')
    return true
  } finally {
    holder.forget()
  }
}
