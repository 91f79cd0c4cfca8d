import type { NetworkTables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  FloatingIp,
  FloatingIpId,
  NetworkId,
  PortForwarding,
  PortForwardingId,
  PortId,
  ProjectId,
  RouterId,
} from '@gantry/model'
import type { Kysely } from 'kysely'
import { atomically } from '../atomically.ts'
import { type Columns, mark, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { orTaken } from '../duplicate.ts'
import { agedRows } from './aged-rows.ts'

type BareIp = Omit<FloatingIp, 'forwardings'>
type ForwardingRow = PortForwarding & { readonly floatingIpId: FloatingIpId }

const columns: Columns<BareIp> = {
  id: text<FloatingIpId>('id'),
  projectId: text<ProjectId>('project_id'),
  networkId: text<NetworkId>('network_id'),
  address: text('address'),
  portId: text<PortId | null>('port_id'),
  fixedAddress: text<string | null>('fixed_address'),
  routerId: text<RouterId | null>('router_id'),
  published: mark('published'),
  createdAt: number('created_at'),
}

const forwardingColumns: Columns<ForwardingRow> = {
  id: text<PortForwardingId>('id'),
  floatingIpId: text<FloatingIpId>('floating_ip_id'),
  protocol: text<PortForwarding['protocol']>('protocol'),
  externalPort: number('external_port'),
  portId: text<PortId>('port_id'),
  address: text('address'),
  internalPort: number('internal_port'),
}

const rowsOf = (db: Kysely<Database>) => agedRows(db, { table: 'floating_ips', columns })
const forwardingsOf = (db: Kysely<Database>) => agedRows(db, { table: 'port_forwardings', columns: forwardingColumns })

export function floatingIpTable(db: Kysely<Database>): NetworkTables['floatingIps'] {
  const rows = rowsOf(db)
  const whole = (bare: readonly BareIp[]) => withForwardings(db, bare)
  return {
    insert: ({ forwardings, ...bare }) =>
      atomically(db, async (db) => {
        await orTaken(
          () => rowsOf(db).insert(bare),
          (cause) => new Fault('address.in-use', { address: bare.address }, cause),
        )
        for (const forwarding of forwardings) await addForwarding(db, bare.id, forwarding)
      }),
    async get(id) {
      const bare = await rows.get(id)
      return bare && (await whole([bare]))[0]
    },
    list: async (projectId) => whole(await rows.where(projectId === null ? {} : { projectId })),
    async ofPort(portId) {
      const forwarded = await forwardingsOf(db).where({ portId })
      const direct = await rows.where({ portId })
      const ids = [...direct.map(({ id }) => id), ...forwarded.map(({ floatingIpId }) => floatingIpId)]
      return whole(await rows.whereIn('id', [...new Set(ids)]))
    },
    ofRouter: async (routerId) => whole(await rows.where({ routerId })),
    update: (id, change) => rows.update(id, change),
    remove: (id) => rows.remove(id),
    countOf: (projectId) => rows.count({ projectId }),
    addForwarding: (id, forwarding) => addForwarding(db, id, forwarding),
    removeForwarding: (_id, forwarding) => forwardingsOf(db).remove(forwarding),
  }
}

async function addForwarding(db: Kysely<Database>, id: FloatingIpId, forwarding: PortForwarding): Promise<void> {
  const { protocol, externalPort } = forwarding
  await orTaken(
    () => forwardingsOf(db).insert({ ...forwarding, floatingIpId: id }),
    (cause) => {
      const problem = `The floating IP forwards ${protocol} port ${externalPort} already.`
      return new Fault('network.conflict', { problem }, cause)
    },
  )
}

async function withForwardings(db: Kysely<Database>, bare: readonly BareIp[]): Promise<FloatingIp[]> {
  const found = await forwardingsOf(db).whereIn(
    'floatingIpId',
    bare.map(({ id }) => id),
  )
  const byIp = Map.groupBy(found, ({ floatingIpId }) => floatingIpId)
  return bare.map((ip) => ({
    ...ip,
    forwardings: (byIp.get(ip.id) ?? []).map(({ id, protocol, externalPort, portId, address, internalPort }) => ({
      id,
      protocol,
      externalPort,
      portId,
      address,
      internalPort,
    })),
  }))
}
