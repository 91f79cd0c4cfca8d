import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'

/** The orderly end of what one app serves, in two steps, so that a balancer can look elsewhere between them. */
export interface Draining {
  readonly begun: boolean
  /** From now on every answer ends its connection; new ones are still taken. */
  begin(): void
  /** Takes no more connections. Settles when no request and no stream is under way any more, or the signal is aborted. */
  finish(signal: AbortSignal): Promise<void>
}

/** To be called before the app listens. */
export function draining(app: FastifyInstance): Draining {
  const { server } = app
  const underWay = new Set<ServerResponse | Duplex>()
  const state = { begun: false, emptied: () => {} }
  const track = (one: ServerResponse | Duplex) => {
    underWay.add(one)
    one.once('close', () => {
      underWay.delete(one)
      if (underWay.size === 0) state.emptied()
    })
  }
  server.prependListener('request', (_request, response) => {
    track(response)
    if (state.begun) response.shouldKeepAlive = false
  })
  server.prependListener('upgrade', (_request, socket) => track(socket))
  return {
    get begun() {
      return state.begun
    },
    begin() {
      state.begun = true
      for (const one of underWay) if ('shouldKeepAlive' in one && !one.headersSent) one.shouldKeepAlive = false
    },
    async finish(signal) {
      if (server.listening) server.close()
      server.closeIdleConnections()
      if (underWay.size === 0) return
      await new Promise<void>((resolve) => {
        state.emptied = resolve
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
    },
  }
}
