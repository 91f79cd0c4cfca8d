import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** How long a client may go on sending what nobody wants any more, so that one that first sends all can read why. */
export const lingerMs = 10_000

export interface BodyPatience {
  /** For a body that is read before anything is done with it. */
  readonly wholeMs: number
  /** For what still comes after the answer. */
  readonly lingerMs: number
}

const usualPatience: BodyPatience = { wholeMs: 60_000, lingerMs }

/** Nobody keeps a connection busy with a body: neither by sending it byte by byte, nor by going on when it has had its answer. */
export function boundBodies(app: FastifyInstance, patience = usualPatience): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>()
  // A body that was let go of early no longer knows its connection.
  const sockets = new WeakMap<FastifyRequest, Socket>()
  app.addHook('onRequest', async (request) => void sockets.set(request, request.raw.socket))
  // What flows on to somewhere else is not read before.
  app.addHook('preParsing', async (request) => {
    timers.set(
      request,
      setTimeout(() => request.raw.destroy(new Error('the body took too long')), patience.wholeMs),
    )
  })
  const done = async (request: FastifyRequest) => clearTimeout(timers.get(request))
  app.addHook('preValidation', done)
  app.addHook('onRequestAbort', done)
  app.addHook('onResponse', async (request) => {
    clearTimeout(timers.get(request))
    const socket = sockets.get(request)
    if (socket && !request.raw.complete) cutUnlessSent(request.raw, socket, patience)
  })
}

/** Node would read a body to its end after the answer, however long it is. */
function cutUnlessSent(raw: IncomingMessage, socket: Socket, patience: BodyPatience): void {
  const cut = setTimeout(() => raw.complete || socket.destroy(), patience.lingerMs)
  socket.once('close', () => clearTimeout(cut))
  raw.once('end', () => clearTimeout(cut))
}
