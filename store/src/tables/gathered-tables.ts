import type { ServerId, Tables } from '@gantry/control'
import { gathered } from '@gantry/kernel'
import type { HostId, NetworkId, SecurityGroupId } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import { fromRow } from './container-row.ts'
import { holdingsOf } from './holdings.ts'
import { givenRows } from './many-rows.ts'
import { isOneOf } from './one-of.ts'

/**
 * What is asked for each host that says hello, so that one statement answers for all that come at once, as they do when a server died.
 * Only outside of transactions.
 */
export function gatheredTables(db: Kysely<Database>, plain: Tables): Tables {
  const openSession = gathered((opened: readonly Opened[]) => openMany(db, opened))
  return {
    ...plain,
    sessions: { ...plain.sessions, open: (hostId, serverId, at) => openSession({ hostId, serverId, at }) },
    containers: {
      ...plain.containers,
      ofHost: gathered((hosts: readonly HostId[]) => containersOf(db, hosts), fewHosts),
      holdings: gathered((hosts: readonly HostId[]) => holdingsOf(db, hosts), fewHosts),
    },
    volumes: { ...plain.volumes, ofHost: forThoseIn(db, 'volumes', (host) => plain.volumes.ofHost(host)) },
    snapshots: { ...plain.snapshots, ofHost: forThoseIn(db, 'snapshots', (host) => plain.snapshots.ofHost(host)) },
    ports: {
      ...plain.ports,
      networksOnHost: forThoseIn<NetworkId>(db, 'ports', (host) => plain.ports.networksOnHost(host)),
      groupsOnHost: forThoseIn<SecurityGroupId>(db, 'ports', (host) => plain.ports.groupsOnHost(host)),
    },
    images: { ...plain.images, pendingOn: forThoseIn(db, 'images', (host) => plain.images.pendingOn(host)) },
  }
}

/** Of those, all containers are in memory at the same time, or are read by one statement. */
const fewHosts = 50

interface Opened {
  readonly hostId: HostId
  readonly serverId: ServerId
  readonly at: number
}

async function openMany(db: Kysely<Database>, opened: readonly Opened[]): Promise<number[]> {
  // One statement gives a host one number; sessions of the same host are opened one after another.
  if (new Set(opened.map(({ hostId }) => hostId)).size < opened.length) throw new Error('a host comes twice')
  const rows = opened.map(({ hostId, serverId, at }) => ({
    host_id: hostId,
    server_id: serverId,
    number: 1,
    since: at,
    lost: 0,
  }))
  const columns = ['host_id', 'server_id', 'number', 'since', 'lost']
  const names = sql.join(columns.map((column) => sql.ref(column)))
  // In one order of the hosts, so that servers do not wait for each other in a circle.
  const { rows: numbered } = await sql<{ host_id: string; number: number }>`
    insert into host_sessions (${names})
    select ${names} from ${givenRows(db, 'host_sessions', columns, rows)} as given where true order by host_id
    on conflict (host_id) do update set
      server_id = excluded.server_id, number = host_sessions.number + 1, since = excluded.since, lost = 0
    returning host_id, number
  `.execute(db)
  const numbers = new Map(numbered.map(({ host_id, number }) => [host_id, number]))
  return opened.map(({ hostId }) => numbers.get(hostId) ?? 0)
}

async function containersOf(db: Kysely<Database>, hosts: readonly HostId[]) {
  const rows = await db
    .selectFrom('containers')
    .selectAll()
    .where(isOneOf(db, 'host_id', hosts))
    .execute()
  const byHost = Map.groupBy(rows, ({ host_id }) => host_id)
  return hosts.map((host) => (byHost.get(host) ?? []).map(fromRow))
}

/** Asks only for the hosts of which the table knows anything at all; most have no volumes, and no image is waiting on them. */
function forThoseIn<T>(
  db: Kysely<Database>,
  table: 'volumes' | 'snapshots' | 'ports' | 'images',
  ofHost: (host: HostId) => Promise<T[]>,
): (host: HostId) => Promise<T[]> {
  const column = table === 'images' ? 'pending_host' : 'host_id'
  const isThere = gathered(async (hosts: readonly HostId[]) => {
    const of = sql.ref(column)
    const { rows } = await sql<{ host: string }>`
      select distinct ${of} as host from ${sql.table(table)} where ${isOneOf(db, column, hosts)}
    `.execute(db)
    const found = new Set(rows.map(({ host }) => host))
    return hosts.map((host) => found.has(host))
  })
  return async (host) => ((await isThere(host)) ? ofHost(host) : [])
}
