import type { ServerListView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { finish, wantsJson, withApi } from './common.ts'

export function serversCommand(program: Command): void {
  const list: Command = program
    .command('servers')
    .description('list the servers of this cloud (administrators)')
    .action(async () => {
      const { servers } = await withApi(list, (api) => api.json<ServerListView>({ path: '/v1/servers' }))
      const { printJson, printTable } = await import('../output/print.ts')
      if (wantsJson(list)) return printJson(servers)
      const { ago } = await import('../output/words.ts')
      const now = Date.now()
      await printTable(servers, [
        { title: 'NAME', value: ({ name }) => name, shrink: 2 },
        { title: 'VERSION', value: ({ version }) => version },
        { title: 'HOSTS', value: ({ hosts }) => String(hosts) },
        { title: 'SINCE', value: ({ startedAt }) => ago(startedAt, now) },
        { title: 'AGENTS AT', value: ({ agents }) => agents ?? '-', shrink: 1 },
        { title: 'THIS', value: ({ isThis }) => (isThis ? 'yes' : '-') },
        { title: 'ID', value: ({ id }) => id, shrink: 3 },
      ])
    })
  finish(list, { json: true }, [{ line: 'gantry servers', about: 'which there are, and how many hosts hang on each' }])
}
