import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { type Duplex, PassThrough } from 'node:stream'
import type { Consoles } from '@gantry/control'
import { lingerMs, onUpgrade, retryAfter, statusOfKind } from '@gantry/http'
import { Fault, randomIds } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { consoleKeyOf, consolePath, originAllowed } from './console-address.ts'
import { carry, sayGoodbye } from './console-session.ts'
import { type Answer, errorBody, kebabOf, Refusal } from './errors.ts'

export interface ConsoleOptions {
  readonly consoles: Consoles
  /** Origins of pages, beside the service's own, that may open sessions: `https://dashboard.example`. */
  readonly allowedOrigins: readonly string[]
  /** Milliseconds between pings. */
  readonly pingMs: number
}

/** Most bytes of one message from a client; zunclient sends up to 1024. */
const mostFrameBytes = 1024 * 1024

/**
 * The websockets that `attach` and interactive `execute` point to. The token in the address is the only credential; a
 * refusal comes before the upgrade, as an HTTP answer with a sentence.
 */
export function consoleRoutes(app: FastifyInstance, { consoles, allowedOrigins, pingMs }: ConsoleOptions): void {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: mostFrameBytes,
    perMessageDeflate: false,
    // Clients that offer it will not go on without; text and binary frames are as good as each other here.
    handleProtocols: (offered) => (offered.has('binary') ? 'binary' : false),
  })
  const waiting = new Set<Duplex>()
  const { log, prefix } = app

  const serve = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const gone = new AbortController()
    socket.on('error', () => undefined)
    socket.once('close', () => {
      waiting.delete(socket)
      gone.abort(new Error('the client is gone'))
    })
    waiting.add(socket)
    try {
      mustBeAllowed(request, allowedOrigins)
      const key = consoleKeyOf(request.url ?? '')
      if (!key) throw new Fault('console.refused')
      const input = new PassThrough()
      const stream = await consoles.connect(key, input, gone.signal)
      gone.signal.addEventListener('abort', () => stream.output.destroy())
      if (gone.signal.aborted) stream.output.destroy()
      server.handleUpgrade(request, socket, head, (ws) => {
        waiting.delete(socket)
        const { containerId, execId } = key
        log.info({ containerId, execId }, 'console opened')
        void carry(ws, { ...stream, input }, pingMs).then(() => log.info({ containerId, execId }, 'console closed'))
      })
    } catch (error) {
      const answer = answerTo(error)
      const level = answer.status >= 500 ? 'error' : 'info'
      log[level]({ err: level === 'error' ? error : undefined, status: answer.status }, 'console refused')
      refuse(socket, answer, retryAfter(error, answer.status))
    }
  }
  const path = `${prefix}${consolePath}`
  onUpgrade(app, {
    takes: (asked) => asked === path || asked === `${path}/`,
    handle: (request, socket, head) => void serve(request, socket, head),
    refuse: (_request, socket, error) => {
      const answer = answerTo(error)
      refuse(socket, answer, retryAfter(error, answer.status))
    },
  })
  app.get(consolePath, () => {
    throw new Refusal(426, 'upgrade-required', 'Connect to this address with a websocket.', { upgrade: 'websocket' })
  })
  app.addHook('preClose', async () => {
    for (const socket of waiting) socket.destroy()
    for (const ws of server.clients) sayGoodbye(ws)
  })
}

function mustBeAllowed({ headers }: IncomingMessage, allowed: readonly string[]): void {
  if (originAllowed(headers.origin, headers.host, allowed)) return
  throw new Refusal(
    403,
    'origin-not-allowed',
    `Pages of ${headers.origin} may not open sessions here; the operator can allow it with --allowed-origin.`,
  )
}

function answerTo(error: unknown): Answer {
  if (error instanceof Refusal) {
    const { status, kebab, message } = error
    return { status, kebab, title: message, detail: message }
  }
  const hidden = !(error instanceof Fault) || error.kind === 'internal' || error.kind === 'unavailable'
  if (!hidden) {
    return { status: statusOfKind[error.kind], kebab: kebabOf(error), title: error.message, detail: error.message }
  }
  const status = error instanceof Fault ? statusOfKind[error.kind] : 500
  const detail = `The session could not be opened; ask for a new one. (Reference: ${randomIds.hex(6)}.)`
  return { status, kebab: '', title: 'The session could not be opened', detail }
}

function refuse(socket: Duplex, answer: Answer, seconds: number | null): void {
  const body = JSON.stringify(errorBody(answer))
  const lines = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...(seconds === null ? [] : [`retry-after: ${seconds}`]),
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
  const cut = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(cut))
}
