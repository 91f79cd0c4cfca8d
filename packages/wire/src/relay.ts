import { constants } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import net, { type AddressInfo } from 'node:net'
import tls, { type TLSSocket } from 'node:tls'
import { agentUnit, serverUnit } from '@gantry/ca'
import { type Clock, Fault, reasonOf, systemClock } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import { admission } from './admission.ts'
import { AgentLink } from './agent-link.ts'
import { compileCalls } from './call-checks.ts'
import { askOver } from './http2-session.ts'
import type { Log } from './log.ts'
import { servePeer } from './peer-server.ts'
import { protocols } from './protocols.ts'
import type { RelayLinks, RelayReports } from './relay-ports.ts'
import { serveEnrolment } from './relay-enrol.ts'
import { registryLines, type ServeRegistry } from './registry-lines.ts'

const usualHandshakeMs = 10_000
const usualMostHandshakes = 10_000
/** On their way in at a time, and how long one may keep others waiting. */
const comingIn = { atOnce: 64, slowMs: 3000 }
/** As long as an agent has patience: less where there is another server to go to. Milliseconds. */
const patience = { alone: 25_000, among: 7000 }
const maxEnrolments = 64

export interface ServerCertificate {
  /** With the CA's behind it, PEM. */
  readonly certificate: string
  /** PKCS#8 PEM. */
  readonly key: string
}

export interface RelayOptions extends ServerCertificate {
  readonly listen: { readonly host: string; readonly port: number }
  /** The CA's certificate, PEM: it vouches for agents. */
  readonly ca: string
  readonly reports: RelayReports
  /** Spends a one-time token. Throws a `Fault` if it is unknown, used or too old. */
  readonly enrol: (tokenId: string, secret: string, hostname: string) => Promise<{ hostId: HostId; deployment: string }>
  /** Signs a certificate for a host; throws if the host may not have one any more. */
  readonly sign: (csr: string, hostId: HostId) => Promise<string>
  /** Where agents reach the living servers, `HOST:PORT`; told to agents. None unless given: then they know what they were told by hand. */
  readonly servers?: () => readonly string[]
  /** Serves images to hosts that have a session; nobody unless told. */
  readonly serveRegistry?: ServeRegistry
  /** Whether a host has its session with another server of the cloud. */
  readonly hangsElsewhere?: (hostId: HostId) => boolean
  readonly log: Log
  /** Between two pings, milliseconds; 15 s unless told. Two without an answer end a session. */
  readonly keepaliveMs?: number
  /** How long a connection may take until it is known whose it is. */
  readonly handshakeMs?: number
  /** Connections of which that is not known yet. */
  readonly mostHandshakes?: number
  readonly clock?: Clock
}

export interface Relay extends AsyncDisposable {
  readonly port: number
  readonly links: RelayLinks
  connectedCount(): number
  /** Ends a host's connections, for one that was removed. */
  disconnect(hostId: HostId): void
  /** Lets go of a host that has gone to another server; calls under way may end. */
  retire(hostId: HostId): void
  /** Ends all of them, so that agents look for another server. */
  letGo(): void
  /** For connections from now on. */
  useCertificate(next: ServerCertificate): void
  /** `servers` has another answer than before: tells the agents. */
  serversChanged(): void
  /**
   * Sends the agents to other servers, one after another over `spreadMs`, and takes no new sessions. Settles when every session is over and
   * its last report was made, or the signal is aborted; calls under way go on.
   */
  drain(spreadMs: number, signal: AbortSignal): Promise<void>
  /** Ends every session and settles when the last report was made. */
  close(): Promise<void>
}

/** Listens for agents. Rejects if the address is taken. */
export async function createRelay(options: RelayOptions): Promise<Relay> {
  const { log, ca, listen, clock = systemClock } = options
  const checks = compileCalls()
  const current = new Map<HostId, AgentLink>()
  /** That may have something to report yet. */
  const running = new Map<HostId, Set<AgentLink>>()
  const allRunning = () => [...running.values()].flatMap((links) => [...links])
  const sockets = new Set<TLSSocket>()
  const registry = options.serveRegistry ? registryLines(options.serveRegistry) : null
  let enrolments = 0
  let draining = false

  const server = tls.createServer({
    cert: options.certificate,
    key: options.key,
    ca,
    requestCert: true,
    // A machine that enrols has no certificate yet; `hostOf` judges the others.
    rejectUnauthorized: false,
    ALPNProtocols: Object.values(protocols),
    minVersion: 'TLSv1.3',
    handshakeTimeout: options.handshakeMs ?? usualHandshakeMs,
    // A ticket would go on vouching for a certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
  })

  /** Settles when no earlier session of the host has anything to report any more, whether its connection is still there or not. */
  const lastReports = async (hostId: HostId) => {
    await Promise.all([...(running.get(hostId) ?? [])].map((link) => link.reported))
  }

  const openLink = ({ hostId, validUntil }: Exclude<ReturnType<typeof hostOf>, string>, socket: TLSSocket) => {
    const previous = current.get(hostId)
    const link: AgentLink = new AgentLink({
      hostId,
      checks,
      log,
      reports: options.reports,
      sign: options.sign,
      session: askOver(socket),
      validUntil,
      after: lastReports(hostId),
      keepaliveMs: options.keepaliveMs ?? 15_000,
      servers: () => options.servers?.() ?? [],
      now: () => clock.now(),
    })
    void link.greeted.then(() => coming.settle(socket))
    current.set(hostId, link)
    const ofHost = running.get(hostId) ?? new Set()
    running.set(hostId, ofHost.add(link))
    if (previous) {
      log.warn({ host: hostId }, 'a new session of the agent replaces the old one')
      previous.retire()
    }
    socket.once('close', () => {
      if (current.get(hostId) !== link) return
      current.delete(hostId)
      // It was let in for the session's sake, whose certificate is looked after.
      if (!draining) registry?.end(hostId)
    })
    void link.reported.then(() => {
      ofHost.delete(link)
      if (ofHost.size === 0) running.delete(hostId)
    })
  }

  let open = 0
  const coming = admission({
    ...comingIn,
    patienceMs: () => ((options.servers?.() ?? []).length > 1 ? patience.among : patience.alone),
    begin: (socket) => void server.emit('connection', socket),
  })
  const door = net.createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    open += 1
    socket.once('close', () => (open -= 1))
    // Agents come again after a moment; whoever comes without end must not use up the files of the process.
    if (open - sockets.size > (options.mostHandshakes ?? usualMostHandshakes)) socket.destroy()
    else coming.offer(socket)
  })
  server.on('secureConnection', (socket) => {
    socket.on('error', (error) =>
      log.warn({ peer: socket.remoteAddress, reason: reasonOf(error) }, 'connection failed'),
    )
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    if (socket.alpnProtocol !== protocols.agent) coming.settle(socket)
    if (socket.alpnProtocol === protocols.enrol && enrolments < maxEnrolments) {
      enrolments += 1
      void serveEnrolment(options, socket).finally(() => {
        enrolments -= 1
      })
      return
    }
    const refusal = welcome(socket)
    if (refusal === null) return
    log.warn({ peer: socket.remoteAddress, reason: refusal }, 'connection refused')
    socket.destroy()
  })
  /** Why it is not; null: it is. */
  const welcome = (socket: TLSSocket): string | null => {
    const { alpnProtocol } = socket
    if (alpnProtocol === protocols.peer) return welcomePeer(socket)
    if (alpnProtocol !== protocols.agent && alpnProtocol !== protocols.registry) return 'no room or no known protocol'
    const host = hostOf(socket, clock.now())
    if (typeof host === 'string') return host
    if (alpnProtocol === protocols.agent && draining) return 'the server is about to end'
    if (alpnProtocol === protocols.agent) openLink(host, socket)
    else if (!liveLink(host.hostId) && !options.hangsElsewhere?.(host.hostId))
      return 'images for a host without a session'
    else if (!registry?.open(socket, host.hostId)) return 'no room for images'
    return null
  }
  const welcomePeer = (socket: TLSSocket): string | null => {
    const peer = namedBy(socket, clock.now(), serverUnit)
    if (typeof peer === 'string') return peer
    servePeer(socket, { callsOf, checks, keepaliveMs: options.keepaliveMs ?? 15_000, log })
    return null
  }
  server.on('tlsClientError', (error, socket) => {
    log.warn({ reason: reasonOf(error) }, 'handshake failed')
    // Node tells of one that takes too long, and leaves it open.
    socket.destroy()
  })

  door.listen(listen.port, listen.host)
  await once(door, 'listening')
  door.on('error', (error) => log.error({ reason: reasonOf(error) }, 'relay cannot accept connections'))

  const liveLink = (hostId: HostId) => {
    const link = current.get(hostId)
    return link?.live ? link : null
  }
  const callsOf = (hostId: HostId) => {
    const link = liveLink(hostId)
    if (!link) throw new Fault('host.unreachable', { host: hostId })
    return link.calls
  }
  const close = async () => {
    door.close()
    coming.close()
    for (const link of allRunning()) link.destroy()
    for (const socket of sockets) socket.destroy()
    await Promise.all(allRunning().map((link) => link.reported))
  }
  return {
    port: (door.address() as AddressInfo).port,
    links: {
      connected: (hostId) => liveLink(hostId) !== null,
      assign: (hostId, assignment) => current.get(hostId)?.assign(assignment),
      tell: (hostId, message) => current.get(hostId)?.tell(message),
      calls: callsOf,
    },
    serversChanged: () => {
      const addresses = options.servers?.() ?? []
      for (const link of current.values()) link.tellServers(addresses)
    },
    drain: async (spreadMs, signal) => {
      draining = true
      const links = allRunning()
      for (const link of links) {
        link.sendAway()
        await sleep(spreadMs / links.length, undefined, { signal }).catch(() => {})
      }
      await Promise.race([Promise.all(allRunning().map((link) => link.reported)), aborted(signal)])
    },
    connectedCount: () => [...current.values()].filter((link) => link.live).length,
    disconnect: (hostId) => current.get(hostId)?.destroy(),
    retire: (hostId) => current.get(hostId)?.retire(),
    letGo: () => {
      for (const link of allRunning()) link.destroy()
    },
    useCertificate: ({ certificate, key }) =>
      server.setSecureContext({ cert: certificate, key, ca, minVersion: 'TLSv1.3' }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The host that the peer's certificate names, or why it names none. */
function hostOf(socket: TLSSocket, now: number): { readonly hostId: HostId; readonly validUntil: number } | string {
  const named = namedBy(socket, now, agentUnit)
  return typeof named === 'string' ? named : { hostId: named.name as HostId, validUntil: named.validUntil }
}

interface Named {
  readonly name: string
  /** End of the certificate, epoch milliseconds. */
  readonly validUntil: number
}

/** Whom a certificate of our CA for `unit` names, or why it names nobody. */
function namedBy(socket: TLSSocket, now: number, unit: string): Named | string {
  const { subject, valid_to } = socket.getPeerCertificate()
  if (!subject) return 'no certificate'
  if (!socket.authorized) return String(socket.authorizationError)
  const validUntil = new Date(valid_to).getTime()
  if (validUntil <= now) return 'certificate has ended'
  if (subject.OU !== unit || typeof subject.CN !== 'string') return `not a certificate for ${unit}`
  return { name: subject.CN, validUntil }
}
