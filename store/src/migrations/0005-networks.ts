import type { Kysely } from 'kysely'
import { createTable, type TableSketch } from './create-table.ts'

const owned = { id: 'text', seq: 'bigint', project_id: 'text', name: 'text' } as const
const aged = { key: ['id'], indexes: [['seq'], ['project_id', 'seq']] }

const tables: readonly TableSketch[] = [
  {
    name: 'networks',
    columns: { ...owned, shared: 'bigint', external: 'bigint', mtu: 'bigint', created_at: 'bigint' },
    ...aged,
    // What a project sees is the union of three small sets.
    indexes: [...aged.indexes, ['shared'], ['external']],
  },
  {
    name: 'subnets',
    columns: {
      ...owned,
      network_id: 'text',
      version: 'bigint',
      cidr: 'text',
      gateway: 'text?',
      pools: 'text',
      dns_servers: 'text',
      created_at: 'bigint',
    },
    ...aged,
    indexes: [...aged.indexes, ['network_id']],
  },
  {
    name: 'ports',
    columns: {
      ...owned,
      network_id: 'text',
      mac: 'text',
      filtered: 'bigint',
      device_id: 'text?',
      device_owner: 'text',
      host_id: 'text?',
      preserve: 'bigint',
      created_at: 'bigint',
    },
    ...aged,
    // A network is one Ethernet: the same address twice would take both ports' frames apart.
    unique: [['mac', 'network_id']],
    // Which hosts hold a part of a network, and which networks a host holds, is answered from these alone.
    indexes: [...aged.indexes, ['network_id', 'host_id'], ['host_id', 'network_id'], ['device_id']],
  },
  {
    // The key is the claim: no address of a subnet is ever held twice.
    name: 'port_addresses',
    columns: { subnet_id: 'text', address: 'text', port_id: 'text', position: 'bigint' },
    key: ['subnet_id', 'address'],
    indexes: [['port_id']],
    partOf: { port_id: 'ports' },
  },
  {
    name: 'port_groups',
    columns: { port_id: 'text', group_id: 'text', position: 'bigint' },
    key: ['port_id', 'group_id'],
    indexes: [['group_id', 'port_id']],
    partOf: { port_id: 'ports' },
  },
  {
    name: 'security_groups',
    columns: { ...owned, description: 'text', created_at: 'bigint' },
    ...aged,
  },
  {
    name: 'security_group_rules',
    columns: {
      id: 'text',
      seq: 'bigint',
      group_id: 'text',
      direction: 'text',
      version: 'bigint',
      protocol: 'text?',
      port_min: 'bigint?',
      port_max: 'bigint?',
      remote_group_id: 'text?',
      remote_prefix: 'text?',
    },
    key: ['id'],
    indexes: [['seq'], ['group_id', 'seq'], ['remote_group_id']],
    // As in Neutron, a rule also goes with the group that it lets in.
    partOf: { group_id: 'security_groups', remote_group_id: 'security_groups' },
  },
  {
    name: 'routers',
    columns: { ...owned, gateway: 'text?', interfaces: 'text', created_at: 'bigint' },
    ...aged,
  },
  {
    name: 'router_networks',
    columns: { network_id: 'text', router_id: 'text' },
    key: ['network_id', 'router_id'],
    indexes: [['router_id']],
    partOf: { router_id: 'routers' },
  },
  {
    name: 'floating_ips',
    columns: {
      id: 'text',
      seq: 'bigint',
      project_id: 'text',
      network_id: 'text',
      address: 'text',
      port_id: 'text?',
      fixed_address: 'text?',
      router_id: 'text?',
      created_at: 'bigint',
    },
    ...aged,
    unique: [['network_id', 'address']],
    indexes: [...aged.indexes, ['port_id'], ['router_id']],
  },
  {
    name: 'port_forwardings',
    columns: {
      id: 'text',
      seq: 'bigint',
      floating_ip_id: 'text',
      protocol: 'text',
      external_port: 'bigint',
      port_id: 'text',
      address: 'text',
      internal_port: 'bigint',
    },
    key: ['id'],
    unique: [['floating_ip_id', 'protocol', 'external_port']],
    indexes: [['seq'], ['port_id']],
    partOf: { floating_ip_id: 'floating_ips' },
  },
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of tables) await createTable(db, table)
}
