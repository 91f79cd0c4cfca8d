import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { setImmediate } from 'node:timers/promises'
import { assertNever, Fault, randomIds, reasonOf } from '@gantry/kernel'
import type { Assignment, HostId } from '@gantry/model'
import type { CallCheck } from './call-checks.ts'
import type { AgentCalls } from './calls.ts'
import { InFlight } from './in-flight.ts'
import { keepAlive } from './keepalive.ts'
import type { Log } from './log.ts'
import { jsonLine, lines } from './ndjson.ts'
import { Outbox } from './outbox.ts'
import type { PlanMessage, RelayReports } from './relay-ports.ts'
import { remoteCalls } from './remote-calls.ts'
import { type FromAgent, type FromRelay, parseFromAgent } from './session-messages.ts'

/** Longest message of an agent. Bytes. */
const messageLimit = 1024 * 1024
/** As many messages go in one write as make up so much. Characters. */
const writeSize = 64 * 1024
const longestTimer = 2 ** 31 - 1

export interface AgentLinkOptions {
  readonly hostId: HostId
  readonly session: ClientHttp2Session
  /** End of the certificate the agent came with, epoch milliseconds. */
  readonly validUntil: number
  readonly reports: RelayReports
  /** The sessions before this one have told their last reports. */
  readonly after: Promise<void>
  readonly checks: ReadonlyMap<string, CallCheck>
  readonly sign: (csr: string, hostId: HostId) => Promise<string>
  readonly keepaliveMs: number
  /** Of the living servers, as agents reach them. */
  readonly servers: () => readonly string[]
  readonly now: () => number
  readonly log: Log
}

/** One agent's session, seen from the relay. Lives as long as the control stream; calls under way may outlive that. */
export class AgentLink {
  readonly hostId: HostId
  readonly calls: AgentCalls
  /** Settles, never rejects, when the last report of this session has been made. */
  readonly reported: Promise<void>
  /** Settles, never rejects, when the agent was told all it has to know at the beginning, or there is nobody to tell any more. */
  readonly greeted: Promise<void>
  readonly #options: AgentLinkOptions
  readonly #control: ClientHttp2Stream
  readonly #outbox = new Outbox()
  readonly #welcome = Promise.withResolvers<void>()
  readonly #inFlight = new InFlight(() => this.#letGo())
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
    this.hostId = hostId
    this.#validUntil = options.validUntil
    this.calls = remoteCalls(hostId, session, options.checks)
    session.on('error', (error) => log.warn({ host: hostId, reason: reasonOf(error) }, 'agent session failed'))
    session.once('close', () => clearTimeout(this.#expiry))
    keepAlive(session, options.keepaliveMs, () => log.warn({ host: hostId }, 'agent does not answer; session ended'))
    this.#watchExpiry()
    this.#control = session.request({ ':method': 'POST', ':path': '/session' })
    this.#control.on('error', () => {})
    this.greeted = this.#welcome.promise
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
    if (this.#outbox.tell(message)) return void this.#pump()
    if (this.#options.session.destroyed) return
    this.#options.log.error({ host: this.hostId }, 'agent does not take what it is told; session ended')
    this.destroy()
  }

  /** Takes no more messages; streams under way may finish. */
  retire(): void {
    this.#retired = true
    this.#letGo()
    this.#control.end()
    this.#options.session.close()
  }

  /** Asks the agent to go to another server. What it has still to report comes before its end of the session; streams under way may finish. */
  sendAway(): void {
    if (!this.#control.writableEnded) this.#control.end()
  }

  /** Where the living servers are. */
  tellServers(addresses: readonly string[]): void {
    if (this.#syncing || addresses.length === 0) return
    this.#say({ kind: 'servers', addresses: [...addresses] })
  }

  destroy(): void {
    this.#options.session.destroy()
  }

  #say(message: FromRelay): void {
    if (!this.#control.destroyed && !this.#control.writableEnded) this.#control.write(jsonLine(message))
  }

  async #run(): Promise<void> {
    const { hostId, log, reports } = this.#options
    try {
      const incoming = lines(this.#control, messageLimit)
      while (!this.#retired && !this.#inFlight.hasFailed) {
        const next = await this.#next(incoming)
        if (next === null || next.done) break
        const message = parseFromAgent(next.value)
        if (message !== null) await this.#takeInTurn(message)
      }
      await this.#inFlight.settled()
      this.#options.session.close()
    } catch (error) {
      if (!this.#options.session.closed) {
        log.error({ host: hostId, reason: reasonOf(error) }, 'agent session ended by an error')
        this.destroy()
      }
    }
    this.#welcome.resolve()
    await this.#inFlight.ended()
    if (!this.#greeted) return
    this.#greeted = false
    await reports.disconnected(hostId).catch((error: unknown) => {
      log.error({ host: hostId, reason: reasonOf(error) }, 'report of a lost agent failed')
    })
  }

  /**
   * The next message; null once retired or once a report has failed: a peer that went silent must delay neither end. Not a
   * race with one promise for the whole session: that would grow by a little with every message.
   */
  #next(incoming: AsyncGenerator<string, void>): Promise<IteratorResult<string, void> | null> {
    return new Promise((resolve, reject) => {
      this.#letGo = () => resolve(null)
      incoming.next().then(resolve, reject)
    })
  }

  /** What control keeps in order by itself goes on together, so that it can write much at once; all else waits for what came before. */
  async #takeInTurn(message: FromAgent): Promise<void> {
    if (message.kind === 'observed' || message.kind === 'step') return this.#inFlight.add(this.#take(message))
    await this.#inFlight.settled()
    await this.#take(message)
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

  async #hello({ facts, holds }: Extract<FromAgent, { kind: 'hello' }>): Promise<void> {
    const { hostId, reports, after, session } = this.#options
    await after
    if (session.closed) throw new Error('the session ended while an older one was still reporting')
    this.#greeted = true
    const plan = await reports.connected(hostId, facts, holds)
    if (this.#syncing) this.#outbox.sync(plan)
    else for (const assignment of plan.assignments) this.#outbox.offer(assignment)
    const first = this.#syncing
    this.#syncing = false
    if (first) this.tellServers(this.#options.servers())
    void this.#pump()
    this.#welcome.resolve()
  }

  async #pump(): Promise<void> {
    if (this.#syncing || this.#pumping) return
    this.#pumping = true
    try {
      // What comes within one turn of the event loop goes in few writes.
      await setImmediate()
      for (let lines = this.#nextLines(); lines !== ''; lines = this.#nextLines()) {
        if (this.#control.destroyed || this.#control.writableEnded) return
        if (!this.#control.write(lines)) await once(this.#control, 'drain')
      }
    } catch {
      // The control stream broke while it was full: `#run` sees it too, and deals with it.
    } finally {
      this.#pumping = false
    }
  }

  #nextLines(): string {
    let lines = ''
    while (lines.length < writeSize) {
      const next = this.#outbox.next()
      if (!next) break
      lines += jsonLine(next)
    }
    return lines
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
    this.#say(answer)
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
