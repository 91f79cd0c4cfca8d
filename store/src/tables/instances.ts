import type { Instance, InstanceState, InstanceTable } from '@gantry/control'
import type { InstanceId, ProjectId } from '@gantry/model'
import type { Kysely } from 'kysely'
import { type Columns, count, flag, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { agedRows } from './aged-rows.ts'

const columns: Columns<Instance> = {
  id: text<InstanceId>('id'),
  name: text('name'),
  state: text<InstanceState>('state'),
  projectId: text<ProjectId | null>('project_id'),
  providerId: text<string | null>('provider_id'),
  tokenId: text<string | null>('token_id'),
  reason: text<string | null>('reason'),
  refused: flag('refused'),
  createdAt: number('created_at'),
  since: number('since'),
  idleSince: count('idle_since'),
}

export function instanceTable(db: Kysely<Database>): InstanceTable {
  const rows = agedRows(db, { table: 'instances', columns })
  return {
    insert: (instance) => rows.insert(instance),
    get: (id) => rows.get(id),
    list: () => rows.where({}),
    byToken: async (tokenId) => (await rows.where({ tokenId }, 1))[0],
    update: (id, change) => rows.update(id, change),
    remove: (id) => rows.remove(id),
  }
}
