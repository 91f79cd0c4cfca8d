import type { InstanceListView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { finish, wantsJson, withApi } from './common.ts'

export function instancesCommand(program: Command): void {
  const list: Command = program
    .command('instances')
    .description('list the hosts that were made on demand (administrators)')
    .action(async () => {
      const { instances } = await withApi(list, (api) => api.json<InstanceListView>({ path: '/v1/instances' }))
      const { printJson, printTable } = await import('../output/print.ts')
      if (wantsJson(list)) return printJson(instances)
      const { ago } = await import('../output/words.ts')
      const now = Date.now()
      await printTable(instances, [
        { title: 'NAME', value: ({ name }) => name, shrink: 3 },
        { title: 'STATE', value: ({ state }) => state },
        { title: 'CONTAINERS', value: ({ containers }) => String(containers) },
        { title: 'SINCE', value: ({ since }) => ago(since, now) },
        { title: 'PROJECT', value: ({ projectId }) => projectId ?? 'all', shrink: 2 },
        { title: 'AT PROVIDER', value: ({ providerId }) => providerId ?? '-', shrink: 2 },
        { title: 'WHY', value: ({ reason }) => reason ?? '-', shrink: 1 },
      ])
    })
  finish(list, { json: true }, [{ line: 'gantry instances', about: 'what was made, and what became of it' }])
}
