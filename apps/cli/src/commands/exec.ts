import type { IncomingMessage } from 'node:http'
import type { Command } from 'commander'
import { type Api, pathOf } from '../client/api.ts'
import { exitCodes, Failure, orNotStarted, usage } from '../failure.ts'
import { type Size, useTerminal } from '../output/terminal.ts'
import { collect, finish, pairsOf, withApi } from './common.ts'

interface ExecOptions {
  readonly interactive?: boolean
  readonly tty?: boolean
  readonly env?: string[]
  readonly workdir?: string
  readonly user?: string
}

export function execCommand(program: Command): void {
  const command = program
    .command('exec')
    .description('run a command in a container that runs')
    .argument('<container>', 'its name or id')
    .argument('<command...>', 'command and arguments')
    .passThroughOptions()
    .option('-i, --interactive', 'give it this stdin')
    .option('-t, --tty', 'give it a terminal')
    .option('-e, --env <key=value>', 'environment variable; KEY alone takes it from here', collect)
    .option('-w, --workdir <path>', 'working directory')
    .option('-u, --user <user>', 'run as this user')
    .action(async (ref: string, words: string[], options: ExecOptions) => {
      process.exitCode = await orNotStarted(() => withApi(command, (api) => exec(api, ref, words, options)))
    })
  finish(command, { json: false }, [
    { line: 'gantry exec web ls -a /', about: 'ends with the exit code of ls' },
    { line: 'gantry exec -it web sh', about: 'a shell' },
    { line: 'gantry exec -i db psql < dump.sql', about: 'streams this file in' },
  ])
  command.addHelpText('after', '\nExit code: that of the command, 125 if it could not be run.')
}

async function exec(api: Api, ref: string, words: readonly string[], options: ExecOptions): Promise<number> {
  const { interactive = false, tty = false, workdir, user } = options
  const terminal = tty && interactive
  if (terminal && !process.stdin.isTTY) throw usage('-t with -i needs a terminal as stdin; leave -t out for a pipe.')
  const args = {
    command: words,
    environment: pairsOf(options.env ?? [], process.env),
    tty,
    ...(workdir === undefined ? {} : { workdir }),
    ...(user === undefined ? {} : { user }),
  }
  const query = { args: Buffer.from(JSON.stringify(args)).toString('base64url') }
  const input = interactive ? { input: process.stdin } : {}
  try {
    const answer = await api.stream({ method: 'POST', path: `${pathOf(ref)}/exec`, query, ...input })
    return await pump(api, ref, answer, terminal)
  } finally {
    // What is typed after the end has no reader any more, and must not keep this process alive.
    if (interactive) process.stdin.destroy()
  }
}

async function pump(api: Api, ref: string, answer: IncomingMessage, terminal: boolean): Promise<number> {
  const { writeStream } = await import('../output/frames.ts')
  const release = terminal ? useTerminal(resizeExec(api, ref, String(answer.headers['x-gantry-exec-id']))) : undefined
  try {
    const exitCode = await writeStream(answer, process).catch(() => undefined)
    if (exitCode !== undefined) return exitCode
    const remedy = 'Whether the command went on is not known.'
    throw new Failure('The connection was lost before the command ended.', { remedy, exitCode: exitCodes.notStarted })
  } finally {
    release?.()
  }
}

/** A command that has just ended has no terminal to resize. */
function resizeExec(api: Api, ref: string, execId: string): (size: Size) => void {
  return ({ rows, columns }) => {
    const query = { rows, columns }
    api.json({ method: 'POST', path: `${pathOf(ref)}/exec/${execId}/resize`, query }).catch(() => {})
  }
}
