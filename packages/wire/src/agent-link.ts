import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { assertNever, Fault, randomIds, reasonOf } from '@gantry/kernel'
import type { Assignment, HostId } from '@gantry/model'
import type { CallCheck } from './call-checks.ts'
import type { AgentCalls } from './calls.ts'
import { keepAlive } from './keepalive.ts'
import type { Log } from './log.ts'
import { jsonLine, lines } from './ndjson.ts'
import { Outbox } from './outbox.ts'
import type { PlanMessage, RelayReports } from './relay-ports.ts'
import { remoteCalls } from './remote-calls.ts'
import { type FromAgent, type FromRelay, parseFromAgent } from './session-messages.ts'

/** Longest message of an agent. Bytes. */
const messageLimit = 1024 * 1024
const longestTimer = 2 ** 31 - 1

export interface AgentLinkOptions {
  readonly hostId: HostId
  readonly session: ClientHttp2Session
  /** End of the certificate the agent came with, epoch milliseconds. */
  readonly validUntil: number
  readonly reports: RelayReports
  /** The session that this one replaces has told its last report. */
  readonly after: Promise<void>
  readonly checks: ReadonlyMap<string, CallCheck>
  readonly sign: (csr: string, hostId: HostId) => Promise<string>
  readonly keepaliveMs: number
  readonly now: () => number
  readonly log: Log
}

/** One agent's session, seen from the relay. Lives as long as the control stream; calls under way may outlive that. */
export class AgentLink {
  readonly calls: AgentCalls
  /** Settles, never rejects, when the last report of this session has been made. */
  readonly reported: Promise<void>
  readonly #options: AgentLinkOptions
  readonly #control: ClientHttp2Stream
  readonly #outbox = new Outbox()
  #retired = false
  /** Ends the wait for the next message. */
  #letGo: () => void = () => {}
  #greeted = false
  #syncing = true
  #pumping = false
  #validUntil: number
  #expiry: NodeJS.Timeout | undefined

  constructor(options: AgentLinkOptions) {
    const { session, hostId, log } = options
    this.#options = options
    this.#validUntil = options.validUntil
    this.calls = remoteCalls(hostId, session, options.checks)
    session.on('error', (error) => log.warn({ host: hostId, reason: reasonOf(error) }, 'agent session failed'))
    session.once('close', () => clearTimeout(this.#expiry))
    keepAlive(session, options.keepaliveMs, () => log.warn({ host: hostId }, 'agent does not answer; session ended'))
    this.#watchExpiry()
    this.#control = session.request({ ':method': 'POST', ':path': '/session' })
    this.#control.on('error', () => {})
    this.reported = this.#run()
  }

  /** It said hello: it can be called. */
  get live(): boolean {
    const { session } = this.#options
    return this.#greeted && !session.closed && !session.destroyed
  }

  assign(assignment: Assignment): void {
    this.#outbox.offer(assignment)
    void this.#pump()
  }

  tell(message: PlanMessage): void {
    this.#outbox.tell(message)
    void this.#pump()
  }

  /** Takes no more messages; streams under way may finish. */
  retire(): void {
    this.#retired = true
    this.#letGo()
    this.#control.end()
    this.#options.session.close()
  }

  destroy(): void {
    this.#options.session.destroy()
  }

  async #run(): Promise<void> {
    const { hostId, log, reports } = this.#options
    try {
      const incoming = lines(this.#control, messageLimit)
      while (!this.#retired) {
        const next = await this.#next(incoming)
        if (next === null || next.done) break
        await this.#take(parseFromAgent(next.value))
      }
      this.#options.session.close()
    } catch (error) {
      if (!this.#options.session.closed) {
        log.error({ host: hostId, reason: reasonOf(error) }, 'agent session ended by an error')
        this.destroy()
      }
    }
    if (!this.#greeted) return
    this.#greeted = false
    await reports.disconnected(hostId).catch((error: unknown) => {
      log.error({ host: hostId, reason: reasonOf(error) }, 'report of a lost agent failed')
    })
  }

  /**
   * The next message; null once retired, since a peer that went silent must not delay the session that replaces it. Not a
   * race with one promise for the whole session: that would grow by a little with every message.
   */
  #next(incoming: AsyncGenerator<string, void>): Promise<IteratorResult<string, void> | null> {
    return new Promise((resolve, reject) => {
      this.#letGo = () => resolve(null)
      incoming.next().then(resolve, reject)
    })
  }

  async #take(message: FromAgent): Promise<void> {
    const { hostId, reports } = this.#options
    if (!this.#greeted && message.kind !== 'hello') throw new Error(`${message.kind} came before hello`)
    switch (message.kind) {
      case 'hello':
        return this.#hello(message)
      case 'observed':
        if (message.gone) this.#outbox.forget(message.id)
        return reports.observed(hostId, message.id, message.observed, message.gone)
      case 'step': {
        const { kind: _, ...report } = message
        return reports.step(hostId, report)
      }
      case 'volume':
        return reports.volume(hostId, message.report)
      case 'engine':
        return reports.engine(hostId, message.up, message.reason)
      case 'renew':
        return this.#renew(message.csr)
      default:
        return assertNever(message, 'message of an agent')
    }
  }

  async #hello({ facts }: Extract<FromAgent, { kind: 'hello' }>): Promise<void> {
    const { hostId, reports, after, session } = this.#options
    await after
    if (session.closed) throw new Error('the session ended while an older one was still reporting')
    this.#greeted = true
    const plan = await reports.connected(hostId, facts)
    if (this.#syncing) this.#outbox.sync(plan)
    else for (const assignment of plan.assignments) this.#outbox.offer(assignment)
    this.#syncing = false
    void this.#pump()
  }

  async #pump(): Promise<void> {
    if (this.#syncing || this.#pumping) return
    this.#pumping = true
    try {
      for (let next = this.#outbox.next(); next; next = this.#outbox.next()) {
        if (this.#control.destroyed) return
        if (!this.#control.write(jsonLine(next))) await once(this.#control, 'drain')
      }
    } catch {
      // The control stream broke while it was full: `#run` sees it too, and deals with it.
    } finally {
      this.#pumping = false
    }
  }

  async #renew(csr: string): Promise<void> {
    const { hostId, sign, log } = this.#options
    let answer: FromRelay
    try {
      const certificate = await sign(csr, hostId)
      this.#validUntil = new X509Certificate(certificate).validToDate.getTime()
      this.#watchExpiry()
      answer = { kind: 'renewed', certificate }
      log.info({ host: hostId, until: new Date(this.#validUntil) }, 'certificate renewed')
    } catch (error) {
      const fault = error instanceof Fault ? error : new Fault('internal', { reference: randomIds.hex(6) }, error)
      log.warn({ host: hostId, reason: reasonOf(error) }, 'certificate not renewed')
      answer = { kind: 'fault', fault: fault.toJSON() }
    }
    if (!this.#control.destroyed) this.#control.write(jsonLine(answer))
  }

  /** A session must not outlive the right to it, or a short-lived certificate would bound nothing. */
  #watchExpiry(): void {
    clearTimeout(this.#expiry)
    const left = this.#validUntil - this.#options.now()
    if (left <= 0) {
      this.#options.log.warn({ host: this.#options.hostId }, 'certificate ended without renewal; session ended')
      return this.destroy()
    }
    this.#expiry = setTimeout(() => this.#watchExpiry(), Math.min(left, longestTimer))
  }
}
