import type { CapsuleTable } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Capsule, CapsuleId, HostId, ProjectId, UserId } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import { type Columns, flag, fromRow, json, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { agedRows } from './aged-rows.ts'
import { fromRow as containerFromRow } from './container-row.ts'
import { byIdOrName } from './by-id-or-name.ts'

const columns: Columns<Capsule> = {
  id: text<CapsuleId>('id'),
  projectId: text<ProjectId>('project_id'),
  userId: text<UserId>('user_id'),
  name: text('name'),
  labels: json<Capsule['labels']>('labels'),
  annotations: json<Capsule['annotations']>('annotations'),
  restartPolicy: text<Capsule['restartPolicy']>('restart_policy'),
  hostId: text<HostId | null>('host_id'),
  gone: flag('gone'),
  createdAt: number('created_at'),
  updatedAt: number('updated_at'),
}

export function capsuleTable(db: Kysely<Database>): CapsuleTable {
  const rows = agedRows(db, { table: 'capsules', columns })
  return {
    insert: (capsule) => rows.insert(capsule),
    get: (id) => rows.get(id),
    find: (scope, ref) => byIdOrName(rows, scope, ref),
    async list(scope, { limit, marker }) {
      let query = db.selectFrom('capsules').selectAll().orderBy('seq').limit(limit)
      if (scope !== null) query = query.where('project_id', '=', scope)
      if (marker !== null) {
        let before = db.selectFrom('capsules').select('seq').where('id', '=', marker)
        if (scope !== null) before = before.where('project_id', '=', scope)
        const last = await before.executeTakeFirst()
        if (!last) throw new Fault('capsule.not-found', { ref: marker })
        query = query.where('seq', '>', last.seq)
      }
      return (await query.execute()).map((row) => fromRow(columns, row))
    },
    update: (id, change) => rows.update(id, change),
    remove: (id) => rows.remove(id),
    async members(id) {
      const found = await db
        .selectFrom('containers')
        .selectAll()
        .where('capsule_id', '=', id)
        .orderBy(sql`case capsule_role when 'sandbox' then 0 when 'init' then 1 else 2 end`)
        .orderBy('capsule_position')
        .orderBy('seq')
        .execute()
      return found.map(containerFromRow)
    },
    ofHost: (hostId) => rows.where({ hostId }),
    unplaced: () => rows.where({ hostId: null, gone: false }),
    countOf: (projectId) => rows.count({ projectId }),
  }
}
