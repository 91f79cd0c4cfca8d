import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, orAborted } from '@gantry/kernel'
import type { AgentCalls, CallIo } from '@gantry/wire'

/** An agent that is sent away is at another server within a second or two. */
const patienceMs = 5_000
const lookEveryMs = 50

export interface Elsewhere {
  /** null: it hangs nowhere yet. */
  find(): AgentCalls | null
  /** Nobody expects it back. */
  isLost(): Promise<boolean>
  unreachable(): Fault
}

/** Calls to a host between two servers: each waits a little for it, instead of failing because of when it came. */
export function patientCalls(host: Elsewhere): AgentCalls {
  const reached = async (signal: AbortSignal): Promise<AgentCalls> => {
    if (await host.isLost()) throw host.unreachable()
    for (let waited = 0; waited < patienceMs; waited += lookEveryMs) {
      const calls = host.find()
      if (calls) return calls
      await orAborted(sleep(lookEveryMs), signal)
    }
    throw host.unreachable()
  }
  const call = (name: string) => async (args: unknown, io: CallIo) => {
    const calls = (await reached(io.signal)) as unknown as Record<string, (args: unknown, io: CallIo) => unknown>
    return calls[name]?.(args, io)
  }
  // Whoever is given it may wait for it, and must not take it for a promise.
  return new Proxy({} as AgentCalls, { get: (_, name) => (name === 'then' ? undefined : call(String(name))) })
}
