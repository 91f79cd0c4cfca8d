import type { FloatingIpView, PortView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import { Failure, usage } from '../failure.ts'
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
import { finish, withApi } from './common.ts'
import { ports } from './port.ts'

const floatingIps: Collection<FloatingIpView> = { noun: 'floating IP', path: '/v1/floating-ips', key: 'floatingIps' }

interface Target {
  readonly container?: string
  readonly port?: string
}

export function floatingIpCommand(program: Command): void {
  const ip = program
    .command('floating-ip')
    .alias('fip')
    .description('addresses by which the outside reaches containers')
  finish(ip, { json: false }, [
    { line: 'gantry floating-ip create --container web', about: 'web has a public address; prints it' },
    { line: 'gantry floating-ip create', about: 'one that leads nowhere yet' },
    { line: 'gantry floating-ip forward 172.24.4.17 8080:80 --container web', about: 'one port of it' },
  ])
  createCommand(ip)
  listCommand(ip)
  showCommand(ip)
  associateCommand(ip)
  dissociateCommand(ip)
  forwardCommand(ip)
  unforwardCommand(ip)
  deleteCommand(ip, floatingIps, {
    examples: [{ line: 'gantry floating-ip delete 172.24.4.17', about: 'by address or id' }],
  })
}

const reachable = `
The container's network needs a router to the outside (the project's own has one), and a security group must let the
callers in: \`gantry secgroup rule add\`.`

function createCommand(ip: Command): void {
  const command = withTarget(ip.command('create').description('take an address, for a container if one is named'))
    .option('--network <network>', 'from this external network (default: the oldest)')
    .option('--address <address>', 'this very one')
    .action(async ({ network, address, ...target }: Target & { network?: string; address?: string }) => {
      const made = await withApi(command, async (api) => {
        const json = { network, address, ...(await portOf(api, target)) }
        return api.json<FloatingIpView>({ method: 'POST', path: floatingIps.path, json })
      })
      await printMade(command, made, made.address)
    })
  finish(command, { json: true }, [
    { line: 'gantry floating-ip create --container web', about: 'prints the address' },
    { line: 'gantry floating-ip create --port p1 --address 172.24.4.17', about: 'this address, for this port' },
  ])
  command.addHelpText('after', reachable)
}

function listCommand(ip: Command): void {
  const command = ip
    .command('list')
    .alias('ls')
    .description('list floating IPs')
    .action(async () => {
      await printItems(command, await withApi(command, (api) => itemsOf(api, floatingIps)), [
        { title: 'ADDRESS', value: ({ address }) => address },
        { title: 'LEADS TO', value: leadsTo },
        { title: 'ID', value: ({ id }) => id },
        { title: 'PORT', value: ({ portId }) => portId ?? '-', shrink: 1 },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry floating-ip list', about: 'a table' }])
}

function showCommand(ip: Command): void {
  const command = ip
    .command('show')
    .description('show a floating IP')
    .argument('<ip>', 'its address or id')
    .action(async (ref: string) => {
      const [found, port] = await withApi(command, async (api) => {
        const item = await itemOf(api, floatingIps, ref)
        return [item, item.portId === null ? null : await itemOf(api, ports, item.portId)] as const
      })
      await printItem(command, found, describe(found, port))
    })
  finish(command, { json: true }, [{ line: 'gantry floating-ip show 172.24.4.17', about: 'by address or id' }])
}

function describe(found: FloatingIpView, port: PortView | null): [string, string | null][] {
  return [
    ['Address', found.address],
    ['Id', found.id],
    ['Leads to', leadsTo(found)],
    ['Container', port?.deviceId ?? null],
    ['Port', found.portId],
    ['Router', found.routerId],
    ['Network', found.networkId],
    ['Created', found.createdAt],
    ['Project', found.projectId],
  ]
}

function associateCommand(ip: Command): void {
  const command = withTarget(ip.command('associate').description('let an address lead to a container'))
    .argument('<ip>', 'its address or id')
    .action(async (ref: string, target: Target) => {
      const changed = await withApi(command, async (api) => {
        const json = await portOf(api, target)
        if (json.port === undefined) throw usage('Say where it leads: --container or --port.')
        return api.json<FloatingIpView>({ method: 'PATCH', path: itemPath(floatingIps, ref), json })
      })
      await printMade(command, changed, leadsTo(changed))
    })
  finish(command, { json: true }, [
    { line: 'gantry floating-ip associate 172.24.4.17 --container web', about: 'away from where it led before' },
  ])
  command.addHelpText('after', reachable)
}

function dissociateCommand(ip: Command): void {
  const command = ip
    .command('dissociate')
    .description('let an address lead nowhere, and keep it')
    .argument('<ip>', 'its address or id')
    .action(async (ref: string) => {
      const call = { method: 'PATCH', path: itemPath(floatingIps, ref), json: { port: null } } as const
      const changed = await withApi(command, (api) => api.json<FloatingIpView>(call))
      await printMade(command, changed, changed.address)
    })
  finish(command, { json: true }, [{ line: 'gantry floating-ip dissociate 172.24.4.17', about: 'it stays yours' }])
}

function forwardCommand(ip: Command): void {
  const command = withTarget(ip.command('forward').description('let one port of an address lead to a container'))
    .argument('<ip>', 'its address or id; one that leads nowhere as a whole')
    .argument('<ports>', 'OUTSIDE:INSIDE, as in 8080:80 or 53:53/udp')
    .action(async (ref: string, text: string, target: Target) => {
      const { protocol, externalPort, internalPort } = forwarding(text)
      const made = await withApi(command, async (api) => {
        const { port } = await portOf(api, target)
        if (port === undefined) throw usage('Say where it leads: --container or --port.')
        const json = { protocol, externalPort, internalPort, port }
        return api.json<{ id: string }>({ method: 'POST', path: `${itemPath(floatingIps, ref)}/forwardings`, json })
      })
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry floating-ip forward 172.24.4.17 8080:80 --container web', about: 'several may share one address' },
  ])
}

function unforwardCommand(ip: Command): void {
  const command = ip
    .command('unforward')
    .description('end a forwarding')
    .argument('<ip>', 'its address or id')
    .argument('<port>', 'its outside port, as in 8080 or 53/udp; or its id')
    .action(async (ref: string, text: string) => {
      await withApi(command, async (api) => {
        const { forwardings } = await itemOf(api, floatingIps, ref)
        const found = forwardings.find(({ id, externalPort, protocol }) => {
          return id === text || `${externalPort}/${protocol}` === (text.includes('/') ? text : `${text}/tcp`)
        })
        if (!found)
          throw new Failure(`${ref} forwards no port ${text}.`, { remedy: '`gantry floating-ip show` has them.' })
        const path = `${itemPath(floatingIps, ref)}/forwardings/${found.id}`
        await api.json({ method: 'DELETE', path })
      })
      process.stdout.write(`${text}\n`)
    })
  finish(command, { json: false }, [
    { line: 'gantry floating-ip unforward 172.24.4.17 8080', about: 'the address stays' },
  ])
}

function withTarget(command: Command): Command {
  return command
    .option('--container <container>', 'where it leads: the first address of this container')
    .option('--port <port>', 'where it leads: a port')
}

/** The port that is meant; of a container its primary one, at its first address that is IPv4. */
async function portOf(api: Api, { container, port }: Target): Promise<{ port?: string; fixedAddress?: string }> {
  if (container === undefined) return port === undefined ? {} : { port }
  if (port !== undefined) throw usage('Name either --container or --port.')
  const { addresses, name } = await api.container(container)
  const found = addresses.find(({ version }) => version === 4)
  if (!found) throw new Failure(`Container ${name} has no IPv4 address yet.`)
  return { port: found.port }
}

function forwarding(text: string) {
  const [, outside = '', inside = '', protocol = 'tcp'] = /^(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? []
  if (outside === '') throw usage(`${text} is not understood: write 8080:80 or 53:53/udp.`)
  return { protocol, externalPort: Number(outside), internalPort: Number(inside) }
}

function leadsTo({ fixedAddress, forwardings }: FloatingIpView): string {
  const parts = forwardings.map(({ protocol, externalPort, address, internalPort }) => {
    return `${externalPort}/${protocol} to ${address}:${internalPort}`
  })
  return fixedAddress ?? (parts.join(', ') || 'nowhere')
}
