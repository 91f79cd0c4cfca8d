import { reasonOf } from '@gantry/kernel'
import pino from 'pino'
import { readOptions, usage } from './options.ts'
import { type RunningServer, startServer } from './start-server.ts'

/** `gantry server`: the control plane. Started by `gantry up`, it talks to it over IPC; by hand, it only logs. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env)
  if (!options) {
    process.stdout.write(usage)
    return
  }
  // Database, keys and credentials: for this user's eyes only.
  process.umask(0o077)
  const log = pino({ level: process.env['GANTRY_LOG_LEVEL'] ?? 'info', base: { role: 'server' } })
  const server = await startServer(options, log)
  const { api, agents, docker, dockerTls, joinToken, firstStart } = server
  log.info({ api, agents, docker, dockerTls }, 'ready')
  endOn(server)
  process.send?.({ kind: 'ready', api, agents, docker, dockerTls, joinToken, firstStart })
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
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
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
