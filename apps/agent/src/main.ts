import { readFile } from 'node:fs/promises'
import { Fault, productVersion, reasonOf, withSettings } from '@gantry/kernel'
import { pino } from 'pino'
import { flags, readOptions, UsageError, usage } from './options.ts'
import { runAgent } from './run-agent.ts'

const ending = new AbortController()

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage)
    return
  }
  if (args.includes('--version')) {
    console.log(productVersion)
    return
  }
  const options = readOptions(await everySetting(args), process.env)
  // What the agent starts (none, today) must not inherit the secret.
  delete process.env['GANTRY_JOIN_TOKEN']
  const log = pino({ level: options.logLevel, base: { agent: options.name } })
  const end = (why: string) => {
    if (ending.signal.aborted) return
    log.info({ why }, 'ending')
    ending.abort(new Error(why))
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  // Started by a parent of ours: live and die with it.
  if (process.send) process.on('disconnect', () => end('parent gone'))
  const onReady = () => {
    log.info({}, 'ready')
    if (process.connected) process.send?.({ kind: 'ready' })
  }
  await runAgent({ options, version: productVersion, log, onReady, signal: ending.signal })
}

async function everySetting(argv: readonly string[]): Promise<string[]> {
  const { parse } = await import('yaml')
  const read = async (path: string): Promise<unknown> => parse(await readFile(path, 'utf8'))
  return withSettings({ argv, env: process.env, flags, readFile: read }).catch((error: unknown) => {
    throw new UsageError(reasonOf(error))
  })
}

try {
  await main()
  process.exit(0)
} catch (error) {
  if (ending.signal.aborted) process.exit(0)
  const expected = error instanceof UsageError || error instanceof Fault
  console.error(`gantry agent: ${reasonOf(error)}`)
  if (error instanceof UsageError) console.error('\nTry --help.')
  if (!expected && error instanceof Error) console.error(error.stack)
  process.exit(error instanceof UsageError ? 2 : 1)
}
