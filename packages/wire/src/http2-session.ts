import http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

/** What one stream may have under way before its reader has taken it, and the whole connection. Bytes. */
const streamWindow = 1024 * 1024
const connectionWindow = 16 * 1024 * 1024

const options = {
  settings: { initialWindowSize: streamWindow, maxFrameSize: 256 * 1024, enablePush: false },
  /** MiB that one session may hold queued; at Node's default of 10 a burst of calls beside a few full streams is refused. */
  maxSessionMemory: 256,
  peerMaxConcurrentStreams: 10_000,
  /** Node takes many cancelled streams for an attack and drops the session. Here the peer is our own, and cancels a lot. */
  streamResetBurst: 1_000_000,
  streamResetRate: 1_000_000,
}

/**
 * Reverse HTTP/2: the side that dialled out serves, the side that accepted asks. This is the agent's half, on its
 * finished TLS connection. Requests come as the session's `stream` events; listen in the same tick.
 */
export function serveOver(socket: Duplex): http2.ServerHttp2Session {
  const session = http2.performServerHandshake(socket, options)
  session.setLocalWindowSize(connectionWindow)
  return session
}

/** The relay's half: it accepted the connection and makes the requests. */
export function askOver(socket: TLSSocket): http2.ClientHttp2Session {
  const session = http2.connect('https://agent', { ...options, createConnection: () => socket })
  // The handle that takes this exists only once the session is connected.
  session.once('connect', () => session.setLocalWindowSize(connectionWindow))
  return session
}
