import { reasonOf } from '@gantry/kernel'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, Member, ServerId } from '../ports/cluster.ts'
import type { Log } from '../ports/log.ts'

const pauseMs = 1000

/** The only server of its cloud: nobody to tell, and always the one whose turn it is. */
export function aloneCluster(self: Member, log: Log): Cluster & AsyncDisposable {
  const ending = new AbortController()
  const running = new Set<Promise<void>>()
  const again = async (name: string, work: (signal: AbortSignal) => Promise<void>) => {
    const { signal } = ending
    while (!signal.aborted) {
      await work(signal).catch((error: unknown) => {
        if (!signal.aborted) log.error({ work: name, reason: reasonOf(error) }, 'failed; trying again')
      })
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
  return {
    self: self.id,
    tell: () => undefined,
    onNote: () => undefined,
    onMissed: () => undefined,
    onLost: () => undefined,
    onLapsed: () => undefined,
    lead: (name, work) => {
      const whole = again(name, work).finally(() => running.delete(whole))
      running.add(whole)
    },
    inTurn: (_name, work) => work(),
    ifFree: (_name, work) => work().then(() => true),
    members: async () => [self],
    async [Symbol.asyncDispose]() {
      ending.abort(new Error('the server is closing'))
      await Promise.all(running)
    },
  }
}

/** For tests and tools that need a cloud of one server. */
export const soleServer: Member = {
  id: 'sole' as ServerId,
  name: 'sole',
  peer: null,
  agents: null,
  version: '0',
  startedAt: 0,
  seenAt: 0,
}
