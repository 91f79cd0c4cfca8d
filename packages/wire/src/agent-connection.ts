import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { reasonOf } from '@gantry/kernel'
import type { AgentHost } from './agent-host.ts'
import type { CallCheck } from './call-checks.ts'
import type { Credentials } from './credentials.ts'
import { type Dial, dialTls } from './dial.ts'
import { serveOver } from './http2-session.ts'
import { keepAlive } from './keepalive.ts'
import type { Log } from './log.ts'
import { jsonLine, lines } from './ndjson.ts'
import { protocols } from './protocols.ts'
import { callPrefix, serveCall } from './serve-calls.ts'
import { type FromAgent, type FromRelay, parseFromRelay } from './session-messages.ts'

/** Longest message of a relay, and most that may wait to be sent to it. Bytes. */
const messageLimit = 4 * 1024 * 1024
const queueLimit = 32 * 1024 * 1024
const patienceMs = 15_000

export interface ConnectOptions {
  readonly dial: Dial
  readonly credentials: Credentials
  readonly host: AgentHost
  readonly checks: ReadonlyMap<string, CallCheck>
  readonly log: Log
  readonly keepaliveMs: number
  /** Where the living servers of the cloud are. */
  readonly heardServers: (addresses: readonly string[]) => void
  /** All that the relay had to say at the beginning was said. */
  readonly synced: () => void
  readonly signal: AbortSignal
}

type RenewalAnswer = Extract<FromRelay, { kind: 'renewed' | 'fault' }>

export interface AgentConnection {
  /** Settles when the relay let go of the session, rejects if it broke. Calls under way may still run on it. */
  readonly closed: Promise<void>
  /** Asks for a new certificate. One at a time. */
  renew(csr: string): Promise<RenewalAnswer>
}

/** One connection with a relay, up to the point where its control stream is open. Everything ends with the signal. */
export async function connectAgent(options: ConnectOptions): Promise<AgentConnection> {
  const { credentials, log, signal } = options
  const { ca, certificate: cert, key } = credentials
  const tls = { ca, cert, key, rejectUnauthorized: true }
  const socket = await dialTls(options.dial, protocols.agent, tls, signal, 2 * options.keepaliveMs)
  const session = serveOver(socket)
  const stop = () => session.destroy()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  session.once('close', () => signal.removeEventListener('abort', stop))
  session.on('error', (error) => log.warn({ reason: reasonOf(error) }, 'connection failed'))
  keepAlive(session, options.keepaliveMs, () => log.warn({}, 'the relay does not answer; session ended'))

  const control = Promise.withResolvers<ServerHttp2Stream>()
  session.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const path = String(headers[':path'])
    if (path === '/session') control.resolve(stream)
    else if (path.startsWith(callPrefix)) void serveCall(options.host.calls, options.checks, log, stream, headers)
    else stream.respond({ ':status': 404 }, { endStream: true })
  })
  session.once('close', () => {
    const hint = "the relay ended the connection at once; if that repeats, it refuses this host's certificate"
    control.reject(new Error(hint))
  })
  const late = setTimeout(stop, patienceMs)
  const stream = await control.promise.finally(() => clearTimeout(late))
  return runControl(options, session, stream)
}

function runControl(options: ConnectOptions, session: ServerHttp2Session, stream: ServerHttp2Stream): AgentConnection {
  const { host, log } = options
  const ended = new AbortController()
  let unsent = ''
  let awaiting: PromiseWithResolvers<RenewalAnswer> | null = null

  const send = (message: FromAgent) => {
    if (stream.destroyed || stream.writableEnded) return
    if (unsent === '') setImmediate(flush)
    unsent += jsonLine(message)
    if (stream.writableLength + unsent.length <= queueLimit) return
    log.error({ bytes: stream.writableLength }, 'the relay does not take messages; session ended')
    session.destroy()
  }
  /** What is said within one turn of the event loop goes in one write. */
  const flush = () => {
    if (unsent !== '' && !stream.destroyed && !stream.writableEnded) stream.write(unsent)
    unsent = ''
  }

  const run = async () => {
    try {
      stream.respond({ ':status': 200 })
      const facts = await host.facts()
      const holds = host.holds?.() ?? null
      send({ kind: 'hello', facts, ...(holds !== null && { holds }) })
      const take = host.session(send, ended.signal, () => pingOver(session))
      for await (const line of lines(stream, messageLimit)) {
        const message = parseFromRelay(line)
        if (message === null) continue
        if (message.kind === 'renewed' || message.kind === 'fault') awaiting?.resolve(message)
        else if (message.kind === 'servers') options.heardServers(message.addresses)
        else take(message)
        if (message.kind === 'synced') options.synced()
      }
      // The relay let go of this session, but streams under way are to run to their end.
      flush()
      stream.end()
      session.close()
    } catch (error) {
      session.destroy()
      throw error
    } finally {
      ended.abort(new Error('the session is over'))
      awaiting?.reject(new Error('the session ended before the answer'))
    }
  }

  return {
    closed: run(),
    async renew(csr) {
      const mine = Promise.withResolvers<RenewalAnswer>()
      awaiting = mine
      send({ kind: 'renew', csr })
      return mine.promise
    },
  }
}

function pingOver(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    const isSent = session.ping((error) => (error ? reject(error) : resolve()))
    if (!isSent) reject(new Error('too many pings are on their way'))
  })
}
