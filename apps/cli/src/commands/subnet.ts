import type { SubnetView } from '@gantry/facade-native'
import { type Command, InvalidArgumentError } from 'commander'
import { type Collection, deleteCommand, itemOf, itemsOf, printItem, printItems, printMade } from './collection.ts'
import { collect, finish, withApi } from './common.ts'

export const subnets: Collection<SubnetView> = { noun: 'subnet', path: '/v1/subnets', key: 'subnets' }

export interface SubnetOptions {
  readonly gateway?: string
  readonly dns?: string[]
  readonly pool?: { readonly start: string; readonly end: string }[]
}

/** The part of a subnet's creation that its options say. */
export function subnetBody(cidr: string, { gateway, dns, pool }: SubnetOptions) {
  return {
    cidr,
    ...(gateway === undefined ? {} : { gateway: gateway === 'none' ? null : gateway }),
    ...(dns === undefined ? {} : { dnsServers: dns }),
    ...(pool === undefined ? {} : { pools: pool }),
  }
}

export function subnetCommand(program: Command): void {
  const subnet = program.command('subnet').description('addresses of networks')
  finish(subnet, { json: false }, [
    { line: 'gantry subnet create shop 10.7.0.0/24', about: 'addresses for the network shop' },
    { line: 'gantry subnet list --network shop', about: 'those it has' },
  ])
  createCommand(subnet)
  listCommand(subnet)
  showCommand(subnet)
  deleteCommand(subnet, subnets, {
    examples: [{ line: 'gantry subnet delete shop-6', about: 'refused while an address of it is in use' }],
  })
}

function createCommand(subnet: Command): void {
  const command = subnet
    .command('create')
    .description('give a network addresses')
    .argument('<network>', 'its name or id')
    .argument('<cidr>', 'as in 10.7.0.0/24 or fd00:7::/64')
    .option('--name <name>', 'name of the subnet')
    .option('--gateway <address>', 'address of the way out (default: the first); none: no way out')
    .option('--dns <address>', 'name server that containers are told; may be repeated', collect)
    .option('--pool <start-end>', 'give out only these addresses; may be repeated', collectPools)
    .action(async (network: string, cidr: string, { name, ...options }: SubnetOptions & { name?: string }) => {
      const json = { network, name, ...subnetBody(cidr, options) }
      const made = await withApi(command, (api) => api.json<SubnetView>({ method: 'POST', path: subnets.path, json }))
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry subnet create shop fd00:7::/64 --name shop-6', about: 'IPv6 beside IPv4' },
    { line: 'gantry subnet create shop 10.7.0.0/24 --pool 10.7.0.100-10.7.0.199', about: 'leaves the others free' },
  ])
}

function listCommand(subnet: Command): void {
  const command = subnet
    .command('list')
    .alias('ls')
    .description('list subnets')
    .option('--network <network>', 'only those of this network')
    .action(async ({ network }: { network?: string }) => {
      await printItems(command, await withApi(command, (api) => itemsOf(api, subnets, { network })), [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name || '-', shrink: 1 },
        { title: 'CIDR', value: ({ cidr }) => cidr },
        { title: 'GATEWAY', value: ({ gateway }) => gateway ?? 'none' },
        { title: 'NETWORK', value: ({ networkId }) => networkId, shrink: 2 },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry subnet list --network shop', about: 'a table' }])
}

function showCommand(subnet: Command): void {
  const command = subnet
    .command('show')
    .description('show a subnet')
    .argument('<subnet>', 'its name or id')
    .action(async (ref: string) => {
      const found = await withApi(command, (api) => itemOf(api, subnets, ref))
      await printItem(command, found, [
        ['Name', found.name],
        ['Id', found.id],
        ['Network', found.networkId],
        ['CIDR', found.cidr],
        ['Gateway', found.gateway ?? 'none'],
        ['Pools', found.pools.map(({ start, end }) => `${start}-${end}`).join(', ')],
        ['Name servers', found.dnsServers.join(', ')],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry subnet show shop-6', about: 'with its pools and name servers' }])
}

function collectPools(text: string, before: { start: string; end: string }[] = []): { start: string; end: string }[] {
  const [start, end, more] = text.split('-')
  if (!start || !end || more !== undefined) throw new InvalidArgumentError('Write it as 10.7.0.100-10.7.0.199.')
  return [...before, { start, end }]
}
