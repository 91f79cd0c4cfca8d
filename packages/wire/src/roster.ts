import type { Dial } from './dial.ts'

/** `HOST:PORT`, `[v6]:PORT`. */
export type Address = string

export interface RosterOptions {
  /** Those that the operator named; never forgotten. */
  readonly named: readonly Address[]
  /** Those that a server told of the last time. */
  readonly told: readonly Address[]
  readonly dialTo: (address: Address) => Dial
  /** Keeps what a server told, for the next start. Not awaited. */
  readonly keep: (told: readonly Address[]) => void
  /** A number in [0, 1); `Math.random` unless told. */
  readonly random?: () => number
}

/**
 * The servers that one agent may hang on. It goes through them in rounds, each of them once in a round and in an order of chance,
 * so that the agents of a fleet spread by themselves; the one that was just lost comes last.
 */
export class Roster {
  readonly #options: RosterOptions
  #told: readonly Address[]
  #round: Address[] = []
  #turn: Address

  constructor(options: RosterOptions) {
    this.#options = options
    this.#told = options.told
    this.#round = this.#shuffled(null)
    const [first] = this.#round
    if (first === undefined) throw new Error('an agent needs the address of a server')
    this.#turn = first
  }

  /** The one whose turn it is; the one that the agent hangs on, once it does. */
  get turn(): Address {
    return this.#turn
  }

  /** Whether there is anywhere else to go. */
  get several(): boolean {
    return this.#all().length > 1
  }

  /** Dials the one whose turn it is. */
  readonly dial: Dial = (signal) => this.#options.dialTo(this.#turn)(signal)

  /** A server told which there are. */
  heard(addresses: readonly Address[]): void {
    if (addresses.length === 0 || sameSet(addresses, this.#told)) return
    this.#told = [...addresses]
    this.#options.keep(this.#told)
  }

  /** A session has begun: from now on all others are worth a try again. */
  settled(): void {
    this.#round = []
  }

  /** Passes on to the next. False: all had their turn since the last session, so it is time to wait. */
  moveOn(): boolean {
    if (!this.several) return false
    if (this.#round.length === 0) this.#round = [this.#turn, ...this.#shuffled(this.#turn)]
    this.#round.shift()
    const next = this.#round[0]
    if (next !== undefined) {
      this.#turn = next
      return true
    }
    this.#round = this.#shuffled(this.#turn)
    this.#turn = this.#round[0] ?? this.#turn
    return false
  }

  #all(): Address[] {
    return [...new Set([...this.#told, ...this.#options.named])]
  }

  /** Those that a server told of before those that were only named; `last` at the very end. */
  #shuffled(last: Address | null): Address[] {
    const told = new Set(this.#told)
    const { random = Math.random } = this.#options
    const rank = (address: Address) => (address === last ? 2 : told.has(address) ? 0 : 1)
    return this.#all()
      .map((address) => ({ address, at: rank(address) + random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ address }) => address)
  }
}

function sameSet(some: readonly Address[], others: readonly Address[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one))
}
