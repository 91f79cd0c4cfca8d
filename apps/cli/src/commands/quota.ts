import type { Command } from 'commander'
import type { QuotaUse } from '../client/api.ts'
import { usage } from '../failure.ts'
import { finish, wantsJson, withApi } from './common.ts'

const resources = ['containers', 'cpu', 'memory', 'disk'] as const
const unitOf = { containers: '', cpu: 'cores', memory: 'MiB', disk: 'GiB' } as const
type Limits = Partial<Record<(typeof resources)[number], string>>

export function quotaCommand(program: Command): void {
  const quota: Command = program
    .command('quota')
    .description('show limits and what is used of them')
    .option('--project <id>', 'of this project (administrators)')
    .action(async ({ project }: { project?: string }) => {
      const path = project === undefined ? '/v1/quotas' : pathOf(project)
      await print(quota, await withApi(quota, (api) => api.json<QuotaUse>({ path })))
    })
  finish(quota, { json: true }, [
    { line: 'gantry quota', about: 'of your own project' },
    {
      line: 'gantry quota set 5f3a… --containers 100 --cpu -1',
      about: 'a project may run 100, on any number of cores',
    },
  ])
  setCommand(quota)
}

function setCommand(quota: Command): void {
  const set: Command = quota
    .command('set')
    .description('change limits of a project (administrators); -1 is no limit')
    .argument('<project>', 'its id')
    .option('--containers <count>')
    .option('--cpu <cores>')
    .option('--memory <MiB>')
    .option('--disk <GiB>')
    .action(async (project: string, limits: Limits) => {
      const json = limitsOf(limits)
      const use = await withApi(set, async (api) => {
        await api.json({ method: 'PATCH', path: pathOf(project), json })
        return api.json<QuotaUse>({ path: pathOf(project) })
      })
      await print(set, use)
    })
  finish(set, { json: true }, [{ line: 'gantry quota set 5f3a… --memory 65536', about: '64 GiB' }])
}

function pathOf(project: string): string {
  return `/v1/quotas/${encodeURIComponent(project)}`
}

function limitsOf(limits: Limits): Record<string, number> {
  const asked = resources.filter((name) => limits[name] !== undefined)
  if (asked.length === 0) throw usage(`Name at least one of ${resources.map((name) => `--${name}`).join(', ')}.`)
  return Object.fromEntries(
    asked.map((name) => {
      const number = Number(limits[name])
      if (!(number >= -1)) throw usage(`--${name} must be a number, or -1 for no limit.`)
      return [name, number]
    }),
  )
}

async function print(command: Command, use: QuotaUse): Promise<void> {
  const { printJson, printTable } = await import('../output/print.ts')
  if (wantsJson(command)) return printJson(use)
  await printTable(resources, [
    { title: 'RESOURCE', value: (name) => name },
    { title: 'USED', value: (name) => String(use.used[name] ?? 0) },
    { title: 'LIMIT', value: (name) => (use.limits[name] === -1 ? 'none' : String(use.limits[name] ?? '-')) },
    { title: 'UNIT', value: (name) => unitOf[name] },
  ])
}
