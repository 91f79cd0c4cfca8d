import type { HostView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import { finish, wantsJson, withApi } from './common.ts'

export function hostsCommand(program: Command): void {
  const hosts: Command = program
    .command('hosts')
    .description('list hosts (administrators)')
    .action(async () => print(hosts, await withApi(hosts, (api) => api.hosts())))
  finish(hosts, { json: true }, [
    { line: 'gantry hosts', about: 'what there is and what is used of it' },
    { line: "gantry hosts disable node7 --reason 'new disk'", about: 'places nothing new there' },
    { line: 'gantry hosts join-token', about: 'to add a host' },
  ])

  const enable: Command = hosts
    .command('enable')
    .description('let new containers be placed on a host')
    .argument('<host>')
    .action(async (ref: string) => changed(enable, (api) => change(api, ref, 'enable')))
  finish(enable, { json: true }, [{ line: 'gantry hosts enable node7', about: 'takes part again' }])

  const disable: Command = hosts
    .command('disable')
    .description('place nothing new on a host')
    .argument('<host>')
    .option('--reason <text>', 'shown to other administrators')
    .action(async (ref: string, { reason }: { reason?: string }) => {
      await changed(disable, (api) => change(api, ref, 'disable', reason))
    })
  finish(disable, { json: true }, [{ line: 'gantry hosts disable node7', about: 'what runs there goes on' }])

  joinCommand(hosts)
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
  return api.json({ method: 'POST', path: `/v1/hosts/${encodeURIComponent(ref)}/${verb}`, query: { reason } })
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
