import type { ContainerView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Column } from '../output/table.ts'
import { finish, wantsJson, withApi } from './common.ts'

interface PsOptions {
  readonly all?: boolean
  readonly allProjects?: boolean
  readonly quiet?: boolean
}

export function psCommand(program: Command): void {
  const command = program
    .command('ps')
    .alias('list')
    .description('list containers; those that ended only with -a')
    .option('-a, --all', 'those that ended too')
    .option('-q, --quiet', 'ids only')
    .option('--all-projects', 'those of every project (administrators)')
    .action(async (options: PsOptions) => {
      const { all = false, allProjects = false, quiet = false } = options
      const query = allProjects ? { allProjects } : {}
      const found = await withApi(command, (api) => api.containers(query))
      const shown = all ? found : found.filter(({ status }) => !ended.has(status))
      await print(shown, { json: wantsJson(command), quiet, allProjects })
    })
  finish(command, { json: true }, [
    { line: 'gantry ps', about: 'what runs' },
    { line: 'gantry ps -a --json', about: 'everything, for a program' },
    { line: 'gantry rm -f $(gantry ps -aq)', about: 'deletes all of them' },
  ])
}

const ended: ReadonlySet<string> = new Set(['Created', 'Stopped', 'Deleted', 'Dead', 'Error'])

async function print(
  containers: readonly ContainerView[],
  { json, quiet, allProjects }: { json: boolean; quiet: boolean; allProjects: boolean },
): Promise<void> {
  const { printJson, printTable } = await import('../output/print.ts')
  if (json) return printJson(containers)
  if (quiet) return void process.stdout.write(containers.map(({ id }) => `${id}\n`).join(''))
  const { ago, statusText } = await import('../output/words.ts')
  const now = Date.now()
  const project: Column<ContainerView> = { title: 'PROJECT', value: ({ projectId }) => projectId, shrink: 3 }
  // Shown to administrators only.
  const host: Column<ContainerView> = { title: 'HOST', value: ({ host }) => host ?? '-', shrink: 5 }
  const ports: Column<ContainerView> = {
    title: 'PUBLISHED',
    value: ({ published }) =>
      published
        .map((each) => `${each.address}:${each.publicPort}->${each.containerPort}/${each.protocol}`)
        .join(', ') || '-',
    shrink: 6,
  }
  await printTable(containers, [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name, shrink: 4 },
    ...(allProjects ? [project] : []),
    { title: 'IMAGE', value: ({ image }) => image, shrink: 2 },
    { title: 'COMMAND', value: ({ command }) => shortened(command.join(' ')) || '-', shrink: 1 },
    { title: 'STATUS', value: (container) => statusText(container, now) },
    { title: 'CREATED', value: ({ createdAt }) => ago(createdAt, now) },
    ...(containers.some(({ host }) => host !== null) ? [host] : []),
    ...(containers.some(({ published }) => published.length > 0) ? [ports] : []),
    { title: 'ADDRESS', value: ({ addresses }) => addresses.map(({ address }) => address).join(',') || '-' },
  ])
}

/** A whole script may be somebody's command; `show` and --json have it all. */
function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
