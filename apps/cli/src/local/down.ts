import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeNetworks } from '@gantry/host'
import { stopOwnEngine } from './engine/own-engine.ts'
import { unmountBelow } from './engine/unmount.ts'
import type { Home } from './home.ts'
import { holderOf } from './lock.ts'
import { readState } from './state.ts'
import { unfit } from './unfit.ts'

const patienceMs = 30_000

export interface Stopped {
  readonly cloud: boolean
  readonly engine: boolean
}

/** Stops the server and the agent of this home; with `all` also the engine that Gantry started, its containers, networks and mounted volumes. */
export async function down(home: Home, { all }: { all: boolean }): Promise<Stopped> {
  const cloud = await stopCloud(home)
  const engine = all && (await stopOwnEngine(home, 5))
  if (engine) {
    await stopNetworks(home)
    // Volumes that its containers had; their loop devices go with the mounts.
    unmountBelow(home.agent)
  }
  return { cloud, engine }
}

/** Of an engine that is not ours the containers go on, and their networks with them. */
async function stopNetworks(home: Home): Promise<void> {
  const path = join(home.agent, 'host.json')
  if (!existsSync(path)) return
  const { deployment, hostId } = JSON.parse(readFileSync(path, 'utf8')) as { deployment: string; hostId: string }
  await removeNetworks(`${deployment}/${hostId}`)
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
