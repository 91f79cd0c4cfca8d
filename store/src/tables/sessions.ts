import type { DutyTable, HostSession, ServerId, SessionTable } from '@gantry/control'
import type { HostId } from '@gantry/model'
import { type Kysely, PostgresAdapter, sql } from 'kysely'
import type { Database, HostSessionRow } from '../database.ts'
import { inChunks } from '../in-chunks.ts'

export function sessionTable(db: Kysely<Database>): SessionTable {
  const list = () => db.selectFrom('host_sessions').selectAll()
  return {
    async open(hostId, serverId, at) {
      const row = { host_id: hostId, server_id: serverId, number: 1, since: at, lost: 0 }
      const next = { server_id: serverId, number: sql<number>`host_sessions.number + 1`, since: at, lost: 0 }
      const { number } = await db
        .insertInto('host_sessions')
        .values(row)
        .onConflict((conflict) => conflict.column('host_id').doUpdateSet(next))
        .returning('number')
        .executeTakeFirstOrThrow()
      return number
    },
    async close(hostId, session, at) {
      await db
        .updateTable('host_sessions')
        .set({ server_id: null, since: at })
        .where('host_id', '=', hostId)
        .where('number', '=', session)
        .where('server_id', 'is not', null)
        .execute()
    },
    async closeOf(serverId, at) {
      await db
        .updateTable('host_sessions')
        .set({ server_id: null, since: at })
        .where('server_id', '=', serverId)
        .execute()
    },
    async servers() {
      const rows = await db
        .selectFrom('host_sessions')
        .select('server_id')
        .distinct()
        .where('server_id', 'is not', null)
        .execute()
      return rows.map(({ server_id }) => server_id as ServerId)
    },
    async get(hostId) {
      const row = await list().where('host_id', '=', hostId).executeTakeFirst()
      return row && fromRow(row)
    },
    list: async () => (await list().execute()).map(fromRow),
    silentOnes: async () => (await list().where('server_id', 'is', null).execute()).map(fromRow),
    async isSilent(hostId, session) {
      // A write that changes nothing, for the lock.
      const rows = await db
        .updateTable('host_sessions')
        .set({ server_id: null })
        .where('host_id', '=', hostId)
        .where('number', '=', session)
        .where('server_id', 'is', null)
        .returning('host_id')
        .execute()
      return rows.length > 0
    },
    async current(sessions) {
      const numbers = new Map(sessions.map(({ hostId, session }) => [hostId as string, session]))
      const rows = await inChunks([...numbers.keys()].sort(), (ids) => {
        const found = db
          .selectFrom('host_sessions')
          .select(['host_id', 'number', 'server_id'])
          .where('host_id', 'in', ids)
          .orderBy('host_id')
        return (isShared(db) ? found.forShare() : found).execute()
      })
      return rows
        .filter(({ host_id, number, server_id }) => server_id !== null && numbers.get(host_id) === number)
        .map(({ host_id }) => host_id as HostId)
    },
    async lose(hostId) {
      const lost = await db
        .updateTable('host_sessions')
        .set({ lost: 1 })
        .where('host_id', '=', hostId)
        .where('server_id', 'is', null)
        .where('lost', '=', 0)
        .returning('host_id')
        .execute()
      return lost.length > 0
    },
  }
}

export function dutyTable(db: Kysely<Database>): DutyTable {
  return {
    async begin(kind, id, serverId) {
      await db
        .insertInto('server_duties')
        .values({ kind, object_id: id, server_id: serverId })
        .onConflict((conflict) => conflict.columns(['kind', 'object_id']).doUpdateSet({ server_id: serverId }))
        .execute()
    },
    async end(kind, id) {
      await db.deleteFrom('server_duties').where('kind', '=', kind).where('object_id', '=', id).execute()
    },
    async heldBy(kind, servers) {
      if (servers.length === 0) return new Set()
      const rows = await db
        .selectFrom('server_duties')
        .select('object_id')
        .where('kind', '=', kind)
        .where('server_id', 'in', servers)
        .execute()
      return new Set(rows.map(({ object_id }) => object_id))
    },
    async left(kind, servers) {
      const all = db.selectFrom('server_duties').select('object_id').where('kind', '=', kind)
      const rows = await (servers.length === 0 ? all : all.where('server_id', 'not in', servers)).execute()
      return rows.map(({ object_id }) => object_id)
    },
    async keepOnly(servers) {
      const all = db.deleteFrom('server_duties')
      await (servers.length === 0 ? all : all.where('server_id', 'not in', servers)).execute()
    },
  }
}

/** SQLite has one writer anyway, and no such lock. */
function isShared(db: Kysely<Database>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}

function fromRow({ host_id, server_id, number, since }: HostSessionRow): HostSession {
  return { hostId: host_id as HostId, serverId: server_id as ServerId | null, number, since }
}
