import { readFile } from 'node:fs/promises'
import { productVersion, reasonOf, withSettings } from '@gantry/kernel'
import pino from 'pino'
import { flags, readOptions, usage } from './options.ts'
import { type RunningServer, startServer } from './start-server.ts'

/** `gantry server`: the control plane. Started by `gantry up`, it talks to it over IPC; by hand, it only logs. */
async function main(): Promise<void> {
  const typed = process.argv.slice(2)
  if (typed.includes('--version')) {
    process.stdout.write(`${productVersion}\n`)
    return
  }
  const options = readOptions(await everySetting(typed), process.env)
  if (!options) {
    process.stdout.write(usage)
    return
  }
  // Database, keys and credentials: for this user's eyes only.
  process.umask(0o077)
  const log = pino({ level: process.env['GANTRY_LOG_LEVEL'] ?? 'info', base: { role: 'server' } })
  const server = await startServer(options, log)
  const { api, agents, docker, dockerTls, joinToken, firstStart } = server
  endOn(server)
  log.info({ api, agents, docker, dockerTls }, 'ready')
  process.send?.({ kind: 'ready', api, agents, docker, dockerTls, joinToken, firstStart })
}

async function everySetting(argv: readonly string[]): Promise<string[]> {
  const { parse } = await import('yaml')
  const read = async (path: string): Promise<unknown> => parse(await readFile(path, 'utf8'))
  return withSettings({ argv, env: process.env, flags, readFile: read })
}

function endOn(server: RunningServer): void {
  let ending = false
  const end = () => {
    if (ending) return
    ending = true
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
    // Streams that nobody reads must not keep a stopping server alive.
    setTimeout(() => process.exit(0), 5000).unref()
  }
  // Asked once it leaves in good order, asked again it ends at once.
  let leaving = false
  const leave = () => {
    if (leaving) return end()
    leaving = true
    server.leave().then(end, end)
  }
  process.on('SIGTERM', leave)
  process.on('SIGINT', leave)
  // Whoever started us is gone: one process tree lives and ends together.
  if (process.send) process.on('disconnect', end)
}

function explain(error: unknown): string {
  const { code, port, address } = error as { code?: string; port?: number; address?: string }
  if (code === 'EADDRINUSE') {
    return `Port ${port} of ${address} is taken by another program; stop that, or choose another with --listen, --agents-listen, --docker-listen or --docker-tls-listen.`
  }
  if (code === 'EACCES') return `${reasonOf(error)}; run as root, or choose a port above 1023 and a home you may write.`
  if (code === 'ENOSPC') return `The disk is full; free some space and start again.`
  return reasonOf(error)
}

main().catch((error: unknown) => {
  const message = explain(error)
  process.stderr.write(`gantry server: ${message}\n`)
  if (process.send) process.send({ kind: 'failed', message }, () => process.exit(1))
  else process.exit(1)
})
