import type { EventView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { finish, wantsJson, withApi } from './common.ts'

export function eventsCommand(program: Command): void {
  const command = program
    .command('events')
    .description('print what happens to containers, as it happens, until Ctrl-C')
    .option('--all-projects', 'in every project (administrators)')
    .action(async ({ allProjects = false }: { allProjects?: boolean }) => {
      const json = wantsJson(command)
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
  ])
}

function lineOf({ at, name, id, status, statusReason, exitCode, gone }: EventView): string {
  const what = gone ? 'Gone' : exitCode === null || status === 'Running' ? status : `${status} (${exitCode})`
  return [at, id, name, what, ...(statusReason === null ? [] : [statusReason])].join('  ')
}
