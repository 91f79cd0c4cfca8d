import type { RouterView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
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

const routers: Collection<RouterView> = { noun: 'router', path: '/v1/routers', key: 'routers' }

export function routerCommand(program: Command): void {
  const router = program.command('router').description('routers between networks, and out of the cloud')
  finish(router, { json: false }, [
    { line: 'gantry router create r1 --gateway public --subnet shop', about: 'shop reaches the outside' },
    { line: 'gantry router attach r1 back', about: 'so does the subnet back, and both reach each other' },
  ])
  createCommand(router)
  listCommand(router)
  showCommand(router)
  gatewayCommand(router)
  interfaceCommand(router, 'attach')
  interfaceCommand(router, 'detach')
  deleteCommand(router, routers, {
    examples: [{ line: 'gantry router delete r1', about: 'after its subnets left it' }],
  })
}

function createCommand(router: Command): void {
  const command = router
    .command('create')
    .description('create a router')
    .argument('<name>')
    .option('--gateway <network>', 'its way out, an external network')
    .option('--subnet <subnet>', 'joins this subnet; may be repeated', collect)
    .action(async (name: string, { gateway, subnet = [] }: { gateway?: string; subnet?: string[] }) => {
      const made = await withApi(command, async (api) => {
        const { id } = await api.json<RouterView>({ method: 'POST', path: routers.path, json: { name } })
        if (gateway !== undefined) await setGateway(api, id, gateway, true)
        for (const one of subnet) await setInterface(api, id, { subnet: one }, 'attach')
        return itemOf(api, routers, id)
      })
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry router create r1 --gateway public --subnet shop', about: 'prints its id' },
    { line: 'gantry router create inner --subnet shop --subnet back', about: 'between the two, without a way out' },
  ])
}

function listCommand(router: Command): void {
  const command = router
    .command('list')
    .alias('ls')
    .description('list routers')
    .action(async () => {
      await printItems(command, await withApi(command, (api) => itemsOf(api, routers)), [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name, shrink: 2 },
        { title: 'WAY OUT', value: ({ gateway }) => gateway?.address ?? 'none' },
        { title: 'INTERFACES', value: interfacesOf, shrink: 1 },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry router list', about: 'a table' }])
}

function showCommand(router: Command): void {
  const command = router
    .command('show')
    .description('show a router')
    .argument('<router>', 'its name or id')
    .action(async (ref: string) => {
      const found = await withApi(command, (api) => itemOf(api, routers, ref))
      const { gateway } = found
      await printItem(command, found, [
        ['Name', found.name],
        ['Id', found.id],
        ['Way out', gateway === null ? 'none' : `${gateway.address}${gateway.snat ? '' : ', without translation'}`],
        ['Interfaces', interfacesOf(found)],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry router show r1 --json', about: 'with ids of ports and subnets' }])
}

function gatewayCommand(router: Command): void {
  const command = router
    .command('gateway')
    .description('set or take away the way out')
    .argument('<router>', 'its name or id')
    .argument('<network>', 'an external network; none: no way out')
    .option('--no-snat', "containers do not go out under the router's address; only floating IPs do")
    .action(async (ref: string, network: string, { snat }: { snat: boolean }) => {
      const changed = await withApi(command, (api) => setGateway(api, ref, network, snat))
      await printMade(command, changed, changed.gateway?.address ?? 'none')
    })
  finish(command, { json: true }, [
    { line: 'gantry router gateway r1 public', about: 'prints its address there' },
    { line: 'gantry router gateway r1 none', about: 'nothing gets out any more' },
  ])
}

function interfaceCommand(router: Command, verb: 'attach' | 'detach'): void {
  const attach = verb === 'attach'
  const command = router
    .command(verb)
    .description(attach ? 'join a subnet, at its gateway address' : 'take a subnet off a router')
    .argument('<router>', 'its name or id')
    .argument('[subnet]', 'name or id of a subnet')
    .option('--port <port>', attach ? 'instead: a port of your own becomes its interface' : 'instead: its port there')
    .action(async (ref: string, subnet: string | undefined, { port }: { port?: string }) => {
      if ((subnet === undefined) === (port === undefined)) throw usage('Name either a subnet or a --port.')
      const changed = await withApi(command, (api) => setInterface(api, ref, { subnet, port }, verb))
      await printMade(command, changed, changed.id)
    })
  finish(command, { json: true }, [{ line: `gantry router ${verb} r1 shop`, about: 'by name or id of the subnet' }])
}

function setGateway(api: Api, ref: string, network: string, snat: boolean): Promise<RouterView> {
  const path = `${itemPath(routers, ref)}/gateway`
  if (network === 'none') return api.json({ method: 'DELETE', path })
  return api.json({ method: 'PUT', path, json: { network, snat } })
}

function setInterface(
  api: Api,
  ref: string,
  which: { readonly subnet?: string | undefined; readonly port?: string | undefined },
  verb: 'attach' | 'detach',
): Promise<RouterView> {
  const path = `${itemPath(routers, ref)}/interfaces`
  if (verb === 'attach') return api.json({ method: 'POST', path, json: which })
  return api.json({ method: 'DELETE', path, query: which })
}

function interfacesOf({ interfaces }: RouterView): string {
  return interfaces.map(({ address }) => address).join(', ') || '-'
}
