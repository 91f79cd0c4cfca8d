import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { killStrays } from '@gantry/host'
import type { Home } from '../home.ts'
import { endProcess } from '../process-id.ts'
import { isDeafTo } from './deaf.ts'
import { callEngine } from './engine-call.ts'
import { ownEngineProcess, ownSocket } from './own-engine.ts'
import { unmountBelow } from './unmount.ts'

/** For those that do hear that they are to end. */
const graceSeconds = 5
const allEndedMs = 25_000
const engineEndsMs = 15_000

/**
 * Stops our engine together with its containers, and what one that was killed has left of them. Answers false if there was nothing.
 * Bounded: whoever has not ended by then is killed.
 */
export async function stopOwnEngine(home: Home, say: (detail: string) => void): Promise<boolean> {
  const engine = ownEngineProcess(home)
  if (engine) {
    await stopContainers(ownSocket(home), say)
    say('the engine ends')
    await endProcess(engine, engineEndsMs)
  }
  const left = await killLeft(home)
  unmountBelow(home.engine)
  await rm(join(home.engine, 'process.json'), { force: true })
  if (engine) removeDefaultBridge()
  return engine !== undefined || left > 0
}

/** Of those that do not end in time, or not as the engine was asked, `killLeft` takes care. */
async function stopContainers(socket: string, say: (detail: string) => void): Promise<void> {
  const signal = AbortSignal.timeout(allEndedMs)
  const list = { path: '/containers/json', timeoutMs: 5000 }
  const { status, body } = await callEngine(socket, list).catch(() => ({ status: 0, body: '' }))
  if (status !== 200) return
  const running = JSON.parse(body.toString()) as { Id: string }[]
  let ended = 0
  const stop = async ({ Id }: { Id: string }): Promise<void> => {
    const t = (await hears(socket, Id, signal)) ? graceSeconds : 0
    await callEngine(socket, { method: 'POST', path: `/containers/${Id}/stop?t=${t}`, signal })
    ended += 1
    say(`${ended} of ${running.length} containers have ended`)
  }
  say(`${running.length} containers are to end`)
  await Promise.allSettled(running.map(stop))
}

async function hears(socket: string, id: string, signal: AbortSignal): Promise<boolean> {
  const { status, body } = await callEngine(socket, { path: `/containers/${id}/json`, signal })
  if (status !== 200) return true
  const { State, Config } = JSON.parse(body.toString()) as { State: { Pid: number }; Config: { StopSignal?: string } }
  try {
    return !isDeafTo(Config.StopSignal ?? 'SIGTERM', readFileSync(`/proc/${State.Pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

/** With live-restore containers outlive an engine that was killed. */
async function killLeft(home: Home): Promise<number> {
  const left = shimsOf(home)
  for (const id of left) await killStrays(id)
  // Only when they are gone their mounts can be undone.
  for (let tries = 0; shimsOf(home).length > 0 && tries < 40; tries += 1) await sleep(50)
  return left.length
}

/** Ids of containers whose shim, by its command line, belongs to the containerd of this home. */
function shimsOf(home: Home): string[] {
  const address = `\0-address\0${join(home.engine, 'run/containerd/containerd.sock')}\0`
  return processes()
    .map((pid) => textOf(`/proc/${pid}/cmdline`))
    .filter((command) => command.includes(address))
    .map((command) => /\0-id\0([^\0]+)/.exec(command)?.[1] ?? '')
}

/** The bridge that engines make for containers of no network, unless somebody else's engine may use it. */
function removeDefaultBridge(): void {
  const { stdout } = spawnSync('ip', ['-o', 'address', 'show', 'dev', 'docker0'], { encoding: 'utf8' })
  if (!/ inet 10\.201\./.test(stdout ?? '')) return
  if (processes().some(isEngineHere)) return
  spawnSync('ip', ['link', 'delete', 'docker0'], { stdio: 'ignore' })
}

/** One that has ended, and is not yet reaped, has no namespace; one in another has a bridge of its own. */
function isEngineHere(pid: string): boolean {
  return textOf(`/proc/${pid}/comm`) === 'dockerd\n' && netOf(pid) === netOf('self')
}

function netOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return ''
  }
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}
