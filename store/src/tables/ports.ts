import type { NetworkTables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  FixedIp,
  HostId,
  NetworkId,
  Port,
  PortId,
  PortOwner,
  ProjectId,
  SecurityGroupId,
  SubnetId,
} from '@gantry/model'
import type { Kysely } from 'kysely'
import { atomically } from '../atomically.ts'
import { type Columns, flag, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { orTaken } from '../duplicate.ts'
import { inChunks } from '../in-chunks.ts'
import { isPostgres } from '../locks.ts'
import { agedRows } from './aged-rows.ts'

/** Addresses and groups have tables of their own, which are asked by subnet and by group. */
type BarePort = Omit<Port, 'fixedIps' | 'groups'>
type Parts = Pick<Port, 'fixedIps' | 'groups'>
type PortTable = NetworkTables['ports']

const columns: Columns<BarePort> = {
  id: text<PortId>('id'),
  projectId: text<ProjectId>('project_id'),
  networkId: text<NetworkId>('network_id'),
  name: text('name'),
  mac: text('mac'),
  filtered: flag('filtered'),
  deviceId: text<string | null>('device_id'),
  deviceOwner: text<PortOwner>('device_owner'),
  hostId: text<HostId | null>('host_id'),
  preserve: flag('preserve'),
  createdAt: number('created_at'),
}

export function portTable(db: Kysely<Database>): PortTable {
  const rows = agedRows(db, { table: 'ports', columns })
  const whole = (bare: readonly BarePort[]) => withParts(db, bare)
  return {
    insert: ({ fixedIps, groups, ...bare }) =>
      atomically(db, async (db) => {
        // Nothing may be left behind in a transaction that goes on after the refusal with another address.
        await refuseTaken(db, bare.id, fixedIps)
        await orTaken(
          () => agedRows(db, { table: 'ports', columns }).insert(bare),
          (cause) => macTaken(bare.mac, cause),
        )
        await insertParts(db, bare.id, { fixedIps, groups })
      }),
    async get(id) {
      const bare = await rows.get(id)
      return bare && (await whole([bare]))[0]
    },
    getMany: async (ids) => whole(await rows.whereIn('id', ids)),
    list: async (projectId) => whole(await rows.where(projectId === null ? {} : { projectId })),
    ofNetwork: async (networkId) => whole(await rows.where({ networkId })),
    ofDevice: async (deviceId) => whole(await rows.where({ deviceId })),
    async ofGroup(id) {
      const members = await db.selectFrom('port_groups').select('port_id').where('group_id', '=', id).execute()
      return whole(
        await rows.whereIn(
          'id',
          members.map((row) => row.port_id as PortId),
        ),
      )
    },
    update: (id, change) => atomically(db, (db) => update(db, id, change)),
    remove: (id) => rows.remove(id),
    async macTaken(mac) {
      return (await db.selectFrom('ports').select('id').where('mac', '=', mac).limit(1).execute()).length > 0
    },
    countOf: (projectId) => rows.count({ projectId }),
    ...addressQueries(db),
    ...placeQueries(db),
  }
}

function addressQueries(db: Kysely<Database>): Pick<PortTable, 'addressesOf' | 'addressTaken'> {
  return {
    async addressesOf(subnetId) {
      await takeTurns(db, subnetId)
      const found = await db.selectFrom('port_addresses').select('address').where('subnet_id', '=', subnetId).execute()
      return found.map((row) => row.address)
    },
    addressTaken: async (subnetId, address) => (await holderOf(db, { subnetId, address })) !== undefined,
  }
}

/** Projects that share a network choose its addresses one after another, each seeing what the one before has taken. */
async function takeTurns(db: Kysely<Database>, subnetId: SubnetId): Promise<void> {
  if (!db.isTransaction || !isPostgres(db)) return
  await db.selectFrom('subnets').select('id').where('id', '=', subnetId).forNoKeyUpdate().execute()
}

type PlaceQueries = 'place' | 'networksOnHost' | 'groupsOnHost' | 'hostsOfNetworks' | 'hostsOfGroups'

function placeQueries(db: Kysely<Database>): Pick<PortTable, PlaceQueries> {
  return {
    async place(deviceId, hostId) {
      await db.updateTable('ports').set({ host_id: hostId }).where('device_id', '=', deviceId).execute()
    },
    async networksOnHost(hostId) {
      const found = await db.selectFrom('ports').select('network_id').distinct().where('host_id', '=', hostId).execute()
      return found.map((row) => row.network_id as NetworkId)
    },
    async groupsOnHost(hostId) {
      const found = await db
        .selectFrom('ports')
        .innerJoin('port_groups', 'port_groups.port_id', 'ports.id')
        .select('group_id')
        .distinct()
        .where('host_id', '=', hostId)
        .execute()
      return found.map((row) => row.group_id as SecurityGroupId)
    },
    async hostsOfNetworks(ids) {
      const found = await inChunks(ids, (chunk) =>
        db
          .selectFrom('ports')
          .select('host_id')
          .distinct()
          .where('network_id', 'in', chunk)
          .where('host_id', 'is not', null)
          .execute(),
      )
      return distinctHosts(found)
    },
    async hostsOfGroups(ids) {
      const found = await inChunks(ids, (chunk) =>
        db
          .selectFrom('port_groups')
          .innerJoin('ports', 'ports.id', 'port_groups.port_id')
          .select('host_id')
          .distinct()
          .where('group_id', 'in', chunk)
          .where('host_id', 'is not', null)
          .execute(),
      )
      return distinctHosts(found)
    },
  }
}

function distinctHosts(rows: readonly { host_id: string | null }[]): HostId[] {
  return [...new Set(rows.flatMap(({ host_id }) => (host_id === null ? [] : [host_id as HostId])))]
}

async function update(db: Kysely<Database>, id: PortId, { fixedIps, groups, ...bare }: Partial<Port>): Promise<void> {
  if (fixedIps) await refuseTaken(db, id, fixedIps)
  await orTaken(
    () => agedRows(db, { table: 'ports', columns }).update(id, bare),
    (cause) => macTaken(bare.mac ?? '', cause),
  )
  if (fixedIps) await db.deleteFrom('port_addresses').where('port_id', '=', id).execute()
  if (groups) await db.deleteFrom('port_groups').where('port_id', '=', id).execute()
  await insertParts(db, id, { fixedIps: fixedIps ?? [], groups: groups ?? [] })
}

async function refuseTaken(db: Kysely<Database>, id: PortId, fixedIps: readonly FixedIp[]): Promise<void> {
  const asked = new Set<string>()
  for (const ip of fixedIps) {
    const holder = await holderOf(db, ip)
    const claim = `${ip.subnetId} ${ip.address}`
    if ((holder !== undefined && holder !== id) || asked.has(claim)) {
      throw new Fault('address.in-use', { address: ip.address })
    }
    asked.add(claim)
  }
}

async function holderOf(db: Kysely<Database>, { subnetId, address }: FixedIp): Promise<string | undefined> {
  const row = await db
    .selectFrom('port_addresses')
    .select('port_id')
    .where('subnet_id', '=', subnetId)
    .where('address', '=', address)
    .executeTakeFirst()
  return row?.port_id
}

async function insertParts(db: Kysely<Database>, id: PortId, { fixedIps, groups }: Parts): Promise<void> {
  const addresses = fixedIps.map(({ subnetId, address }, position) => ({
    subnet_id: subnetId,
    address,
    port_id: id,
    position,
  }))
  const members = [...new Set(groups)].map((group, position) => ({ port_id: id, group_id: group, position }))
  if (addresses.length > 0) {
    // Another server may have been quicker since `refuseTaken`.
    await orTaken(
      () => db.insertInto('port_addresses').values(addresses).execute(),
      (cause) => new Fault('address.in-use', { address: addresses.map(({ address }) => address).join(', ') }, cause),
    )
  }
  if (members.length > 0) await db.insertInto('port_groups').values(members).execute()
}

function macTaken(mac: string, cause: unknown): Fault {
  return new Fault('network.conflict', { problem: `Another port of this network has the MAC address ${mac}.` }, cause)
}

async function withParts(db: Kysely<Database>, bare: readonly BarePort[]): Promise<Port[]> {
  const ids = bare.map(({ id }) => id)
  const addresses = await inChunks(ids, (chunk) =>
    db.selectFrom('port_addresses').selectAll().where('port_id', 'in', chunk).orderBy('position').execute(),
  )
  const members = await inChunks(ids, (chunk) =>
    db.selectFrom('port_groups').selectAll().where('port_id', 'in', chunk).orderBy('position').execute(),
  )
  const fixedIps = Map.groupBy(addresses, (row) => row.port_id)
  const groups = Map.groupBy(members, (row) => row.port_id)
  return bare.map((port) => ({
    ...port,
    fixedIps: (fixedIps.get(port.id) ?? []).map((row) => ({
      subnetId: row.subnet_id as SubnetId,
      address: row.address,
    })),
    groups: (groups.get(port.id) ?? []).map((row) => row.group_id as SecurityGroupId),
  }))
}
