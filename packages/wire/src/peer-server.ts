import type { TLSSocket } from 'node:tls'
import { reasonOf } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import type { CallCheck } from './call-checks.ts'
import type { AgentCalls } from './calls.ts'
import { serveOver } from './http2-session.ts'
import { keepAlive } from './keepalive.ts'
import type { Log } from './log.ts'
import { callPrefix, refuseCall, serveCall } from './serve-calls.ts'

/** Names the host that a call between servers is for. */
export const hostHeader = 'gantry-host'

export interface PeerService {
  /** Of a host that hangs here. Throws `host.unreachable` for all others: a call crosses one line between servers, never two. */
  readonly callsOf: (hostId: HostId) => AgentCalls
  readonly checks: ReadonlyMap<string, CallCheck>
  readonly keepaliveMs: number
  readonly log: Log
}

/** Carries the calls of another server to the agents that hang here, on its finished TLS connection; bytes pass as they come. */
export function servePeer(socket: TLSSocket, { callsOf, checks, keepaliveMs, log }: PeerService): void {
  const session = serveOver(socket)
  session.on('error', (error) => log.warn({ reason: reasonOf(error) }, 'line to another server failed'))
  keepAlive(session, keepaliveMs, () => log.warn({}, 'another server does not answer; its line ended'))
  session.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    if (!String(headers[':path']).startsWith(callPrefix)) return stream.respond({ ':status': 404 }, { endStream: true })
    try {
      void serveCall(callsOf(String(headers[hostHeader]) as HostId), checks, log, stream, headers)
    } catch (error) {
      refuseCall(stream, error, log)
    }
  })
}
