import type { RegistryTable } from '@gantry/control'
import type { ProjectId, Registry, RegistryId, UserId } from '@gantry/model'
import type { Kysely } from 'kysely'
import { type Columns, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { agedRows } from './aged-rows.ts'
import { byIdOrName } from './by-id-or-name.ts'

const columns: Columns<Registry> = {
  id: text<RegistryId>('id'),
  projectId: text<ProjectId>('project_id'),
  userId: text<UserId>('user_id'),
  name: text('name'),
  domain: text('domain'),
  username: text<string | null>('username'),
  sealedPassword: text<string | null>('sealed_password'),
  createdAt: number('created_at'),
  updatedAt: number('updated_at'),
}

export function registryTable(db: Kysely<Database>): RegistryTable {
  const rows = agedRows(db, { table: 'registries', columns })
  return {
    insert: (registry) => rows.insert(registry),
    find: (scope, ref) => byIdOrName(rows, scope, ref),
    list: (scope) => rows.where(scope === null ? {} : { projectId: scope }),
    update: (id, change) => rows.update(id, change),
    remove: (id) => rows.remove(id),
    countOf: (projectId) => rows.count({ projectId }),
  }
}
