import type { PortView } from '@gantry/facade-native'
import type { Command } from 'commander'
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

export const ports: Collection<PortView> = { noun: 'port', path: '/v1/ports', key: 'ports' }

interface PortOptions {
  readonly name?: string
  readonly ip?: string[]
  readonly mac?: string
  readonly securityGroup?: string[]
  readonly filtered?: boolean
  readonly unfiltered?: boolean
}

export function portCommand(program: Command): void {
  const port = program.command('port').description('ports: addresses that stay when a container goes')
  finish(port, { json: false }, [
    { line: 'gantry port create shop --name p1 --ip 10.7.0.9', about: 'an address kept for later' },
    { line: 'gantry run -d --net port=p1 nginx', about: 'a container that has it' },
  ])
  createCommand(port)
  listCommand(port)
  showCommand(port)
  setCommand(port)
  deleteCommand(port, ports, {
    examples: [{ line: 'gantry port delete p1', about: 'refused while a container has it' }],
  })
}

function createCommand(port: Command): void {
  const command = port
    .command('create')
    .description('create a port on a network')
    .argument('<network>', 'its name or id')
    .option('--name <name>', 'name of the port')
    .option('--ip <address>', 'its address (default: a free one); may be repeated', collect)
    .option('--mac <address>', 'its MAC address')
    .option('--security-group <group>', 'instead of the group default; may be repeated', collect)
    .option('--unfiltered', 'no security groups, and any sender address')
    .action(async (network: string, { name, ip, mac, securityGroup, unfiltered }: PortOptions) => {
      const json = {
        network,
        name,
        mac,
        securityGroups: securityGroup,
        ...(ip === undefined ? {} : { fixedIps: ip.map((address) => ({ address })) }),
        ...(unfiltered ? { filtered: false } : {}),
      }
      const made = await withApi(command, (api) => api.json<PortView>({ method: 'POST', path: ports.path, json }))
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry port create shop --name p1 --ip 10.7.0.9', about: 'prints its id' },
    { line: 'gantry port create shop --security-group web', about: 'filtered by the rules of web' },
  ])
}

function listCommand(port: Command): void {
  const command = port
    .command('list')
    .alias('ls')
    .description('list ports')
    .option('--network <network>', 'only those on this network')
    .option('--container <container>', 'only those of this container')
    .action(async ({ network, container }: { network?: string; container?: string }) => {
      const found = await withApi(command, async (api) => {
        const device = container === undefined ? undefined : (await api.container(container)).id
        return itemsOf(api, ports, { network, device })
      })
      await printItems(command, found, [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name || '-', shrink: 1 },
        { title: 'ADDRESSES', value: addressesOf },
        { title: 'MAC', value: ({ mac }) => mac },
        { title: 'USED BY', value: ({ deviceId }) => deviceId ?? '-', shrink: 2 },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry port list --container web', about: 'where web is plugged in' }])
}

function showCommand(port: Command): void {
  const command = port
    .command('show')
    .description('show a port')
    .argument('<port>', 'its name or id')
    .action(async (ref: string) => {
      const found = await withApi(command, (api) => itemOf(api, ports, ref))
      await printItem(command, found, [
        ['Name', found.name],
        ['Id', found.id],
        ['Network', found.networkId],
        ['Addresses', addressesOf(found)],
        ['MAC', found.mac],
        [
          'Security groups',
          found.filtered ? found.securityGroups.join(', ') || 'none: nothing passes' : 'not filtered',
        ],
        ['Used by', found.deviceId && `${found.deviceId} (${found.deviceOwner})`],
        ['Host', found.hostId],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry port show p1', about: 'who uses it, and what filters it' }])
}

function setCommand(port: Command): void {
  const command = port
    .command('set')
    .description('change a port')
    .argument('<port>', 'its name or id')
    .option('--name <name>', 'a new name')
    .option('--security-group <group>', 'these groups instead of those it has; may be repeated', collect)
    .option('--filtered', 'security groups apply')
    .option('--unfiltered', 'no security groups, and any sender address')
    .action(async (ref: string, { name, securityGroup, filtered, unfiltered }: PortOptions) => {
      if (filtered && unfiltered) throw usage('It is either --filtered or --unfiltered.')
      const filter = filtered ? true : unfiltered ? false : undefined
      const json = { name, securityGroups: securityGroup, filtered: filter }
      if (Object.values(json).every((value) => value === undefined)) throw usage('Say what to change; see --help.')
      const path = itemPath(ports, ref)
      const changed = await withApi(command, (api) => api.json<PortView>({ method: 'PATCH', path, json }))
      await printMade(command, changed, changed.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry port set p1 --security-group web', about: 'only web from now on' },
    { line: 'gantry port set p1 --unfiltered', about: 'for a container that routes or balances' },
  ])
}

function addressesOf({ fixedIps }: PortView): string {
  return fixedIps.map(({ address }) => address).join(', ') || '-'
}
