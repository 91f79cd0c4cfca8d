import type { HostHello, HostsSeen, HostTable } from '@gantry/control'
import { BoundedMap } from '@gantry/kernel'
import type { Host, HostFacts, HostId, HostUsage } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database, HostRow } from '../database.ts'
import { isPostgres } from '../locks.ts'
import { givenRows } from './many-rows.ts'
import { isOneOf } from './one-of.ts'
import { hostUsage, nothing, usageOfHosts } from './usage.ts'

export function hostTable(db: Kysely<Database>): HostTable {
  return {
    async upsert(host) {
      await upsertMany(db, [host])
    },
    upsertMany: (hosts) => upsertMany(db, hosts),
    async get(id) {
      const row = await db.selectFrom('hosts').selectAll().where('id', '=', id).executeTakeFirst()
      if (!row) return undefined
      return fromRow(row, await hostUsage(db, id))
    },
    async idOf(name) {
      const row = await db.selectFrom('hosts').select('id').where('name', '=', name).executeTakeFirst()
      return row && (row.id as HostId)
    },
    list: () => list(db),
    look: (before) => look(db, before),
    async seen(id, at) {
      await db
        .updateTable('hosts')
        .set({ last_seen_at: at, report_count: sql`report_count + 1` })
        .where('id', '=', id)
        .execute()
    },
    async change(id, change) {
      const columns: Partial<HostRow> = {}
      if (change.disabled !== undefined) columns.disabled = Number(change.disabled)
      if (change.disabledReason !== undefined) columns.disabled_reason = change.disabledReason
      if (change.forcedDown !== undefined) columns.forced_down = Number(change.forcedDown)
      if (change.availabilityZone !== undefined) columns.availability_zone = change.availabilityZone
      if (Object.keys(columns).length > 0) await db.updateTable('hosts').set(columns).where('id', '=', id).execute()
    },
    async remove(id) {
      await db.deleteFrom('hosts').where('id', '=', id).execute()
      await db.deleteFrom('host_sessions').where('host_id', '=', id).execute()
    },
    async addJoinToken(token) {
      await db
        .insertInto('join_tokens')
        .values({ id: token.id, secret_hash: token.secretHash, expires_at: token.expiresAt })
        .execute()
    },
    async redeemJoinToken(id, secretHash, at) {
      const taken = await db
        .deleteFrom('join_tokens')
        .where('id', '=', id)
        .where('secret_hash', '=', secretHash)
        .where('expires_at', '>', at)
        .returning('id')
        .execute()
      await db.deleteFrom('join_tokens').where('expires_at', '<=', at).execute()
      return taken.length === 1
    },
  }
}

async function list(db: Kysely<Database>): Promise<Host[]> {
  const rows = await db.selectFrom('hosts').selectAll().orderBy('created_at').orderBy('id').execute()
  const used = await usageOfHosts(db)
  return rows.map((row) => fromRow(row, used.get(row.id) ?? nothing))
}

/** Transactions are numbered as they begin: one that was not over at the last look, and any later one, has at least that look's mark. */
async function look(db: Kysely<Database>, before: HostsSeen | null): Promise<HostsSeen> {
  if (!isPostgres(db)) return { hosts: await list(db), mark: null }
  const { rows } = await sql<{ mark: number; count: number }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as mark, (select count(*) from hosts) as count
  `.execute(db)
  const { mark, count } = rows[0] ?? { mark: 0, count: 0 }
  const whole = async () => ({ hosts: await list(db), mark })
  // A restored database counts its transactions anew.
  if (!before || before.mark === null || mark < before.mark || count !== before.hosts.length) return whole()
  const changed = await db.selectFrom('hosts').selectAll().where('touched', '>=', before.mark).execute()
  const used = await usageOfHosts(db, before.mark)
  if (changed.length === 0 && used.size === 0) return { hosts: before.hosts, mark }
  const byId = new Map(before.hosts.map((host) => [host.id as string, host]))
  for (const row of changed) {
    const known = byId.get(row.id)
    // One went, and another came.
    if (!known) return whole()
    byId.set(row.id, fromRow(row, known.used))
  }
  for (const [id, promised] of used) {
    const host = byId.get(id)
    if (host) byId.set(id, { ...host, used: promised })
  }
  return { hosts: [...byId.values()], mark }
}

async function upsertMany(db: Kysely<Database>, hosts: readonly HostHello[]): Promise<HostId[]> {
  const ids = hosts.map(({ id }) => id)
  const before = await db
    .selectFrom('hosts')
    .select('id')
    .where(isOneOf(db, 'id', ids))
    .execute()
  const rows = hosts.map(({ id, name, availabilityZone, facts, at }) => ({
    id,
    name,
    availability_zone: availabilityZone,
    facts: JSON.stringify(facts),
    disabled: 0,
    forced_down: 0,
    created_at: at,
    updated_at: at,
    last_seen_at: at,
    report_count: 1,
  }))
  const columns = Object.keys(rows[0] ?? {})
  const names = sql.join(columns.map((column) => sql.ref(column)))
  await sql`
    insert into hosts (${names}) select ${names} from ${givenRows(db, 'hosts', columns, rows)} as given where true order by id
    on conflict (id) do update set name = excluded.name, facts = excluded.facts, updated_at = excluded.updated_at,
      last_seen_at = excluded.last_seen_at, report_count = hosts.report_count + 1
  `.execute(db)
  const known = new Set(before.map(({ id }) => id))
  return ids.filter((id) => !known.has(id))
}

/** Texts of facts that were read lately: each placement looks at all hosts, whose facts hardly ever change. */
const knownFacts = new BoundedMap<string, HostFacts>(10_000)

function factsOf(text: string): HostFacts {
  const known = knownFacts.get(text)
  if (known) return known
  const facts = JSON.parse(text) as HostFacts
  knownFacts.set(text, facts)
  return facts
}

function fromRow(row: HostRow, used: HostUsage): Host {
  return {
    id: row.id as HostId,
    name: row.name,
    availabilityZone: row.availability_zone,
    facts: factsOf(row.facts),
    disabled: row.disabled === 1,
    disabledReason: row.disabled_reason,
    forcedDown: row.forced_down === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastSeenAt: row.last_seen_at,
    connected: false,
    reportCount: row.report_count,
    used,
  }
}
