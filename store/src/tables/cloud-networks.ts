import type { CloudNetwork, CloudNetworkTable } from '@gantry/control'
import type { NetworkId, ProjectId } from '@gantry/model'
import type { Insertable, Kysely } from 'kysely'
import { type Columns, flag, fromRow, json, number, text, toRow } from '../columns.ts'
import type { CloudNetworkRow, Database } from '../database.ts'

const columns: Columns<CloudNetwork> = {
  id: text('id'),
  networkId: text<NetworkId | null>('network_id'),
  projectId: text<ProjectId>('project_id'),
  usual: flag('usual'),
  labels: json<CloudNetwork['labels']>('labels'),
  createdAt: number('created_at'),
}

export function cloudNetworkTable(db: Kysely<Database>): CloudNetworkTable {
  const rows = () => db.selectFrom('cloud_networks').selectAll().orderBy('created_at').orderBy('id')
  const read = (row: CloudNetworkRow) => fromRow(columns, { ...row })
  return {
    async insert(network) {
      const values = toRow(columns, network) as unknown as Insertable<CloudNetworkRow>
      await db.insertInto('cloud_networks').values(values).execute()
    },
    async finish(id, networkId, usual) {
      const values = { network_id: networkId, usual: Number(usual) }
      await db.updateTable('cloud_networks').set(values).where('id', '=', id).execute()
    },
    ofProject: async (id) => (await rows().where('project_id', '=', id).execute()).map(read),
    async ofNetworks(ids) {
      if (ids.length === 0) return []
      const found = await rows()
        .where('network_id', 'in', [...ids])
        .execute()
      return found.map(read)
    },
    async remove(id) {
      await db.deleteFrom('cloud_networks').where('id', '=', id).execute()
    },
    list: async () => (await rows().execute()).map(read),
  }
}
