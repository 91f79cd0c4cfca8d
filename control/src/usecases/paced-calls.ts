import { pipeline, type Readable, Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { BoundedMap, type Clock } from '@gantry/kernel'
import type { ProjectId } from '@gantry/model'
import type { AgentCalls, CallIo } from '@gantry/wire'

/** Lets the streams of each project flow at its rate, shared among them chunk by chunk. */
export interface Pace {
  calls(project: ProjectId, calls: AgentCalls): AgentCalls
}

/** What may come at once before it is slowed down, as a share of a second. */
const burst = 0.25
const mostProjects = 10_000

/** `rate`: bytes a second, each way, of one project on this server; 0: any number. */
export function createPace(rate: number, clock: Clock): Pace {
  if (rate === 0) return { calls: (_project, calls) => calls }
  const taps = new BoundedMap<ProjectId, { readonly inward: Tap; readonly outward: Tap }>(mostProjects)
  return {
    calls(project, calls) {
      const known = taps.get(project) ?? { inward: new Tap(rate, clock), outward: new Tap(rate, clock) }
      taps.set(project, known)
      return pacedCalls(calls, known)
    },
  }
}

/** A token bucket kept as the moment at which all that was let through will have had its time. */
class Tap {
  readonly #rate: number
  readonly #clock: Clock
  #paidUntil = 0

  constructor(rate: number, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
  }

  /** In the order of the calls; each stream asks for one chunk at a time, and so they take turns. */
  async take(bytes: number): Promise<void> {
    const now = this.#clock.now()
    this.#paidUntil = Math.max(this.#paidUntil, now - burst * 1000) + (bytes / this.#rate) * 1000
    const wait = this.#paidUntil - now
    if (wait > 0) await sleep(wait)
  }
}

type AnyCall = (args: unknown, io: CallIo) => Promise<{ readonly output?: Readable | null }>

/** Whatever a call sends or gives back as a stream flows at the pace. */
function pacedCalls(calls: AgentCalls, { inward, outward }: Record<'inward' | 'outward', Tap>): AgentCalls {
  return new Proxy(calls, {
    get(target, name, receiver) {
      const call: unknown = Reflect.get(target, name, receiver)
      if (typeof call !== 'function') return call
      const slowed: AnyCall = async (args, io) => {
        const given = io.input ? { ...io, input: through(io.input, inward) } : io
        const result = await (call as AnyCall)(args, given)
        return result.output ? { ...result, output: through(result.output, outward) } : result
      }
      return slowed
    },
  })
}

/** Either end that closes closes the other. */
function through(stream: Readable, tap: Tap): Readable {
  const slowed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      tap.take(chunk.length).then(
        () => done(null, chunk),
        (error: Error) => done(error),
      )
    },
  })
  pipeline(stream, slowed, () => undefined)
  return slowed
}
