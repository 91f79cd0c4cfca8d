import { Fault, reasonOf } from '@gantry/kernel'
import { type Logger, pino } from 'pino'
import { UsageError } from './options.ts'

interface PluginSettings {
  readonly logLevel: string
  readonly name: string
  readonly socket: string
}

export interface PluginProgram<Settings extends PluginSettings> {
  /** `kuryr`, of `gantry kuryr`. */
  readonly word: string
  readonly usage: string
  readonly read: (args: readonly string[], env: NodeJS.ProcessEnv) => Settings
  /** The host as the log is to name it. */
  readonly hostOf: (settings: Settings) => string
  readonly start: (
    settings: Settings,
    env: NodeJS.ProcessEnv,
    log: Logger,
  ) => Promise<{ readonly close: () => Promise<void> }>
}

/** One of Docker's plugins as a program of its own: serves until it is asked to end. Ends the process. */
export async function runPlugin<Settings extends PluginSettings>(program: PluginProgram<Settings>): Promise<void> {
  try {
    await serve(program)
    process.exit(0)
  } catch (error) {
    const expected = error instanceof UsageError || error instanceof Fault
    console.error(`gantry ${program.word}: ${reasonOf(error)}`)
    if (error instanceof UsageError) console.error('\nTry --help.')
    if (!expected && error instanceof Error) console.error(error.stack)
    process.exit(error instanceof UsageError ? 2 : 1)
  }
}

async function serve<Settings extends PluginSettings>({
  word,
  usage,
  read,
  hostOf,
  start,
}: PluginProgram<Settings>): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage)
    return
  }
  const settings = read(args, process.env)
  const log = pino({ level: settings.logLevel, base: { [word]: settings.name } })
  const ending = Promise.withResolvers<string>()
  process.on('SIGTERM', ending.resolve)
  process.on('SIGINT', ending.resolve)
  const plugin = await start(settings, process.env, log)
  log.info({ socket: settings.socket, host: hostOf(settings) }, 'ready')
  log.info({ why: await ending.promise }, 'ending')
  await plugin.close()
}
