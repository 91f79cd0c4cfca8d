import { readFileSync } from 'node:fs'
import { orAborted, reasonOf } from '@gantry/kernel'
import type { Assignment, ContainerId } from '@gantry/model'
import type { ContainerApi } from '../engine/containers.ts'
import type { ContainerSummary } from '../engine/engine-types.ts'
import type { HostLog } from './host-log.ts'
import { labels } from './labels.ts'
import type { LeaseNote } from './lease-note.ts'

/** Seconds of a clock that no one sets and that a sleeping machine does not stop. */
export type Uptime = () => number

/** Of this machine since it was started. */
export const machineUptime: Uptime = () => Number.parseFloat(readFileSync('/proc/uptime', 'utf8'))

/** Between two questions to the server; well below the shortest lease. */
const askEveryMs = 3000
const watchEveryMs = 1000
/** For the processes of a container that is stopped because its lease is over. Seconds; the server waits longer. */
const graceSeconds = 3

export interface LeaseOptions {
  readonly containers: Pick<ContainerApi, 'list' | 'inspect' | 'stop' | 'kill'>
  /** The label of all that is ours, `key=value`. */
  readonly ours: string
  readonly note: LeaseNote
  readonly uptime: Uptime
  readonly log: HostLog
  readonly signal: AbortSignal
}

interface Session {
  readonly beganAt: number
  readonly ask: () => void
  /** Before, its server may be one that the others took for dead: it answers, but cannot reach the store. */
  isAccepted: boolean
}

/**
 * Keeps the promise that makes it safe to run a container elsewhere when this host is cut off: a container with a lease runs only
 * while a server has answered within it. What a server is believed to have known begins when the question was *sent*, on
 * a clock that runs as long as the machine does. A container that was stopped for this goes on only when a server, in a session
 * begun later, has said that it still belongs here.
 */
export class Leases {
  readonly #options: LeaseOptions
  /** Of containers assigned, or found in the engine. Seconds. */
  readonly #leases = new Map<ContainerId, number>()
  /** Those that may not run until a server says otherwise. */
  readonly #over: Set<ContainerId>
  /** Starts (the engine's time of each) that were ended because a lease was over. */
  readonly #ended: Map<ContainerId, string>
  /** Those that the server of this session named. */
  readonly #named = new Set<ContainerId>()
  /** Uptime at which a server certainly was there. */
  #contact: number
  #session: Session | null = null
  #changed = Promise.withResolvers<void>()
  #watching: Promise<void> | null = null
  readonly #timer: NodeJS.Timeout

  constructor(options: LeaseOptions) {
    this.#options = options
    const { contact, over, ended } = options.note.read()
    this.#contact = contact
    this.#over = new Set(over)
    this.#ended = new Map(ended)
    this.#timer = setInterval(() => {
      if (this.#isLate()) void this.watch()
    }, watchEveryMs)
    this.#timer.unref()
  }

  /** A session with a server began; `ping` settles when that has answered. */
  begin(ping: () => Promise<void>, signal: AbortSignal): void {
    // It is told of further containers one by one, so what it has not named yet may be elsewhere.
    this.#named.clear()
    const ask = () => {
      const sentAt = this.#options.uptime()
      ping().then(
        () => signal.aborted || !session.isAccepted || this.#heard(sentAt, session),
        () => undefined,
      )
    }
    const session: Session = { beganAt: this.#options.uptime(), ask, isAccepted: false }
    this.#session = session
    const timer = setInterval(() => this.ask(), askEveryMs)
    timer.unref()
    signal.addEventListener('abort', () => {
      clearInterval(timer)
      if (this.#session !== session) return
      this.#session = null
      this.#named.clear()
    })
  }

  /** The server has told what belongs here, so this session of the host is in the store. */
  accepted(): void {
    if (!this.#session) return
    this.#session.isAccepted = true
    this.#heard(this.#session.beganAt, this.#session)
  }

  /** Asks whether the server is there, if anything depends on it. Happens every few seconds by itself. */
  ask(): void {
    if (this.#leases.size > 0) this.#session?.ask()
  }

  /** The server said, in the session that there is, that this container belongs here. */
  assigned({ id, lease }: Pick<Assignment, 'id' | 'lease'>): void {
    this.accepted()
    this.#named.add(id)
    if (lease === undefined) this.#leases.delete(id)
    else if (!this.#leases.has(id)) {
      this.#leases.set(id, lease)
      // Nothing was written or asked while there was nothing to keep.
      if (this.#leases.size === 1) {
        this.#write()
        this.#session?.ask()
      }
    }
    if (lease === undefined || this.#age() <= lease) this.#over.delete(id)
    this.#wake()
  }

  /** Nothing of it is here any more. */
  forget(id: ContainerId): void {
    this.#leases.delete(id)
    this.#named.delete(id)
    const [wasOver, wasEnded] = [this.#over.delete(id), this.#ended.delete(id)]
    if (wasOver || wasEnded) this.#write()
  }

  /** It may be started now. */
  allows({ id, lease }: Pick<Assignment, 'id' | 'lease'>): boolean {
    if (lease === undefined) return true
    return this.#age() <= lease && !this.#over.has(id)
  }

  /** Resolves when it may be started. Rejects with the signal. */
  async whenAllowed(assignment: Pick<Assignment, 'id' | 'lease'>, signal: AbortSignal): Promise<void> {
    while (!this.allows(assignment)) await orAborted(this.#changed.promise, signal)
  }

  /** The start that ended with its lease and not by itself: a wish to run means that it is to be started again. */
  endedStart(id: ContainerId): string | null {
    return this.#ended.get(id) ?? null
  }

  /** Looks at what the engine runs, and stops what may not. To be called before anything else once the engine is there. */
  watch(): Promise<void> {
    this.#watching ??= this.#stopLate()
      .catch((error: unknown) => {
        const { signal, log } = this.#options
        if (!signal.aborted) log.warn({ reason: reasonOf(error) }, 'containers without a lease not stopped yet')
      })
      .finally(() => {
        this.#watching = null
      })
    return this.#watching
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #age(): number {
    return this.#options.uptime() - this.#contact
  }

  #isLate(): boolean {
    const age = this.#age()
    return this.#leases.values().some((lease) => age > lease)
  }

  #heard(sentAt: number, session: object): void {
    if (sentAt <= this.#contact || session !== this.#session) return
    // A machine that slept must not take the first answer for a reason to go on.
    if (this.#isLate()) {
      this.#endLate()
      void this.watch()
    }
    this.#contact = sentAt
    // One unbroken session: what it named was nowhere else meanwhile.
    for (const id of this.#named) this.#over.delete(id)
    this.#write()
    this.#wake()
  }

  #endLate(): void {
    const age = this.#age()
    for (const [id, lease] of this.#leases) if (age > lease) this.#over.add(id)
  }

  async #stopLate(): Promise<void> {
    const { containers, ours, signal, log } = this.#options
    const held = await containers.list([ours, labels.lease], signal)
    for (const { Labels } of held) {
      const [id, lease] = [idOf(Labels), Number(Labels[labels.lease])]
      if (lease > 0 && !this.#leases.has(id)) this.#leases.set(id, lease)
    }
    this.#endLate()
    const late = held.filter(({ State, Labels }) => isAlive(State) && this.#over.has(idOf(Labels)))
    if (late.length === 0) return
    log.warn({ containers: late.length, seconds: Math.round(this.#age()) }, 'no server was heard of; leases are over')
    await Promise.all(late.map((one) => this.#stop(one)))
    this.#write()
  }

  async #stop({ Id, Labels }: ContainerSummary): Promise<void> {
    const { containers, signal } = this.#options
    const { State } = await containers.inspect(Id, signal)
    // Even if a server says meanwhile that it belongs here: then it is started again.
    if (isAlive(State.Status)) this.#ended.set(idOf(Labels), State.StartedAt)
    await containers.stop(Id, graceSeconds, signal).catch(() => containers.kill(Id, 'SIGKILL', signal))
  }

  #write(): void {
    // Nobody will ask.
    if (this.#leases.size + this.#over.size + this.#ended.size === 0) return
    try {
      this.#options.note.write({ contact: this.#contact, over: [...this.#over], ended: [...this.#ended] })
    } catch (error) {
      // A full disk. An older note only makes leases end earlier, and the next answer of a server tries again.
      this.#options.log.warn({ reason: reasonOf(error) }, 'leases not noted')
    }
  }

  #wake(): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }
}

function idOf(Labels: ContainerSummary['Labels']): ContainerId {
  return Labels[labels.container] as ContainerId
}

function isAlive(state: string): boolean {
  return state === 'running' || state === 'restarting'
}
