import type { Cursor, Delivery, Webhook, WebhookTable } from '@gantry/control'
import type { ProjectId, UserId, WebhookId } from '@gantry/model'
import type { Kysely } from 'kysely'
import { type Columns, count, flag, fromRow, number, strings, text, toRow } from '../columns.ts'
import type { Database, WebhookDeliveryRow } from '../database.ts'
import { agedRows } from './aged-rows.ts'
import { byIdOrName } from './by-id-or-name.ts'

const columns: Columns<Webhook> = {
  id: text<WebhookId>('id'),
  projectId: text<ProjectId>('project_id'),
  userId: text<UserId>('user_id'),
  name: text('name'),
  url: text('url'),
  sealedSecret: text('sealed_secret'),
  types: strings('types'),
  enabled: flag('enabled'),
  disabledReason: text<string | null>('disabled_reason'),
  cursor: text<Cursor>('cursor'),
  failures: number('failures'),
  failingSince: count('failing_since'),
  nextAt: number('next_at'),
  createdAt: number('created_at'),
  updatedAt: number('updated_at'),
}

const deliveryColumns: Columns<Delivery> = {
  webhookId: text<WebhookId>('webhook_id'),
  number: number('number'),
  type: text('type'),
  at: number('at'),
  attempt: number('attempt'),
  status: count('status'),
  milliseconds: number('milliseconds'),
  problem: text<string | null>('problem'),
}

export function webhookTable(db: Kysely<Database>): WebhookTable {
  const rows = agedRows(db, { table: 'webhooks', columns })
  return {
    insert: (webhook) => rows.insert(webhook),
    find: (scope, ref) => byIdOrName(rows, scope, ref),
    list: (scope) => rows.where(scope === null ? {} : { projectId: scope }),
    enabled: () => rows.where({ enabled: true }),
    get: (id) => rows.get(id),
    update: (id, change) => rows.update(id, change),
    async remove(id) {
      await db.deleteFrom('webhook_deliveries').where('webhook_id', '=', id).execute()
      await rows.remove(id)
    },
    countOf: (projectId) => rows.count({ projectId }),
    async noteDelivery(delivery) {
      const row = toRow(deliveryColumns, delivery) as unknown as WebhookDeliveryRow
      await db
        .insertInto('webhook_deliveries')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async deliveries(id, limit) {
      const found = await db
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('webhook_id', '=', id)
        .orderBy('at', 'desc')
        .limit(limit)
        .execute()
      return found.map((row) => fromRow(deliveryColumns, { ...row }))
    },
    async pruneDeliveries(before) {
      await db.deleteFrom('webhook_deliveries').where('at', '<', before).execute()
    },
  }
}
