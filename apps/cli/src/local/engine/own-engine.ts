import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, watch } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Home } from '../home.ts'
import { openLog, tailOf } from '../log-file.ts'
import { isAlive, type ProcessId, processId } from '../process-id.ts'
import { unfit } from '../unfit.ts'
import { askVersion, type EngineVersion } from './engine-call.ts'
import type { FoundEngine } from './find-engine.ts'
import { findProgram, systemPath } from './install-engine.ts'

const startMs = 60_000

export function ownSocket(home: Home): string {
  return join(home.engine, 'docker.sock')
}

export function engineLog(home: Home): string {
  return join(home.logs, 'engine.log')
}

/** The process of our own engine, if it runs. */
export function ownEngineProcess(home: Home): ProcessId | undefined {
  try {
    const id = JSON.parse(readFileSync(join(home.engine, 'process.json'), 'utf8')) as ProcessId
    return isAlive(id) ? id : undefined
  } catch {
    return undefined
  }
}

/**
 * Starts the engine of this home, or waits for the one that is starting. It lives in a session of its own, so neither
 * Ctrl-C nor the end of this process touches it or its containers. Throws `machine.unfit`.
 */
export async function startOwnEngine(home: Home, signal: AbortSignal): Promise<FoundEngine> {
  checkPathLength(home)
  // Given up already: its end would be waited for in vain.
  signal.throwIfAborted()
  await mkdir(home.engine, { recursive: true, mode: 0o700 })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(startMs)])
  const launched = ownEngineProcess(home) ? undefined : await launch(home)
  const socket = ownSocket(home)
  const answers = untilSocket(socket, limit).then(() => untilAnswer(socket, limit))
  // A failed start is known by the end of the process, long before the time is up.
  const version = await Promise.race([answers, ...(launched ? [launched.died] : [])]).catch(() =>
    signal.throwIfAborted(),
  )
  if (version) return { socket, own: true, ...version }
  throw unfit(
    `The engine did not start: ${tailOf(engineLog(home), 1) || 'it gave no reason'}`,
    `Its log is ${engineLog(home)}; any running engine can be used instead with --engine unix:///PATH.`,
  )
}

/** Spawns dockerd; `died` settles when it ends. */
async function launch(home: Home): Promise<{ died: Promise<undefined> }> {
  const program = findProgram('dockerd') ?? 'dockerd'
  // Pid files of a former boot may name somebody else's process, which dockerd would take for its own.
  for (const stale of ['dockerd.pid', 'run/containerd/containerd.pid', 'docker.sock'])
    await rm(join(home.engine, stale), { force: true })
  using log = openLog(engineLog(home))
  const child = spawn(program, engineArgs(home, hasIptables()), {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, PATH: systemPath() },
  })
  const ended = new Promise<undefined>((done) =>
    child.once('error', () => done(undefined)).once('exit', () => done(undefined)),
  )
  child.unref()
  const id = child.pid === undefined ? undefined : processId(child.pid)
  if (id) {
    const file = join(home.engine, 'process.json')
    await writeFile(`${file}.new`, JSON.stringify(id), { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
  return { died: ended }
}

/** dockerd's arguments: everything under the home, networks of /24 in 10.201.0.0/16, containers outlive the daemon. */
export function engineArgs(home: Home, iptables: boolean): string[] {
  return [
    `--host=unix://${ownSocket(home)}`,
    `--data-root=${join(home.engine, 'data')}`,
    `--exec-root=${join(home.engine, 'run')}`,
    `--pidfile=${join(home.engine, 'dockerd.pid')}`,
    // What a container prints must not fill the disk of all.
    '--log-opt=max-size=64m',
    '--log-opt=max-file=2',
    // A machine's own containerd may be shared; its other users must not see our containers, nor we theirs.
    '--containerd-namespace=gantry',
    '--containerd-plugins-namespace=gantry-plugins',
    '--live-restore',
    '--default-address-pool=base=10.201.0.0/16,size=24',
    '--log-level=warn',
    ...(iptables ? [] : ['--iptables=false']),
  ]
}

function hasIptables(): boolean {
  const result = spawnSync('iptables', ['-w', '5', '-t', 'nat', '-S'], { env: { PATH: systemPath() }, stdio: 'ignore' })
  return result.status === 0
}

function checkPathLength(home: Home): void {
  // A Unix socket's path has at most 107 bytes; the longest below the home is run/containerd/containerd-debug.sock.
  if (Buffer.byteLength(home.engine) <= 107 - '/run/containerd/containerd-debug.sock'.length) return
  throw unfit(`The path ${home.root} is too long for an engine's sockets.`, 'Choose a shorter one with --home DIR.')
}

async function untilSocket(path: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((done, failed) => {
    const folder = watch(join(path, '..'), { signal }, () => check())
    const check = (): void => {
      if (!existsSync(path)) return
      folder.close()
      done()
    }
    folder.on('error', failed)
    signal.addEventListener('abort', () => failed(signal.reason as Error), { once: true })
    if (signal.aborted) failed(signal.reason as Error)
    check()
  })
}

/** A connection made early waits in the socket's queue; only one made between bind and listen is refused. */
async function untilAnswer(socket: string, signal: AbortSignal): Promise<EngineVersion> {
  for (;;) {
    const version = await askVersion(socket, startMs, signal)
    if (version) return version
    await sleep(100, undefined, { signal })
  }
}
