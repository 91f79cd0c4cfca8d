import type { QuotaTable } from '@gantry/control'
import { type QuotaMap, quotaResources } from '@gantry/model'
import type { Kysely } from 'kysely'
import type { Database } from '../database.ts'

export function quotaTable(db: Kysely<Database>): QuotaTable {
  return {
    async ofProject(projectId) {
      const rows = await db.selectFrom('project_quotas').selectAll().where('project_id', '=', projectId).execute()
      return toMap(rows)
    },
    async setProject(projectId, limits) {
      for (const [resource, value] of Object.entries(limits)) {
        await db
          .insertInto('project_quotas')
          .values({ project_id: projectId, resource, value })
          .onConflict((conflict) => conflict.columns(['project_id', 'resource']).doUpdateSet({ value }))
          .execute()
      }
    },
    async clearProject(projectId) {
      await db.deleteFrom('project_quotas').where('project_id', '=', projectId).execute()
    },
    async ofClass(name) {
      const rows = await db.selectFrom('class_quotas').selectAll().where('name', '=', name).execute()
      return toMap(rows)
    },
    async setClass(name, limits) {
      for (const [resource, value] of Object.entries(limits)) {
        await db
          .insertInto('class_quotas')
          .values({ name, resource, value })
          .onConflict((conflict) => conflict.columns(['name', 'resource']).doUpdateSet({ value }))
          .execute()
      }
    },
  }
}

function toMap(rows: readonly { resource: string; value: number }[]): Partial<QuotaMap> {
  const known = rows.filter((row) => (quotaResources as readonly string[]).includes(row.resource))
  return Object.fromEntries(known.map((row) => [row.resource, row.value]))
}
