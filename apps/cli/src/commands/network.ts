import type { ContainerView, NetworkView, SubnetView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import { pathOf } from '../client/api.ts'
import { usage } from '../failure.ts'
import {
  type Collection,
  deleteCommand,
  itemOf,
  itemPath,
  itemsOf,
  printItem,
  printItems,
  printMade,
} from './collection.ts'
import { collect, finish, withApi } from './common.ts'
import { subnetBody, type SubnetOptions, subnets } from './subnet.ts'

export const networks: Collection<NetworkView> = { noun: 'network', path: '/v1/networks', key: 'networks' }

interface CreateOptions extends SubnetOptions {
  readonly subnet?: string
  readonly shared?: boolean
  readonly external?: boolean
}

/** network: create, list, show, rename, delete, and plugging containers in and out. */
export function networkCommand(program: Command): void {
  const network = program.command('network').description('networks of the project')
  finish(network, { json: false }, [
    { line: 'gantry network create shop --subnet 10.7.0.0/24', about: 'a network with addresses' },
    { line: 'gantry run -d --name web --net shop nginx', about: 'a container on it' },
    { line: 'gantry network list', about: 'your own, shared and external ones' },
  ])
  createCommand(network)
  listCommand(network)
  showCommand(network)
  renameCommand(network)
  deleteCommand(network, networks, {
    examples: [{ line: 'gantry network delete shop', about: 'its subnets go too; refused while something is on it' }],
  })
  attachCommand(network)
  detachCommand(network)
}

function createCommand(network: Command): void {
  const command = network
    .command('create')
    .description('create a network, with a subnet if --subnet is given')
    .argument('<name>')
    .option('--subnet <cidr>', 'its addresses, as in 10.7.0.0/24')
    .option('--gateway <address>', 'address of the way out (default: the first); none: no way out')
    .option('--dns <address>', 'name server that containers are told; may be repeated', collect)
    .option('--shared', 'for every project (administrators)')
    .option('--external', 'leads out of the cloud (administrators)')
    .action(async (name: string, options: CreateOptions) => {
      const { subnet: cidr, shared, external } = options
      if (cidr === undefined && (options.gateway ?? options.dns) !== undefined) {
        throw usage('--gateway and --dns are said of a subnet: add --subnet CIDR.')
      }
      const made = await withApi(command, async (api) => {
        const json = { name, shared, external }
        const created = await api.json<NetworkView>({ method: 'POST', path: networks.path, json })
        if (cidr !== undefined) await addSubnet(api, created, subnetBody(cidr, options))
        return created
      })
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry network create shop --subnet 10.7.0.0/24', about: 'prints its id' },
    { line: 'gantry network create inner --subnet 10.8.0.0/24 --gateway none', about: 'one without a way out' },
    { line: 'gantry network create six --subnet fd00:7::/64 --dns fd00::53', about: 'IPv6' },
  ])
}

/** A network whose subnet was refused is taken away again: one command is done whole or not at all. */
async function addSubnet(api: Api, { id, name }: NetworkView, body: object): Promise<void> {
  try {
    await api.json({ method: 'POST', path: subnets.path, json: { ...body, network: id, name } })
  } catch (error) {
    await api.json({ method: 'DELETE', path: itemPath(networks, id) })
    throw error
  }
}

function listCommand(network: Command): void {
  const command = network
    .command('list')
    .alias('ls')
    .description("list the project's networks, shared and external ones")
    .option('--all-projects', 'those of every project (administrators)')
    .action(async ({ allProjects }: { allProjects?: boolean }) => {
      const [found, addresses] = await withApi(command, (api) =>
        Promise.all([itemsOf(api, networks, { allProjects }), itemsOf(api, subnets)]),
      )
      await printItems(command, found, [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name, shrink: 1 },
        { title: 'SUBNETS', value: ({ id }) => cidrsOf(id, addresses) || '-' },
        { title: 'KIND', value: kindOf },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry network list', about: 'a table' }])
}

function showCommand(network: Command): void {
  const command = network
    .command('show')
    .description('show a network')
    .argument('<network>', 'its name or id')
    .action(async (ref: string) => {
      const [found, addresses] = await withApi(command, (api) =>
        Promise.all([itemOf(api, networks, ref), itemsOf(api, subnets, { network: ref })]),
      )
      await printItem(command, found, [
        ['Name', found.name],
        ['Id', found.id],
        ['Kind', kindOf(found)],
        ['Subnets', cidrsOf(found.id, addresses)],
        ['MTU', `${found.mtu} bytes`],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry network show shop --json', about: 'for a program' }])
}

function renameCommand(network: Command): void {
  const command = network
    .command('rename')
    .description('rename a network')
    .argument('<network>', 'its name or id')
    .argument('<name>', 'its new name')
    .action(async (ref: string, name: string) => {
      const path = itemPath(networks, ref)
      const renamed = await withApi(command, (api) => api.json<NetworkView>({ method: 'PATCH', path, json: { name } }))
      await printMade(command, renamed, renamed.id)
    })
  finish(command, { json: true }, [{ line: 'gantry network rename shop store', about: 'containers stay on it' }])
}

function attachCommand(network: Command): void {
  const command = network
    .command('attach')
    .description('plug a container into one more network, or into a port of your own')
    .argument('<container>', 'its name or id')
    .argument('[network]', 'name or id of a network')
    .option('--ip <address>', 'the address it is to have there; may be repeated', collect)
    .option('--port <port>', 'instead of a network: a port, with the addresses it has')
    .action(async (ref: string, net: string | undefined, { ip, port }: { ip?: string[]; port?: string }) => {
      if ((net === undefined) === (port === undefined)) throw usage('Name either a network or a --port.')
      const json = { network: net, port, addresses: ip }
      const path = `${pathOf(ref)}/networks`
      const changed = await withApi(command, (api) => api.json<ContainerView>({ method: 'POST', path, json }))
      await printMade(command, changed, changed.addresses.map(({ address }) => address).join('\n'))
    })
  finish(command, { json: true }, [
    { line: 'gantry network attach web shop', about: 'prints the addresses it has now' },
    { line: 'gantry network attach web shop --ip 10.7.0.9', about: 'at this address' },
    { line: 'gantry network attach web --port p1', about: 'a port that stays when the container goes' },
  ])
}

function detachCommand(network: Command): void {
  const command = network
    .command('detach')
    .description('unplug a container from a network or port')
    .argument('<container>', 'its name or id')
    .argument('[network]', 'name or id of a network')
    .option('--port <port>', 'instead of a network: a port')
    .action(async (ref: string, net: string | undefined, { port }: { port?: string }) => {
      if ((net === undefined) === (port === undefined)) throw usage('Name either a network or a --port.')
      const path = `${pathOf(ref)}/networks`
      const query = { network: net, port }
      const changed = await withApi(command, (api) => api.json<ContainerView>({ method: 'DELETE', path, query }))
      await printMade(command, changed, changed.id)
    })
  finish(command, { json: true }, [{ line: 'gantry network detach web shop', about: 'its port there goes' }])
}

function cidrsOf(id: string, all: readonly SubnetView[]): string {
  return all
    .filter(({ networkId }) => networkId === id)
    .map(({ cidr }) => cidr)
    .join(', ')
}

function kindOf({ shared, external }: NetworkView): string {
  return [external && 'external', shared && 'shared'].filter(Boolean).join(', ') || 'own'
}
