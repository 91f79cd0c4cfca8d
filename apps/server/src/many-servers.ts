import { hostname } from 'node:os'
import type { CertificateAuthority } from '@gantry/ca'
import {
  aloneCluster,
  type Cluster,
  type GrantCheck,
  type HostLinks,
  type HostSessions,
  hostSessions,
  type ServerId,
  type Store,
} from '@gantry/control'
import { type Clock, Fault, type Ids, productVersion } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import { postgresCluster } from '@gantry/store'
import { peerLinks, type Relay } from '@gantry/wire'
import type { Logger } from 'pino'
import { hostPart } from './addresses.ts'
import type { ServerOptions } from './options.ts'
import { patientCalls } from './patient-calls.ts'

export interface ManyServersParts {
  readonly options: Pick<ServerOptions, 'database' | 'advertise'>
  readonly store: Store
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

/** This server as one of those that share its store, and the hosts of all of them. */
export interface ManyServers {
  /** Whoever it is given to may end it before. */
  readonly cluster: Cluster & AsyncDisposable
  readonly sessions: HostSessions
  /** To hosts wherever they hang; those of the relay, once it has `joined`. */
  readonly links: HostLinks
  /** The relay listens: the other servers may know. `isStrict`: a host that nobody can vouch for is let go of in time. */
  join(relay: Relay, isStrict: boolean): Promise<void>
  close(): Promise<void>
}

/** What one server revokes no server accepts any more, and streams end everywhere. */
export function hearRevocations(cluster: Cluster, identity: Pick<GrantCheck, 'onRevoked' | 'revokedElsewhere'>): void {
  identity.onRevoked?.((isHere) => {
    if (isHere) cluster.tell({ kind: 'revoked' })
  })
  cluster.onNote((note) => {
    if (note.kind === 'revoked') identity.revokedElsewhere?.()
  })
  cluster.onMissed(() => identity.revokedElsewhere?.())
}

/** A host that hangs nowhere for longer is not on its way from one server to another. */
const betweenServersMs = 15_000

export async function manyServers({ options, store, ca, clock, ids, log }: ManyServersParts): Promise<ManyServers> {
  const self = { id: ids.uuid() as ServerId, name: hostname(), version: productVersion, startedAt: clock.now() }
  const { database, advertise } = options
  const shared = database === null ? null : await postgresCluster({ url: database, self, log })
  const cluster = shared ?? aloneCluster({ ...self, peer: null, agents: null, seenAt: self.startedAt }, log)
  const sessions = hostSessions({ store, cluster, clock })
  const peers = peerLinks({ ...(await ca.issuePeer(self.id)), ca: ca.certificate, log })
  const addresses = new Map<ServerId, string>()
  const peerOf = async (id: ServerId): Promise<string | null> => {
    const known = addresses.get(id)
    if (known !== undefined) return known
    addresses.clear()
    for (const { id: one, peer } of await cluster.members()) if (peer !== null) addresses.set(one, peer)
    return addresses.get(id) ?? null
  }
  let relay: Relay | null = null
  const isHere = (hostId: HostId) => relay?.links.connected(hostId) ?? false
  const callsOf = (hostId: HostId) => {
    if (relay && isHere(hostId)) return relay.links.calls(hostId)
    const server = sessions.elsewhere(hostId)
    return server === null ? null : peers.calls(() => peerOf(server), hostId)
  }
  const links: HostLinks = {
    connected: (hostId) => isHere(hostId) || sessions.elsewhere(hostId) !== null,
    assign: (hostId, assignment) => relay?.links.assign(hostId, assignment),
    tell: (hostId, message) => relay?.links.tell(hostId, message),
    calls(hostId) {
      const calls = callsOf(hostId)
      if (calls) return calls
      const unreachable = () => new Fault('host.unreachable', { host: hostId })
      if (shared === null) throw unreachable()
      const isLost = async () => {
        const session = await store.sessions.get(hostId)
        return session === undefined || clock.now() - session.since > betweenServersMs
      }
      return patientCalls({ find: () => callsOf(hostId), isLost, unreachable })
    },
  }
  sessions.onMoved((hostId) => relay?.retire(hostId))
  return {
    cluster,
    sessions,
    links,
    async join(made, isStrict) {
      relay = made
      if (isStrict) cluster.onLapsed(() => made.letGo())
      const at = `${hostPart(advertise.host)}:${advertise.port === 0 ? made.port : advertise.port}`
      await shared?.join({ peer: at, agents: at })
    },
    async close() {
      peers.close()
      await cluster[Symbol.asyncDispose]()
    },
  }
}
