import { type Draining, draining } from '@gantry/http'
import type { Relay } from '@gantry/wire'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerOptions } from './options.ts'

/** The end of a server among others: nobody who uses it is to notice. */
export interface Leaving {
  /** Registers what listens, before it does. */
  add(app: FastifyInstance): void
  /** For `/readyz`: rejects once the server is about to end. */
  ready(): Promise<void>
  /**
   * Says that it is not ready, sends its agents to the others, and takes requests for as long as balancers may need to see it; then
   * listens no more and lets what is under way end. `haveOthers`: whether there are servers for the agents to go to.
   */
  leave(relay: Relay, haveOthers: boolean): Promise<void>
}

export function leaving({ delayMs, timeMs }: ServerOptions['drain'], log: Logger): Leaving {
  const apps: Draining[] = []
  let begun = false
  return {
    add: (app) => void apps.push(draining(app)),
    async ready() {
      if (begun) throw new Error('this server is about to end')
    },
    async leave(relay, haveOthers) {
      begun = true
      const limit = AbortSignal.timeout(delayMs + timeMs)
      log.info({ agents: relay.connectedCount(), delayMs, timeMs }, 'leaving')
      for (const app of apps) app.begin()
      await Promise.all([sleep(delayMs), haveOthers && relay.drain(delayMs, limit)])
      await Promise.all(apps.map((app) => app.finish(limit)))
      log.info({ agents: relay.connectedCount(), late: limit.aborted }, 'left')
    },
  }
}
