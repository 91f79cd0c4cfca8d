import type { RuleView, SecurityGroupView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import { type Collection, eachOf, itemPath, printMade } from './collection.ts'
import { finish, withApi } from './common.ts'

interface RuleOptions {
  readonly ingress?: boolean
  readonly egress?: boolean
  readonly from?: string
  readonly fromGroup?: string
  readonly to?: string
  readonly toGroup?: string
  readonly ipv6?: boolean
}

export function ruleCommands(secgroup: Command, groups: Collection<SecurityGroupView>): void {
  const rule = secgroup.command('rule').description('what a security group lets through')
  finish(rule, { json: false }, [
    { line: 'gantry secgroup rule add web --ingress tcp 80 --from 0.0.0.0/0', about: 'everybody' },
    { line: 'gantry secgroup rule add db tcp 5432 --from-group web', about: 'members of web only' },
    { line: 'gantry secgroup rule remove web 8c2f…', about: 'by id, as `secgroup show` has it' },
  ])
  addCommand(rule, groups)
  removeCommand(rule, groups)
}

function addCommand(rule: Command, groups: Collection<SecurityGroupView>): void {
  const command = rule
    .command('add')
    .description('let something through')
    .argument('<group>', 'name or id of the security group')
    .argument('[protocol]', 'tcp, udp, icmp, icmpv6, sctp, a number, or any', 'any')
    .argument('[ports]', '80 or 8000-8080; for icmp its type, or type-code')
    .option('--ingress', 'to its members (this is the default)')
    .option('--egress', 'from its members')
    .option('--from <cidr>', 'only from these addresses')
    .option('--from-group <group>', 'only from members of this security group')
    .option('--to <cidr>', 'with --egress: only to these addresses')
    .option('--to-group <group>', 'with --egress: only to members of this security group')
    .option('--ipv6', 'IPv6, where the addresses do not say it')
    .action(async (group: string, protocol: string, ports: string | undefined, options: RuleOptions) => {
      const json = ruleFields(protocol, ports, options)
      const path = `${itemPath(groups, group)}/rules`
      const made = await withApi(command, (api) => api.json<RuleView>({ method: 'POST', path, json }))
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry secgroup rule add web --ingress tcp 80 --from 0.0.0.0/0', about: 'everybody reaches port 80' },
    { line: 'gantry secgroup rule add web tcp 8000-8080 --from ::/0', about: 'over IPv6' },
    { line: 'gantry secgroup rule add web icmp', about: 'may be pinged' },
    { line: 'gantry secgroup rule add db tcp 5432 --from-group web', about: 'members of web only' },
    {
      line: 'gantry secgroup rule add inner --egress udp 53 --to 10.0.0.0/8',
      about: 'beside what it may send already',
    },
  ])
}

function removeCommand(rule: Command, groups: Collection<SecurityGroupView>): void {
  const command = rule
    .command('remove')
    .alias('rm')
    .description('remove rules')
    .argument('<group>', 'name or id of the security group')
    .argument('<rule...>', 'ids, as `gantry secgroup show` has them')
    .action(async (group: string, ids: string[]) => {
      const rules = `${itemPath(groups, group)}/rules`
      await withApi(command, (api) =>
        eachOf(ids, (id) => api.json({ method: 'DELETE', path: `${rules}/${encodeURIComponent(id)}` })),
      )
    })
  finish(command, { json: false }, [{ line: 'gantry secgroup rule remove web 8c2f…', about: 'what is open is cut' }])
}

/** What the words of `secgroup rule add` ask for. Throws a `Failure` of usage for those that contradict each other. */
export function ruleFields(protocol: string, ports: string | undefined, options: RuleOptions) {
  return { ...sidesOf(options), ...protocolOf(protocol, ports) }
}

function sidesOf({ ingress, egress, from, fromGroup, to, toGroup, ipv6 }: RuleOptions) {
  if (ingress && egress) throw usage('A rule is either --ingress or --egress.')
  if (egress && (from ?? fromGroup) !== undefined) throw usage('With --egress it is --to and --to-group.')
  if (!egress && (to ?? toGroup) !== undefined) throw usage('--to and --to-group are for --egress.')
  const remotePrefix = from ?? to
  const remoteGroup = fromGroup ?? toGroup
  if (remotePrefix !== undefined && remoteGroup !== undefined) throw usage('Name addresses or a group, not both.')
  return { direction: egress ? 'egress' : 'ingress', remotePrefix, remoteGroup, ...(ipv6 ? { version: 6 } : {}) }
}

function protocolOf(protocol: string, ports: string | undefined) {
  const known = protocol.toLowerCase() === 'any' ? null : protocol.toLowerCase()
  if (ports === undefined) return { protocol: known }
  const [, first = '', last = first] = /^(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(ports) ?? []
  if (first === '') throw usage(`${ports} is no port: write 80 or 8000-8080.`)
  const isType = known?.startsWith('icmp') === true
  // A type alone means every code of it.
  const end = isType && !/[-:]/.test(ports) ? null : Number(last)
  return { protocol: known, portMin: Number(first), portMax: end }
}

/** `in: tcp 80 from 0.0.0.0/0`, for a person. */
export function ruleText(rule: RuleView, groupName: (id: string) => string): string {
  const { direction, version, protocol, portMin, portMax, remotePrefix, remoteGroupId } = rule
  const range =
    portMin === null ? '' : portMax === null || portMax === portMin ? ` ${portMin}` : ` ${portMin}-${portMax}`
  const family = version === 6 && remotePrefix === null ? ' (IPv6)' : ''
  const whom = remotePrefix ?? (remoteGroupId === null ? 'anywhere' : `group ${groupName(remoteGroupId)}`)
  const way = direction === 'ingress' ? 'from' : 'to'
  return `${direction === 'ingress' ? 'in ' : 'out'}  ${protocol ?? 'anything'}${range} ${way} ${whom}${family}`
}
