import type { NetworkTables } from '@gantry/control'
import type { AddressRange, IpVersion, Network, NetworkId, ProjectId, Subnet, SubnetId } from '@gantry/model'
import type { Kysely } from 'kysely'
import { type Columns, flag, fromRow, json, mark, maybeJson, number, strings, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { agedRows } from './aged-rows.ts'

const networkColumns: Columns<Network> = {
  id: text<NetworkId>('id'),
  projectId: text<ProjectId>('project_id'),
  name: text('name'),
  shared: flag('shared'),
  external: flag('external'),
  mtu: number('mtu'),
  usual: mark('usual'),
  labels: maybeJson<Readonly<Record<string, string>>>('labels'),
  createdAt: number('created_at'),
}

export function networkTable(db: Kysely<Database>): NetworkTables['networks'] {
  const rows = agedRows(db, { table: 'networks', columns: networkColumns })
  return {
    insert: (network) => rows.insert(network),
    get: (id) => rows.get(id),
    async visible(project) {
      if (project === null) return rows.where({})
      const found = await db
        .selectFrom('networks')
        .selectAll()
        .where((eb) => eb.or([eb('project_id', '=', project), eb('shared', '=', 1), eb('external', '=', 1)]))
        .orderBy('seq')
        .execute()
      return found.map((row) => fromRow(networkColumns, row))
    },
    rename: (id, name) => rows.update(id, { name }),
    makeUsual: (id) => rows.update(id, { usual: true }),
    remove: (id) => rows.remove(id),
    countOf: (projectId) => rows.count({ projectId }),
  }
}

const subnetColumns: Columns<Subnet> = {
  id: text<SubnetId>('id'),
  networkId: text<NetworkId>('network_id'),
  projectId: text<ProjectId>('project_id'),
  name: text('name'),
  version: { name: 'version', write: (value) => value, read: (cell) => Number(cell) as IpVersion },
  cidr: text('cidr'),
  gateway: text<string | null>('gateway'),
  pools: json<readonly AddressRange[]>('pools'),
  dnsServers: strings('dns_servers'),
  createdAt: number('created_at'),
}

export function subnetTable(db: Kysely<Database>): NetworkTables['subnets'] {
  const rows = agedRows(db, { table: 'subnets', columns: subnetColumns })
  return {
    insert: (subnet) => rows.insert(subnet),
    get: (id) => rows.get(id),
    ofNetworks: (ids) => rows.whereIn('networkId', ids),
    remove: (id) => rows.remove(id),
    countOf: (projectId) => rows.count({ projectId }),
  }
}
