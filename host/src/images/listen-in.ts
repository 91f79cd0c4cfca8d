import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** A whole interpreter has to start first. */
const patienceMs = 20_000

/** Listens on the first of `ports` that is free, in whatever namespace it runs, and hands the socket to its parent. */
const listener = `
process.on('disconnect', () => process.exit())
const ports = JSON.parse(process.argv[1])
const listen = () => {
  const server = require('node:net').createServer()
  server.once('error', (error) => {
    if (ports.length > 0) return listen()
    process.send({ problem: error.message })
  })
  server.listen(ports.shift(), '127.0.0.1', () => process.send({}, server))
}
listen()`

/**
 * Listens on 127.0.0.1 in the network namespace at path `space` (null: our own), on the first of `ports` that is free. A
 * process cannot change its own namespace, but a socket stays in the one it was made in, wherever it is handed to.
 */
export async function listenIn(space: string | null, ports: readonly number[], signal: AbortSignal): Promise<Server> {
  return space === null ? listenHere(ports, signal) : listenThere(space, ports, signal)
}

async function listenHere(ports: readonly number[], signal: AbortSignal): Promise<Server> {
  for (const [at, port] of ports.entries()) {
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening', { signal })
      return server
    } catch (error) {
      server.close()
      if (signal.aborted || at === ports.length - 1) throw error
    }
  }
  throw new Error('no port to listen on')
}

async function listenThere(space: string, ports: readonly number[], signal: AbortSignal): Promise<Server> {
  // A service's PATH often lacks the folders of the administrator's programs.
  const env = { ...process.env, NODE_OPTIONS: '', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin` }
  const command = [`--net=${space}`, process.execPath, '-e', listener, '--', JSON.stringify(ports)]
  const child = spawn('nsenter', command, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  const late = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  const abort = () => reject(late.reason)
  late.addEventListener('abort', abort, { once: true })
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`nsenter ended with ${code}`)))
  child.once('message', (message: { readonly problem?: string }, handle: unknown) => {
    if (handle instanceof Object && 'close' in handle) resolve(handle as Server)
    else reject(new Error(message.problem ?? 'no socket came'))
  })
  try {
    return await promise
  } finally {
    late.removeEventListener('abort', abort)
    if (child.connected) child.disconnect()
    else child.kill('SIGKILL')
  }
}
