import type { NetworkTables } from '@gantry/control'
import type { ProjectId, Router, RouterGateway, RouterId, RouterInterface } from '@gantry/model'
import type { Kysely } from 'kysely'
import { atomically } from '../atomically.ts'
import { type Columns, json, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { inChunks } from '../in-chunks.ts'
import { agedRows } from './aged-rows.ts'

const columns: Columns<Router> = {
  id: text<RouterId>('id'),
  projectId: text<ProjectId>('project_id'),
  name: text('name'),
  gateway: json<RouterGateway | null>('gateway'),
  interfaces: json<readonly RouterInterface[]>('interfaces'),
  createdAt: number('created_at'),
}

const rowsOf = (db: Kysely<Database>) => agedRows(db, { table: 'routers', columns })

export function routerTable(db: Kysely<Database>): NetworkTables['routers'] {
  const rows = rowsOf(db)
  return {
    insert: (router) =>
      atomically(db, async (db) => {
        await rowsOf(db).insert(router)
        await index(db, router.id, router.interfaces)
      }),
    get: (id) => rows.get(id),
    list: (projectId) => rows.where(projectId === null ? {} : { projectId }),
    update: (id, change) =>
      atomically(db, async (db) => {
        await rowsOf(db).update(id, change)
        if (!change.interfaces) return
        await db.deleteFrom('router_networks').where('router_id', '=', id).execute()
        await index(db, id, change.interfaces)
      }),
    remove: (id) => rows.remove(id),
    countOf: (projectId) => rows.count({ projectId }),
    async onNetworks(ids) {
      const found = await inChunks(ids, (chunk) =>
        db.selectFrom('router_networks').select('router_id').where('network_id', 'in', chunk).execute(),
      )
      return rows.whereIn('id', [...new Set(found.map((row) => row.router_id as RouterId))])
    },
  }
}

async function index(db: Kysely<Database>, id: RouterId, interfaces: Router['interfaces']): Promise<void> {
  const networks = new Set(interfaces.map(({ networkId }) => networkId))
  const values = [...networks].map((networkId) => ({ network_id: networkId, router_id: id }))
  if (values.length > 0) await db.insertInto('router_networks').values(values).execute()
}
