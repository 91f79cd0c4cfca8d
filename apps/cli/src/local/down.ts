import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeNetworks, standInDriver } from '@gantry/host'
import { stopOwnEngine } from './engine/stop-engine.ts'
import { unmountBelow } from './engine/unmount.ts'
import type { Home } from './home.ts'
import { holderOf } from './lock.ts'
import { endProcess, processId } from './process-id.ts'
import type { Progress } from './progress.ts'
import { clearState, lastState, readState } from './state.ts'
import { unfit } from './unfit.ts'

/** Each of its two children has ten seconds. */
const supervisorEndsMs = 25_000
const childEndsMs = 5000

export interface Stopped {
  readonly cloud: boolean
  readonly engine: boolean
}

/** Stops the server and the agent of this home; with `all` also the engine that Gantry started, its containers, networks and mounted volumes. */
export async function down(home: Home, { all }: { all: boolean }, progress: Progress): Promise<Stopped> {
  const cloud = await stopCloud(home, progress)
  const engine = all && (await stopEngine(home, progress))
  return { cloud, engine }
}

/** Of an engine that is not ours the containers go on, and their networks and volumes with them. */
async function stopEngine(home: Home, progress: Progress): Promise<boolean> {
  const deployment = deploymentOf(home)
  const stop = async (say: (detail: string) => void): Promise<boolean> => {
    // The server is gone first, so that nothing new begins and no end is taken for the containers' own; the agent with it.
    await using _answering = deployment === undefined ? undefined : await standInDriver(deployment)
    return await stopOwnEngine(home, say)
  }
  const stopped = await progress.step('Stopping engine and containers', stop, (ran) =>
    ran ? 'Stopped engine and containers' : 'No engine of its own ran',
  )
  if (!stopped) return false
  const clear = async (): Promise<void> => {
    if (deployment !== undefined) await removeNetworks(deployment)
    // Volumes that its containers had; their loop devices go with the mounts.
    unmountBelow(home.agent)
  }
  await progress.step('Taking down networks and volumes', clear, () => 'Took down networks and volumes')
  return true
}

/** What the agent of this home calls its own; undefined before its first start. */
function deploymentOf(home: Home): string | undefined {
  const path = join(home.agent, 'host.json')
  if (!existsSync(path)) return undefined
  const { deployment, hostId } = JSON.parse(readFileSync(path, 'utf8')) as { deployment: string; hostId: string }
  return `${deployment}/${hostId}`
}

async function stopCloud(home: Home, progress: Progress): Promise<boolean> {
  const holder = await holderOf(home)
  holder?.forget()
  if (holder && !readState(home)) {
    throw unfit('Gantry is still starting.', 'Wait until it is ready, or press Ctrl-C where it starts.')
  }
  const state = lastState(home)
  if (!state) return false
  const children = [state.server, state.agent]
    .map(({ pid }) => ofHome(home, pid))
    .filter((child) => child !== undefined)
  if (!holder && children.length === 0) return false
  const stop = async (): Promise<void> => {
    if (holder) await endProcess(state.supervisor, supervisorEndsMs)
    // They end by themselves when it was killed, but need not have yet.
    await Promise.all(children.map((child) => endProcess(child, childEndsMs)))
    await clearState(home)
  }
  await progress.step('Stopping server and agent', stop, () => 'Stopped server and agent')
  return true
}

/** A child that the last `up` of this home has told of, if it still is that one: both have the home on their command line. */
function ofHome(home: Home, pid: number) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(home.root) ? processId(pid) : undefined
  } catch {
    return undefined
  }
}
