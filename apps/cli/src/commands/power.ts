import type { ContainerView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import type { ContainerWatch } from '../client/watch.ts'
import { Failure } from '../failure.ts'
import { type Example, finish, wholeNumber, withApi } from './common.ts'

interface PowerOptions {
  readonly time?: number
  readonly force?: boolean
  readonly wait: boolean
}

/** start, stop, restart, rm: each takes several containers, asks for all at once, and waits until it is so. */
export function powerCommands(program: Command): void {
  const start = power(program, 'start', 'start containers that were created or have ended', async (api, ref) => {
    return api.act(ref, 'start')
  })
  finish(start, { json: false }, [{ line: 'gantry start web db', about: 'both at once' }])

  const stop = power(program, 'stop', 'stop containers', async (api, ref, options) => {
    return api.act(ref, 'stop', { graceSeconds: options.time })
  }).option('--time <seconds>', 'so long between the request to end and the end (default: 10)', wholeNumber)
  finish(stop, { json: false }, [{ line: 'gantry stop --time 60 db', about: 'gives it a minute' }])

  const restart = power(
    program,
    'restart',
    'stop containers if they run, and start them',
    async (api, ref, options) => {
      return api.act(ref, 'restart', { graceSeconds: options.time })
    },
  ).option('--time <seconds>', 'so long between the request to end and the end (default: 10)', wholeNumber)
  finish(restart, { json: false }, [{ line: 'gantry restart web', about: 'the same container, from its beginning' }])

  moveCommand(program)
  removeCommand(program)
}

interface MoveOptions extends PowerOptions {
  readonly to?: string
  readonly lost?: boolean
}

function moveCommand(program: Command): void {
  const move = power(
    program,
    'move',
    'make containers anew on another host, with their volumes and addresses (administrators)',
    (api, ref, { to, lost }: MoveOptions) => api.act(ref, 'move', { to, lost }),
  )
    .option('--to <host>', 'name or id of the host; any other that fits if left out')
    .option('--lost', 'their host does not run any more: do not wait for it')
  finish(move, { json: false }, [
    { line: 'gantry move web', about: 'what it wrote outside its volumes stays behind' },
    { line: 'gantry move --lost db', about: 'after its machine was switched off for good' },
  ])
}

const removeExamples: Example[] = [
  { line: 'gantry rm web', about: 'refuses while it runs' },
  { line: 'gantry rm -f web db', about: 'kills them first' },
]

function removeCommand(program: Command): void {
  const command = program
    .command('rm')
    .alias('delete')
    .description('delete containers')
    .argument('<container...>', 'names or ids')
    .option('-f, --force', 'kill them first if they run')
    .option('--no-wait', 'do not wait until they are gone')
    .action(async (refs: string[], options: PowerOptions) => {
      await withApi(command, (api) =>
        eachOf(api, refs, options, async (ref, watch) => {
          const { id, status } = await api.container(ref)
          // To delete by force is not to wait for a process that does not want to end.
          if (options.force && status === 'Running') await api.act(id, 'kill').catch(() => {})
          await api.delete(id, options.force ? { stop: true } : {})
          await watch?.until(id, () => false)
        }),
      )
    })
  finish(command, { json: false }, removeExamples)
}

type Ask = (api: Api, ref: string, options: PowerOptions) => Promise<ContainerView>

function power(program: Command, verb: string, description: string, ask: Ask): Command {
  const command: Command = program
    .command(verb)
    .description(description)
    .argument('<container...>', 'names or ids')
    .option('--no-wait', 'do not wait until it is so')
    .action(async (refs: string[], options: PowerOptions) => {
      await withApi(command, (api) =>
        eachOf(api, refs, options, async (ref, watch) => {
          const { id } = await ask(api, ref, options)
          const outcome = await watch?.until(id, ({ task }) => task === null)
          if (outcome?.gone === false && outcome.container.status === 'Error') {
            throw new Failure(outcome.container.statusReason ?? 'It is in Error.')
          }
        }),
      )
    })
  return command
}

/** Does it for all at once and prints each that is done; fails at the end if any failed. */
async function eachOf(
  api: Api,
  refs: readonly string[],
  { wait }: PowerOptions,
  work: (ref: string, watch: ContainerWatch | undefined) => Promise<void>,
): Promise<void> {
  const { ContainerWatch } = await import('../client/watch.ts')
  await using watch = wait ? await ContainerWatch.open(api) : undefined
  const results = await Promise.allSettled(
    refs.map(async (ref) => {
      await work(ref, watch)
      process.stdout.write(`${ref}\n`)
    }),
  )
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const [first, ...others] = failures
  if (first === undefined) return
  for (const failure of others) process.stderr.write(`gantry: ${failure instanceof Error ? failure.message : ''}\n`)
  throw first
}
