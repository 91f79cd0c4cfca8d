import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { delay } from './waiting.ts'

/** So often is one started again that cannot begin. */
const patience = 120
/** Lines of a log. */
const wordsKept = 40
const clockLibrary = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'

/** Whether a program's clock can be set apart from the machine's (package libfaketime). */
export const canSetClocks = existsSync(clockLibrary)

/** A process of ours on one of the campaign's machines, as a service manager would keep it. */
export interface Program {
  readonly name: string
  start(): Promise<void>
  kill9(): Promise<void>
  /** How often it has been killed. */
  kills(): number
  /** Stops it where it is, or lets it go on. */
  pause(isPaused: boolean): void
  /** Sets its clock that many seconds ahead of the machine's; less than 0: behind. */
  setClock(seconds: number): Promise<void>
}

export interface ProgramOptions {
  readonly name: string
  readonly netns: string
  /** Of the log and of the file that its clock is read from. */
  readonly folder: string
  /** Path of the bundle. */
  readonly script: string
  readonly args: () => readonly string[]
  readonly env?: () => Readonly<Record<string, string>>
  /** It ended without being killed. */
  readonly onCrash: (text: string) => void
}

/** Not started yet. */
export async function program(options: ProgramOptions): Promise<Program> {
  const { name, netns, folder, script } = options
  const clockFile = join(folder, `${name}.clock`)
  await writeFile(clockFile, '+0')
  let wasUp = false
  const state = { child: null as ChildProcess | null, isWanted: false, kills: 0 }

  async function launch(): Promise<void> {
    const out = openSync(join(folder, `${name}.log`), 'a')
    const clock = canSetClocks
      ? {
          LD_PRELOAD: clockLibrary,
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
          FAKETIME_TIMESTAMP_FILE: clockFile,
          FAKETIME_CACHE_DURATION: '1',
        }
      : {}
    const command = [`--net=${netns}`, process.execPath, script, ...options.args()]
    const child = spawn('nsenter', command, {
      env: { ...process.env, NODE_OPTIONS: '', ...clock, ...options.env?.() },
      stdio: ['ignore', out, out, 'ipc'],
    })
    closeSync(out)
    state.child = child
    let isReady = false
    child.once('exit', (code, signal) => {
      if (state.child !== child) return
      state.child = null
      // One that cannot begin, because its database is away, is no crash.
      if (!isReady) return
      const said = lastLines(join(folder, `${name}.log`))
      options.onCrash(`${name} ended by itself with ${code ?? signal}. Its last words:\n${said}`)
      void keepUp()
    })
    await new Promise<void>((resolve, reject) => {
      child.once('message', (message: Record<string, unknown>) => {
        if (message['kind'] !== 'ready') return reject(new Error(`${name}: ${String(message['message'])}`))
        isReady = true
        resolve()
      })
      child.once('exit', () => reject(new Error(`${name} ended before it was ready`)))
    })
  }
  /** As a service manager does: again after a second, for as long as it takes. */
  async function keepUp(): Promise<void> {
    for (let tries = 0; tries < patience; tries += 1) {
      await delay(1000)
      if (!state.isWanted || state.child) return
      await launch().catch(() => undefined)
    }
  }

  return {
    name,
    async start() {
      state.isWanted = true
      if (state.child) return
      const launched = launch()
      // What it needs may be away just now: it goes on by itself then.
      if (wasUp) await Promise.race([launched.catch(() => void keepUp()), delay(20_000)])
      else await launched
      wasUp = true
    },
    async kill9() {
      state.isWanted = false
      // Before it is: whoever sees its connections end is to know.
      state.kills += 1
      const { child } = state
      state.child = null
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
    kills: () => state.kills,
    pause: (isPaused) => void state.child?.kill(isPaused ? 'SIGSTOP' : 'SIGCONT'),
    setClock: (seconds) => writeFile(clockFile, seconds < 0 ? String(seconds) : `+${seconds}`),
  }
}

/** Where only the report of a campaign is kept, nothing else tells why a program ended. */
function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-wordsKept)
  return lines.map((line) => line.slice(0, 500)).join('\n')
}
