import type { HostTable } from '@gantry/control'
import type { Host, HostId, HostUsage } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database, HostRow } from '../database.ts'
import { countWithoutSandboxes } from './containers.ts'

export function hostTable(db: Kysely<Database>): HostTable {
  return {
    async upsert({ id, name, availabilityZone, facts, at }) {
      const row: HostRow = {
        id,
        name,
        availability_zone: availabilityZone,
        facts: JSON.stringify(facts),
        disabled: 0,
        disabled_reason: null,
        forced_down: 0,
        created_at: at,
        updated_at: at,
        last_seen_at: at,
        report_count: 1,
      }
      await db
        .insertInto('hosts')
        .values(row)
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({
            name,
            facts: row.facts,
            updated_at: at,
            last_seen_at: at,
            report_count: sql`hosts.report_count + 1`,
          }),
        )
        .execute()
    },
    async get(id) {
      const row = await db.selectFrom('hosts').selectAll().where('id', '=', id).executeTakeFirst()
      if (!row) return undefined
      const used = await usages(db, id)
      return fromRow(row, used.get(id))
    },
    async list() {
      const rows = await db.selectFrom('hosts').selectAll().orderBy('created_at').orderBy('id').execute()
      const used = await usages(db)
      return rows.map((row) => fromRow(row, used.get(row.id)))
    },
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

const unused: HostUsage = { containers: 0, cpu: 0, memory: 0, disk: 0 }

async function usages(db: Kysely<Database>, only?: HostId): Promise<Map<string, HostUsage>> {
  let query = db
    .selectFrom('containers')
    .select([
      'host_id',
      countWithoutSandboxes.as('containers'),
      sql<number>`sum(cpu)`.as('cpu'),
      sql<number>`sum(memory)`.as('memory'),
      sql<number>`sum(disk)`.as('disk'),
    ])
    .where('host_id', 'is not', null)
    .groupBy('host_id')
  if (only !== undefined) query = query.where('host_id', '=', only)
  const rows = await query.execute()
  return new Map(
    rows.map(({ host_id, ...sums }) => [host_id ?? '', { ...sums, cpu: Math.round(sums.cpu * 1e6) / 1e6 }]),
  )
}

function fromRow(row: HostRow, used: HostUsage = unused): Host {
  return {
    id: row.id as HostId,
    name: row.name,
    availabilityZone: row.availability_zone,
    facts: JSON.parse(row.facts),
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
