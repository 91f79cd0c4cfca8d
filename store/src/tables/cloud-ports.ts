import type { CloudPort, CloudPortTable } from '@gantry/control'
import type { ContainerId, HostId, NetworkId, ProjectId } from '@gantry/model'
import type { Insertable, Kysely } from 'kysely'
import { type Columns, flag, fromRow, number, text, toRow } from '../columns.ts'
import type { CloudPortRow, Database } from '../database.ts'

const columns: Columns<CloudPort> = {
  id: text('id'),
  kind: text<CloudPort['kind']>('kind'),
  containerId: text<ContainerId | null>('container_id'),
  projectId: text<ProjectId>('project_id'),
  networkId: text<NetworkId | null>('network_id'),
  given: flag('given'),
  hostId: text<HostId | null>('host_id'),
  boundTo: text<HostId | null>('bound_to'),
  leaving: flag('leaving'),
  createdAt: number('created_at'),
}

export function cloudPortTable(db: Kysely<Database>): CloudPortTable {
  const rows = () => db.selectFrom('cloud_ports').selectAll().orderBy('created_at').orderBy('id')
  const read = (row: CloudPortRow) => fromRow(columns, { ...row })
  return {
    async insert(port) {
      const values = toRow(columns, port) as unknown as Insertable<CloudPortRow>
      const inserted = await db
        .insertInto('cloud_ports')
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n
    },
    async get(id) {
      const row = await rows().where('id', '=', id).executeTakeFirst()
      return row && read(row)
    },
    ofContainer: async (id) => (await rows().where('container_id', '=', id).execute()).map(read),
    async onNetwork(projectId, networkId) {
      const ports = rows().where('kind', '=', 'port').where('project_id', '=', projectId)
      const found = await (networkId === undefined ? ports : ports.where('network_id', '=', networkId)).execute()
      return found.map(read)
    },
    async endingOf(projectId) {
      const ending = await rows()
        .where('project_id', '=', projectId)
        .where((where) => where.or([where('leaving', '=', 1), where('kind', '=', 'address')]))
        .execute()
      return ending.map(read)
    },
    async assign(id, containerId) {
      const { numUpdatedRows } = await db
        .updateTable('cloud_ports')
        .set({ container_id: containerId })
        .where('id', '=', id)
        .where('leaving', '=', 0)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async place(containerId, hostId) {
      await db
        .updateTable('cloud_ports')
        .set({ host_id: hostId })
        .where('container_id', '=', containerId)
        .where('kind', '=', 'port')
        .execute()
    },
    async bound(id, hostId) {
      await db.updateTable('cloud_ports').set({ bound_to: hostId }).where('id', '=', id).execute()
    },
    async leave(ids) {
      if (ids.length === 0) return
      await db
        .updateTable('cloud_ports')
        .set({ leaving: 1 })
        .where('id', 'in', [...ids])
        .execute()
    },
    async leaveOf(id, containerId) {
      await db
        .updateTable('cloud_ports')
        .set({ leaving: 1 })
        .where('id', '=', id)
        .where('container_id', '=', containerId)
        .execute()
    },
    async keep(id) {
      await db.updateTable('cloud_ports').set({ leaving: 0 }).where('id', '=', id).execute()
    },
    async remove(id) {
      await db.deleteFrom('cloud_ports').where('id', '=', id).execute()
    },
    async due() {
      const due = await rows()
        .where((where) =>
          where.or([
            where('leaving', '=', 1),
            where.and([
              where('host_id', 'is not', null),
              where.or([where('bound_to', 'is', null), where('bound_to', '!=', where.ref('host_id'))]),
            ]),
          ]),
        )
        .execute()
      return due.map(read)
    },
    list: async () => (await rows().execute()).map(read),
  }
}
