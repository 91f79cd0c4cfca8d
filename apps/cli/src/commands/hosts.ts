import type { DrainedView, HostView, VerdictsView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import { untilDrained } from './hosts-drain.ts'
import { finish, wantsJson, withApi } from './common.ts'

export function hostsCommand(program: Command): void {
  const hosts: Command = program
    .command('hosts')
    .description('list hosts (administrators)')
    .action(async () => print(hosts, await withApi(hosts, (api) => api.hosts())))
  finish(hosts, { json: true }, [
    { line: 'gantry hosts', about: 'what there is and what is used of it' },
    { line: "gantry hosts cordon node7 --reason 'new disk'", about: 'places nothing new there' },
    { line: 'gantry hosts why web', about: 'what speaks against each host for a container' },
    { line: 'gantry hosts join-token', about: 'to add a host' },
  ])

  const enable: Command = hosts
    .command('uncordon')
    .alias('enable')
    .description('let new containers be placed on a host')
    .argument('<host>')
    .action(async (ref: string) => changed(enable, (api) => change(api, ref, 'enable')))
  finish(enable, { json: true }, [{ line: 'gantry hosts uncordon node7', about: 'takes part again' }])

  const disable: Command = hosts
    .command('cordon')
    .alias('disable')
    .description('place nothing new on a host')
    .argument('<host>')
    .option('--reason <text>', 'shown to other administrators')
    .action(async (ref: string, { reason }: { reason?: string }) => {
      await changed(disable, (api) => change(api, ref, 'disable', reason))
    })
  finish(disable, { json: true }, [{ line: 'gantry hosts cordon node7', about: 'what runs there goes on' }])

  showCommand(hosts)
  whyCommand(hosts)
  drainCommand(hosts)
  removeCommand(hosts)
  joinCommand(hosts)
}

function drainCommand(hosts: Command): void {
  const drain: Command = hosts
    .command('drain')
    .description('place nothing new on a host and move its containers away')
    .argument('<host>')
    .option('--lost', 'the machine does not run any more: do not wait for it')
    .option('--wait', 'until all that can leave has left, and runs elsewhere')
    .action(async (ref: string, { lost, wait }: { lost?: boolean; wait?: boolean }) => {
      const path = `${pathOf(ref)}/drain`
      const drained = await withApi(drain, async (api) => {
        const { name } = await api.json<HostView>({ path: pathOf(ref) })
        const begun = await api.json<DrainedView>({ method: 'POST', path, query: { lost } })
        if (wait) await untilDrained(api, name, begun.moving)
        return begun
      })
      const { printJson, printTable } = await import('../output/print.ts')
      if (wantsJson(drain)) return printJson(drained)
      const all = [...drained.moving.map((one) => ({ ...one, reason: '' })), ...drained.staying]
      await printTable(all, [
        { title: 'CONTAINER', value: ({ name }) => name, shrink: 2 },
        { title: 'PROJECT', value: ({ projectId }) => projectId, shrink: 3 },
        { title: 'WHAT', value: ({ reason }) => (reason === '' ? 'moves' : 'stays') },
        { title: 'WHY', value: ({ reason }) => reason || '-', shrink: 1 },
      ])
    })
  finish(drain, { json: true }, [
    { line: 'gantry hosts drain node7', about: 'before its machine is repaired' },
    { line: 'gantry hosts drain --lost node7', about: 'after it broke, and was switched off' },
  ])
}

function showCommand(hosts: Command): void {
  const show: Command = hosts
    .command('show')
    .description('show what a host is, and what is promised of it')
    .argument('<host>')
    .action(async (ref: string) => {
      const host = await withApi(show, (api) => api.json<HostView>({ path: pathOf(ref) }))
      const { printJson, printProperties } = await import('../output/print.ts')
      if (wantsJson(show)) return printJson(host)
      const { used, limits } = host
      await printProperties([
        ['name', host.name],
        ['id', host.id],
        ['state', stateOf(host)],
        ['reason', host.disabledReason ?? '-'],
        ['zone', host.availabilityZone],
        [
          'containers',
          limits.containers === null ? `${used.containers}` : `${used.containers} of ${limits.containers}`,
        ],
        ['cores promised', `${round(used.cpu)} of ${round(limits.cpu)} (it has ${host.cpus})`],
        ['memory promised', `${used.memory} of ${Math.floor(limits.memory)} MiB (it has ${host.memory})`],
        ['disk promised', `${used.disk} of ${Math.floor(limits.disk)} GiB (it has ${host.disk})`],
        [
          'labels',
          Object.entries(host.labels)
            .map(([label, value]) => `${label}=${value}`)
            .join(' ') || '-',
        ],
        ['engine', host.engine],
        ['runtimes', host.runtimes.join(' ')],
        ['machine', `${host.os}, ${host.kernelVersion}, ${host.architecture}`],
        ['agent', host.agentVersion],
        ['runs in', insideOf(host)],
        ['cut off', host.leases ? 'stops what may then run elsewhere' : 'lets everything run on'],
        ['networks', host.networkProblem ?? 'yes'],
        ['volumes', host.volumeProblem ?? 'yes'],
        ['seen', host.connected ? 'now' : host.lastSeenAt],
      ])
    })
  finish(show, { json: true }, [{ line: 'gantry hosts show node7', about: 'room, labels, engine, problems' }])
}

function whyCommand(hosts: Command): void {
  const why: Command = hosts
    .command('why')
    .description('tell what speaks against each host for a container')
    .argument('<container>', 'id; a name only of your own project')
    .action(async (ref: string) => {
      const path = `/v1/containers/${encodeURIComponent(ref)}/placement`
      const verdicts = await withApi(why, (api) => api.json<VerdictsView>({ path }))
      const { hosts: all, reasons, total, fitting } = verdicts
      const { printJson, printTable } = await import('../output/print.ts')
      if (wantsJson(why)) return printJson(all.length > 0 ? all : verdicts)
      // Which hosts there are only administrators are told.
      if (all.length === 0) {
        process.stderr.write(`${fitting} of ${total} would take it.\n`)
        return printTable(reasons, [
          { title: 'HOSTS', value: ({ hosts: count }) => String(count) },
          { title: 'THEY ARE', value: (reason) => reason.why },
          { title: 'WHAT TO DO', value: ({ remedy }) => remedy, shrink: 0 },
        ])
      }
      await printTable(all, [
        { title: 'HOST', value: ({ name }) => name, shrink: 1 },
        { title: 'MAY RUN', value: ({ refusals }) => (refusals.length === 0 ? 'yes' : 'no') },
        { title: 'THERE', value: ({ isThere }) => (isThere ? 'yes' : '-') },
        { title: 'THE HOST IS', value: ({ refusals }) => refusals.join('; ') || '-', shrink: 0 },
      ])
    })
  finish(why, { json: true }, [{ line: 'gantry hosts why web', about: 'as if it were on no host' }])
}

function removeCommand(hosts: Command): void {
  const remove: Command = hosts
    .command('remove')
    .description('forget a host whose agent has ended and that holds no containers')
    .argument('<host>')
    .action(async (ref: string) => {
      await withApi(remove, (api) => api.stream({ method: 'DELETE', path: pathOf(ref) }))
    })
  finish(remove, { json: false }, [
    { line: 'gantry hosts remove node7', about: 'it needs a new join token to come back' },
  ])
}

function joinCommand(hosts: Command): void {
  const join: Command = hosts
    .command('join-token')
    .description('make a token with which one new host may join')
    .action(async () => {
      const made = await withApi(join, (api) =>
        api.json<{ token: string; expiresAt: string }>({ method: 'POST', path: '/v1/hosts/join-tokens' }),
      )
      const { printJson } = await import('../output/print.ts')
      if (wantsJson(join)) return printJson(made)
      process.stdout.write(`${made.token}\n`)
      process.stderr.write(`It can be used once, until ${made.expiresAt}.\n`)
    })
  finish(join, { json: true }, [{ line: 'gantry hosts join-token > token', about: 'only the token goes to the file' }])
}

function change(api: Api, ref: string, verb: string, reason?: string): Promise<HostView> {
  return api.json({ method: 'POST', path: `${pathOf(ref)}/${verb}`, query: { reason } })
}

function pathOf(ref: string): string {
  return `/v1/hosts/${encodeURIComponent(ref)}`
}

async function changed(command: Command, work: (api: Api) => Promise<HostView>): Promise<void> {
  await print(command, [await withApi(command, work)])
}

async function print(command: Command, hosts: readonly HostView[]): Promise<void> {
  const { printJson, printTable } = await import('../output/print.ts')
  if (wantsJson(command)) return printJson(hosts)
  const { ago } = await import('../output/words.ts')
  const now = Date.now()
  await printTable(hosts, [
    { title: 'NAME', value: ({ name }) => name, shrink: 2 },
    { title: 'STATE', value: stateOf },
    { title: 'ZONE', value: ({ availabilityZone }) => availabilityZone, shrink: 3 },
    { title: 'CONTAINERS', value: ({ used }) => String(used.containers) },
    { title: 'CPU', value: ({ used, cpus }) => `${round(used.cpu)} of ${cpus}` },
    { title: 'MEMORY MiB', value: ({ used, memory }) => `${used.memory} of ${memory}` },
    { title: 'ENGINE', value: ({ engine }) => engine, shrink: 1 },
    { title: 'SEEN', value: ({ lastSeenAt, connected }) => (connected ? 'now' : ago(lastSeenAt, now)) },
    { title: 'REASON', value: ({ disabledReason }) => disabledReason ?? '-', shrink: 0 },
  ])
}

function stateOf({ connected, disabled, forcedDown }: HostView): string {
  if (forcedDown) return 'forced down'
  return `${connected ? 'connected' : 'away'}${disabled ? ', disabled' : ''}`
}

function round(cores: number): number {
  return Math.round(cores * 100) / 100
}

/** A bare machine is nothing's guest. */
function insideOf({ virtualization, instance }: HostView): string {
  const kind = virtualization === 'none' ? 'nothing: it is bare metal' : (virtualization ?? 'unknown')
  return instance === null ? kind : `${kind}, server ${instance}`
}
