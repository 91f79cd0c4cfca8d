import type { ContainerView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { type Api, pathOf } from '../client/api.ts'
import { exitCodes, Failure, usage } from '../failure.ts'
import { useTerminal, windowSize } from '../output/terminal.ts'
import { finish, withApi } from './common.ts'

interface AttachOptions {
  /** false: look on only. */
  readonly stdin: boolean
}

export function attachCommand(program: Command): void {
  const command = program
    .command('attach')
    .description('connect this terminal to a container that runs and is interactive')
    .argument('<container>', 'its name or id')
    .option('--no-stdin', 'look on only')
    .action(async (ref: string, options: AttachOptions) => {
      process.exitCode = await withApi(command, (api) => attach(api, ref, options))
    })
  finish(command, { json: false }, [
    { line: 'gantry attach box', about: 'its terminal is yours; Ctrl-P Ctrl-Q leaves it running' },
    { line: 'gantry attach --no-stdin box', about: 'watches' },
  ])
  command.addHelpText('after', '\nExit code: that of the container if it ends meanwhile, 0 if you leave it.')
}

async function attach(api: Api, ref: string, { stdin }: AttachOptions): Promise<number> {
  const { ContainerWatch } = await import('../client/watch.ts')
  await using watch = await ContainerWatch.open(api)
  const container = await api.container(ref)
  const { id, startedAt } = container
  if ((await attachOnce(api, container, { stdin })) === 'left') return 0
  const outcome = await watch.until(
    id,
    (now) => now.task === null && (now.status !== 'Running' || now.startedAt !== startedAt),
  )
  return (outcome.gone ? outcome.exitCode : outcome.container.exitCode) ?? 0
}

/**
 * This terminal, or these pipes, as the container's own until its process ends or the user leaves. A terminal is used as
 * one only if the container has one too.
 */
export async function attachOnce(
  api: Api,
  { id, name, tty }: ContainerView,
  { stdin }: AttachOptions,
): Promise<'ended' | 'left'> {
  const terminal = tty && stdin
  if (terminal && !process.stdin.isTTY) {
    throw usage(`${name} has a terminal, so it needs one as stdin here; --no-stdin only looks on.`)
  }
  const [{ writeStream }, { detachKeys }] = await Promise.all([
    import('../output/frames.ts'),
    import('../output/detach-keys.ts'),
  ])
  const leaving = new AbortController()
  const input = terminal ? process.stdin.pipe(detachKeys(() => leaving.abort())) : process.stdin
  const call = { method: 'POST', path: `${pathOf(id)}/attach`, signal: leaving.signal }
  let release: (() => void) | undefined
  try {
    const answer = await api.stream(stdin ? { ...call, input } : call)
    release = terminal ? ownTerminal(api, id) : undefined
    await writeStream(answer, process)
    return 'ended'
  } catch (error) {
    if (!leaving.signal.aborted) throw error instanceof Failure ? error : lost(error)
    return 'left'
  } finally {
    release?.()
    // What is typed after the end has no reader any more, and must not keep this process alive.
    if (stdin) process.stdin.destroy()
    if (leaving.signal.aborted)
      process.stderr.write(`\nLeft ${name}, which runs on; \`gantry attach ${name}\` gets back.\n`)
  }
}

function lost(cause: unknown): Failure {
  const remedy = 'The container may still run: `gantry ps` tells, `gantry attach` gets back.'
  return new Failure('The connection to the container was lost.', { remedy, cause, exitCode: exitCodes.notStarted })
}

/**
 * A program draws its prompt before anybody is there to see it. Told of a new size of its window it draws again; so it is
 * told one that is a little larger first.
 */
function ownTerminal(api: Api, id: string): () => void {
  let told: Promise<unknown> = Promise.resolve()
  const tell = (rows: number, columns: number): void => {
    // In order, and a container that has just ended has no terminal to resize.
    told = told
      .then(() => api.json({ method: 'POST', path: `${pathOf(id)}/resize`, query: { rows, columns } }))
      .catch(() => {})
  }
  const { rows, columns } = windowSize()
  tell(rows + 1, columns + 1)
  return useTerminal((size) => tell(size.rows, size.columns))
}
