import type { SecurityGroupView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { pathOf } from '../client/api.ts'
import {
  type Collection,
  deleteCommand,
  eachOf,
  itemOf,
  itemsOf,
  printItem,
  printItems,
  printMade,
} from './collection.ts'
import { finish, wantsJson, withApi } from './common.ts'
import { ruleCommands, ruleText } from './secgroup-rule.ts'

export const groups: Collection<SecurityGroupView> = {
  noun: 'security group',
  path: '/v1/security-groups',
  key: 'securityGroups',
}

export function secgroupCommand(program: Command): void {
  const secgroup = program
    .command('secgroup')
    .alias('security-group')
    .description('security groups: what may reach containers, and what they may reach')
  finish(secgroup, { json: false }, [
    { line: 'gantry secgroup create web', about: 'may send, is not reached' },
    { line: 'gantry secgroup rule add web tcp 80', about: 'everybody may reach its port 80' },
    { line: 'gantry run -d --security-group web nginx', about: 'a container in it, and not in default' },
  ])
  createCommand(secgroup)
  listCommand(secgroup)
  showCommand(secgroup)
  deleteCommand(secgroup, groups, {
    examples: [{ line: 'gantry secgroup delete web', about: 'refused while a port is in it' }],
  })
  ruleCommands(secgroup, groups)
  memberCommand(secgroup, 'join', 'put a container into a security group', 'POST')
  memberCommand(secgroup, 'leave', 'take a container out of a security group', 'DELETE')
}

function createCommand(secgroup: Command): void {
  const command = secgroup
    .command('create')
    .description('create a security group; its members may send, and are reached only by what rules let in')
    .argument('<name>')
    .option('--description <text>')
    .action(async (name: string, { description }: { description?: string }) => {
      const json = { name, description }
      const call = { method: 'POST', path: groups.path, json } as const
      const made = await withApi(command, (api) => api.json<SecurityGroupView>(call))
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [{ line: 'gantry secgroup create web', about: 'prints its id' }])
}

function listCommand(secgroup: Command): void {
  const command = secgroup
    .command('list')
    .alias('ls')
    .description('list security groups')
    .action(async () => {
      await printItems(command, await withApi(command, (api) => itemsOf(api, groups)), [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name, shrink: 2 },
        { title: 'RULES', value: ({ rules }) => String(rules.length) },
        { title: 'DESCRIPTION', value: ({ description }) => description || '-', shrink: 1 },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry secgroup list', about: 'a table' }])
}

function showCommand(secgroup: Command): void {
  const command = secgroup
    .command('show')
    .description('show a security group and its rules')
    .argument('<group>', 'its name or id')
    .action(async (ref: string) => {
      const [found, all] = await withApi(command, (api) =>
        Promise.all([itemOf(api, groups, ref), itemsOf(api, groups)]),
      )
      await printItem(command, found, [
        ['Name', found.name],
        ['Id', found.id],
        ['Description', found.description],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
      if (wantsJson(command)) return
      const nameOf = new Map(all.map(({ id, name }) => [id, name]))
      const { printTable } = await import('../output/print.ts')
      process.stdout.write('\n')
      await printTable(found.rules, [
        { title: 'RULE', value: ({ id }) => id },
        { title: 'LETS THROUGH', value: (rule) => ruleText(rule, (id) => nameOf.get(id) ?? id) },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry secgroup show default', about: 'what a new container is let do' }])
}

function memberCommand(secgroup: Command, verb: string, description: string, method: 'POST' | 'DELETE'): void {
  const command = secgroup
    .command(verb)
    .description(description)
    .argument('<group>', 'its name or id')
    .argument('<container...>', 'names or ids')
    .action(async (securityGroup: string, refs: string[]) => {
      await withApi(command, (api) =>
        eachOf(refs, async (ref) => {
          const path = `${pathOf(ref)}/security-groups`
          const said = method === 'POST' ? { json: { securityGroup } } : { query: { securityGroup } }
          await api.json({ method, path, ...said })
        }),
      )
    })
  finish(command, { json: false }, [{ line: `gantry secgroup ${verb} web c1 c2`, about: 'all their ports, at once' }])
}
