import type { ChangeView, EventView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { finish, wantsJson, withApi } from './common.ts'

export function eventsCommand(program: Command): void {
  const command = program
    .command('events')
    .description('print what happens to containers, as it happens, until Ctrl-C')
    .option('--all-projects', 'in every project (administrators)')
    .option('--since <cursor>', 'what was written down of changes since then; now, or 0 for all that is kept')
    .option('-t, --type <type...>', 'with --since: only these, as container.* or volume.delete')
    .option('--object <id>', 'with --since: only of this one')
    .option('--no-follow', 'with --since: end with the last that there is')
    .action(async (options: EventOptions) => {
      const { allProjects = false, since } = options
      const json = wantsJson(command)
      if (since !== undefined) return printChanges(command, since, options)
      await withApi(command, async (api) => {
        const { openEvents } = await import('../client/events.ts')
        const events = await openEvents(api, allProjects, new AbortController().signal)
        try {
          for await (const event of events) process.stdout.write(`${json ? JSON.stringify(event) : lineOf(event)}\n`)
        } catch (error) {
          throw new Failure('The connection to the server was lost.', { remedy: 'Start it again.', cause: error })
        }
        throw new Failure('The server ended the stream.', { remedy: 'Start it again.' })
      })
    })
  finish(command, { json: true }, [
    { line: 'gantry events', about: 'one line an event' },
    { line: 'gantry events --json | jq .status', about: 'one JSON object a line' },
    { line: 'gantry events --since 0 --no-follow', about: 'all that is kept; each has a cursor to go on from' },
  ])
}

interface EventOptions {
  readonly allProjects?: boolean
  readonly since?: string
  readonly type?: string[]
  readonly object?: string
  readonly follow?: boolean
}

async function printChanges(command: Command, since: string, options: EventOptions): Promise<void> {
  const { allProjects = false, type, object, follow = true } = options
  const json = wantsJson(command)
  const { readChanges } = await import('../client/changes.ts')
  const query = {
    since,
    follow,
    ...(allProjects && { allProjects }),
    ...(type && { types: type.join(',') }),
    ...(object !== undefined && { object }),
  }
  await withApi(command, async (api) => {
    for await (const change of readChanges(api, query)) {
      process.stdout.write(`${json ? JSON.stringify(change) : changeLine(change)}\n`)
    }
  })
}

function changeLine({ at, cursor, type, objectId, data }: ChangeView): string {
  const words = [data['name'], data['status'], data['error']].filter((word) => typeof word === 'string')
  return [at, cursor, type, objectId, ...words].join('  ')
}

function lineOf({ at, name, id, status, statusReason, exitCode, gone }: EventView): string {
  const what = gone ? 'Gone' : exitCode === null || status === 'Running' ? status : `${status} (${exitCode})`
  return [at, id, name, what, ...(statusReason === null ? [] : [statusReason])].join('  ')
}
