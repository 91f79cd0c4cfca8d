import { type Command, InvalidArgumentError } from 'commander'
import { type Api, pathOf } from '../client/api.ts'
import type { Query } from '../client/http.ts'
import { Failure } from '../failure.ts'
import { finish, withApi } from './common.ts'

export interface LogsOptions {
  readonly follow?: boolean
  readonly tail?: string
  /** Epoch seconds. */
  readonly since?: number
  readonly timestamps?: boolean
}

export function logsCommand(program: Command): void {
  const command = program
    .command('logs')
    .description('print what a container wrote')
    .argument('<container>', 'its name or id')
    .option('-f, --follow', 'stay, and print lines as they are written')
    .option('-n, --tail <lines>', 'only so many from the end', tailOf)
    .option('--since <time>', 'only later ones: 10m, 2h, or 2026-01-31T12:00:00Z', sinceOf)
    .option('-t, --timestamps', 'a time before each line')
    .action(async (ref: string, options: LogsOptions) => {
      await withApi(command, (api) => readLogs(api, ref, options))
    })
  finish(command, { json: false }, [
    { line: 'gantry logs web', about: 'all of it' },
    { line: 'gantry logs -f --tail 20 web', about: 'the last 20 lines, then whatever comes' },
    { line: 'gantry logs --since 10m -t web', about: 'the last ten minutes, with times' },
  ])
}

/** Writes the log to stdout and stderr, as the container did. */
export async function readLogs(api: Api, ref: string, options: LogsOptions): Promise<void> {
  const { follow, tail, since, timestamps } = options
  const query: Query = {
    follow: follow || undefined,
    timestamps: timestamps || undefined,
    tail,
    since: since === undefined ? undefined : since.toFixed(3),
  }
  const { writeStream } = await import('../output/frames.ts')
  const answer = await api.stream({ path: `${pathOf(ref)}/logs`, query })
  try {
    await writeStream(answer, process)
  } catch (error) {
    const remedy = 'The container may still run; try again.'
    throw new Failure('The log was cut off before its end.', { remedy, cause: error })
  }
}

function tailOf(text: string): string {
  if (!/^(\d{1,9}|all)$/.test(text)) throw new InvalidArgumentError('It must be a whole number, or all.')
  return text
}

/** Epoch seconds from an age (`90s`, `10m`, `2h`, `1d`), a date, or epoch seconds. */
function sinceOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400 }[unit]
  if (seconds !== undefined) return Math.max(0, Date.now() / 1000 - Number(count) * seconds)
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new InvalidArgumentError('Write it as 10m, 2h, or a date and time.')
  return at / 1000
}
