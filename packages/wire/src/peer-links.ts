import type { ClientHttp2Session } from 'node:http2'
import { Fault, reasonOf } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import { callNames, compileCalls } from './call-checks.ts'
import type { AgentCalls, CallIo, CallName, CallResult } from './calls.ts'
import { dialTcp, dialTls } from './dial.ts'
import { askOver } from './http2-session.ts'
import { keepAlive } from './keepalive.ts'
import type { Log } from './log.ts'
import { hostHeader } from './peer-server.ts'
import { protocols } from './protocols.ts'
import { remoteCalls } from './remote-calls.ts'

export interface PeerLinksOptions {
  /** Our own as one server of the cloud, PEM, and the CA that vouches for all of them. */
  readonly certificate: string
  readonly key: string
  readonly ca: string
  readonly log: Log
  /** Between two pings, milliseconds; 5 s unless told. Two without an answer end a line. */
  readonly keepaliveMs?: number
}

export interface PeerLinks {
  /** Calls to a host that hangs on the server at `peer`, `HOST:PORT`. They throw `host.unreachable` if it is not there any more. */
  calls(peer: () => Promise<string | null>, hostId: HostId): AgentCalls
  close(): void
}

const dialMs = 5_000

/** One line to each other server, made when it is first needed and again when it broke. */
export function peerLinks({ certificate, key, ca, log, keepaliveMs = 5_000 }: PeerLinksOptions): PeerLinks {
  const checks = compileCalls()
  const lines = new Map<string, Promise<ClientHttp2Session>>()
  const ending = new AbortController()

  const dialled = async (peer: string): Promise<ClientHttp2Session> => {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(dialMs)])
    const tls = { ca, cert: certificate, key, rejectUnauthorized: true }
    const session = askOver(await dialTls(dialTcp(addressOf(peer)), protocols.peer, tls, signal))
    session.on('error', (error) => log.warn({ peer, reason: reasonOf(error) }, 'line to another server failed'))
    keepAlive(session, keepaliveMs, () => log.warn({ peer }, 'another server does not answer; the line ended'))
    const stop = () => session.destroy()
    ending.signal.addEventListener('abort', stop, { once: true })
    session.once('close', () => {
      ending.signal.removeEventListener('abort', stop)
      lines.delete(peer)
    })
    return session
  }
  const lineTo = (peer: string): Promise<ClientHttp2Session> => {
    const known = lines.get(peer)
    if (known) return known
    const line = dialled(peer)
    lines.set(peer, line)
    line.catch(() => lines.delete(peer))
    return line
  }

  const toServer = async (peer: () => Promise<string | null>): Promise<ClientHttp2Session> => {
    const address = await peer()
    if (address === null) throw new Error('its server is gone')
    return lineTo(address)
  }

  return {
    calls(peer, hostId) {
      const one = (name: CallName) => async (args: unknown, io: CallIo) => {
        const session = await toServer(peer).catch((error: unknown) => {
          io.signal.throwIfAborted()
          throw new Fault('host.unreachable', { host: hostId }, error)
        })
        const calls = remoteCalls(hostId, session, checks, { [hostHeader]: hostId })
        return (calls[name] as (args: unknown, io: CallIo) => Promise<CallResult<CallName>>)(args, io)
      }
      return Object.fromEntries(callNames.map((name) => [name, one(name)])) as unknown as AgentCalls
    },
    close: () => ending.abort(new Error('the server is closing')),
  }
}

function addressOf(peer: string): { readonly host: string; readonly port: number } {
  const at = peer.lastIndexOf(':')
  return { host: peer.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(peer.slice(at + 1)) }
}
