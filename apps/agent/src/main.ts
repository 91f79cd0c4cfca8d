import { readFileSync } from 'node:fs'
import { Fault, reasonOf } from '@gantry/kernel'
import { pino } from 'pino'
import { readOptions, UsageError, usage } from './options.ts'
import { runAgent } from './run-agent.ts'

const ending = new AbortController()

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage)
    return
  }
  const options = readOptions(args, process.env)
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
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const onReady = () => {
    log.info({}, 'ready')
    if (process.connected) process.send?.({ kind: 'ready' })
  }
  await runAgent({ options, version, log, onReady, signal: ending.signal })
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
