import type { Command } from 'commander'
import type { QuotaUse } from '../client/api.ts'
import { usage } from '../failure.ts'
import { finish, wantsJson, withApi } from './common.ts'

/** As the API calls them. */
const resources = ['containers', 'cpu', 'memory', 'disk', 'imageBytes'] as const
const unitOf = { containers: '', cpu: 'cores', memory: 'MiB', disk: 'GiB', imageBytes: 'GiB' } as const
const optionOf = { containers: 'containers', cpu: 'cpu', memory: 'memory', disk: 'disk', imageBytes: 'images' } as const
const gibibyte = 2 ** 30
type Option = (typeof optionOf)[keyof typeof optionOf]
type Limits = Partial<Record<Option, string>>

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
    .option('--images <GiB>', 'of images in the registry')
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
  const asked = resources.filter((name) => limits[optionOf[name]] !== undefined)
  if (asked.length === 0) {
    throw usage(`Name at least one of ${resources.map((name) => `--${optionOf[name]}`).join(', ')}.`)
  }
  return Object.fromEntries(
    asked.map((name) => {
      const number = Number(limits[optionOf[name]])
      if (!(number >= -1)) throw usage(`--${optionOf[name]} must be a number, or -1 for no limit.`)
      return [name, name === 'imageBytes' && number > 0 ? Math.round(number * gibibyte) : number]
    }),
  )
}

async function print(command: Command, use: QuotaUse): Promise<void> {
  const { printJson, printTable } = await import('../output/print.ts')
  if (wantsJson(command)) return printJson(use)
  await printTable(resources, [
    { title: 'RESOURCE', value: (name) => optionOf[name] },
    { title: 'USED', value: (name) => amount(name, use.used[name] ?? 0) },
    { title: 'LIMIT', value: (name) => (use.limits[name] === -1 ? 'none' : amount(name, use.limits[name] ?? 0)) },
    { title: 'UNIT', value: (name) => unitOf[name] },
  ])
}

function amount(name: (typeof resources)[number], count: number): string {
  return name === 'imageBytes' ? String(Number((count / gibibyte).toFixed(2))) : String(count)
}
