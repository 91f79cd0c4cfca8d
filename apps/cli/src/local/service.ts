import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { backoffMs, reasonOf } from '@gantry/kernel'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLog, tailOf } from './log-file.ts'
import { unfit } from './unfit.ts'

export interface ServiceOptions<R> {
  readonly name: string
  readonly module: string
  /** Asked at every start, so that a restart gets what is current. */
  readonly args: () => string[]
  readonly env: () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>
  readonly logFile: string
  /** What the child's `{kind:'ready'}` message carries; throws if it is not as agreed. */
  readonly ready: (message: object) => R
  /** Milliseconds that the first start may take. */
  readonly startMs: number
  readonly onReady: (ready: R, pid: number) => void
  /** The child ended by itself and is started again after `waitMs`. */
  readonly onDeath: (how: string, waitMs: number) => void
}

const steadyMs = 60_000
const stopMs = 10_000

/**
 * A child process with an IPC channel, started again with a jittered back-off when it dies. It ends when the channel does,
 * so it never outlives this process. It has a session of its own: Ctrl-C reaches it only through `stop`.
 */
export class Service<R> implements AsyncDisposable {
  readonly #options: ServiceOptions<R>
  readonly #stopping = new AbortController()
  #child: ChildProcess | undefined
  #loop: Promise<void> = Promise.resolve()

  constructor(options: ServiceOptions<R>) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it and looks after it from then on. Throws `machine.unfit` with the child's own reason if it does not serve. */
  async start(signal: AbortSignal): Promise<R> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.startMs)])
    const child = await this.#spawn()
    try {
      const ready = await this.#untilReady(child, limit)
      this.#loop = this.#keep(child)
      return ready
    } catch (error) {
      await this[Symbol.asyncDispose]()
      signal.throwIfAborted()
      throw unfit(
        `The ${this.#options.name} did not start: ${reasonOf(error)}`,
        `Its log is ${this.#options.logFile}.`,
        error,
      )
    }
  }

  async #spawn(): Promise<ChildProcess> {
    const { module, args, logFile } = this.#options
    const env = await this.#options.env()
    this.#stopping.signal.throwIfAborted()
    using log = openLog(logFile)
    const child = fork(module, args(), { detached: true, env, stdio: ['ignore', log.fd, log.fd, 'ipc'] })
    // A message or a kill that fails means that the child has ended; its exit tells that.
    child.on('error', () => undefined)
    this.#child = child
    return child
  }

  async #untilReady(child: ChildProcess, signal: AbortSignal): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>()
    const onMessage = (message: unknown): void => {
      if (!isMessage(message)) return
      if (message.kind === 'failed') reject(new Error(String(message.message)))
      if (message.kind === 'ready') resolve(this.#options.ready(message))
    }
    const onExit = (): void => reject(new Error(tailOf(this.#options.logFile, 1) || 'it ended without a word.'))
    const onAbort = (): void => reject(new Error(`it was not ready within ${this.#options.startMs / 1000} s.`))
    child.on('message', onMessage).once('exit', onExit).once('error', reject)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const ready = await promise
      this.#options.onReady(ready, child.pid ?? 0)
      return ready
    } finally {
      child.off('message', onMessage).off('exit', onExit).off('error', reject)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #keep(first: ChildProcess): Promise<void> {
    const { signal } = this.#stopping
    for (let child = first, attempt = 0; ; attempt += 1) {
      const began = performance.now()
      const how = await untilExit(child)
      if (signal.aborted) return
      if (performance.now() - began > steadyMs) attempt = 0
      const waitMs = backoffMs(attempt, { baseMs: 200, maxMs: 10_000 })
      this.#options.onDeath(how, waitMs)
      await sleep(waitMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      const next = await this.#spawn().catch(() => undefined)
      if (!next) return
      child = next
      // Not ready: it either ends, which the next round sees, or is ended so that the next round can try.
      const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.startMs)])
      await this.#untilReady(child, limit).catch(() => child.kill('SIGKILL'))
    }
  }

  /** Ends the child: SIGTERM, and SIGKILL after ten seconds. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    const child = this.#child
    if (child && !hasEnded(child)) {
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), stopMs)
      await untilExit(child)
      clearTimeout(killer)
    }
    await this.#loop
  }
}

async function untilExit(child: ChildProcess): Promise<string> {
  // A child that could not even be spawned has no exit, only an error.
  if (!hasEnded(child) && child.pid !== undefined) await once(child, 'exit')
  return child.signalCode === null ? `ended with code ${child.exitCode}` : `was ended by ${child.signalCode}`
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function isMessage(message: unknown): message is { kind: unknown; message?: unknown } {
  return typeof message === 'object' && message !== null && 'kind' in message
}
