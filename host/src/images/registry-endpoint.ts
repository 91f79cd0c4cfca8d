import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { reasonOf } from '@gantry/kernel'
import type { RegistryDial } from '@gantry/wire'
import type { HostLog } from '../agent/host-log.ts'
import { listenIn } from './listen-in.ts'
import { portNote } from './port-note.ts'
import { type RegistryWatch, type RegistryWatches, registryWatches } from './registry-watch.ts'

export interface RegistryEndpointOptions {
  /** Path of the engine's network namespace; null: our own. */
  readonly space: string | null
  /** Opens a connection with the server's registry. */
  readonly dial: RegistryDial
  /** Where it is remembered which port it was. */
  readonly stateDir: string
  readonly log: HostLog
}

/** A registry on the engine's loopback that is the server's: what the engine asks it is carried there. */
export interface RegistryEndpoint {
  /** `127.0.0.1:5042`. Opens it if it is not open. Rejects when there is no way into the engine's namespace. */
  address(): Promise<string>
  watch(repository: string): RegistryWatch
  close(): Promise<void>
}

/** nova-docker's, so that what operators know of it holds on. */
const usualPort = 5042
/** An engine moves three layers of an image at once; the rest wait for their turn. */
const mostConnections = 16
const idleMs = 10_000
/** A refusal is a sentence; of what is longer, the beginning will do. */
const mostRefusal = 8192

/** Between two machines only (RFC 9110, 7.6.1); Node says anew what it needs of them. */
const notCarried = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect'])

/** Opens nothing before it is needed. */
export function registryEndpoint({ space, dial, stateDir, log }: RegistryEndpointOptions): RegistryEndpoint {
  const closing = new AbortController()
  const watches = registryWatches()
  const note = portNote(stateDir)
  const agent = new Agent({ keepAlive: true, maxSockets: mostConnections, timeout: idleMs })
  // The certificate is the one of the moment, so it cannot be an option of the agent's.
  agent.createConnection = (_options, done) => {
    dial(closing.signal).then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as never),
    )
    return undefined
  }
  let opening: Promise<Server> | null = null

  const lost = (error: unknown) => {
    if (!closing.signal.aborted) log.warn({ reason: reasonOf(error) }, 'the registry of the server is out of reach')
    watches.lost()
  }

  const carry = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = 'GET', url = '' } = incoming
    if (!url.startsWith('/v2/')) return refuse(outgoing, 404, 'NAME_UNKNOWN', 'This is a registry, and nothing else.')
    const call = request({ agent, method, path: url, host: 'registry', headers: carried(incoming.headers) })
    call.once('error', (error) => {
      if (outgoing.destroyed) return
      lost(error)
      if (outgoing.headersSent) outgoing.destroy()
      else refuse(outgoing, 503, 'UNAVAILABLE', 'The server of this host cannot be reached.')
    })
    // The engine went away before there was an answer.
    outgoing.once('close', () => call.destroy())
    call.once('response', (answer) => {
      const status = answer.statusCode ?? 502
      // Before the pipeline, which takes the engine's end down with it.
      answer.once('error', (error) => {
        if (!outgoing.destroyed) lost(error)
      })
      overhear(watches, method, url, answer)
      outgoing.writeHead(status, carried(answer.headers))
      pipeline(answer, outgoing).catch(() => undefined)
    })
    // Its failure is the call's, or the engine's own.
    pipeline(incoming, call).catch(() => undefined)
  }

  const open = async (): Promise<Server> => {
    const remembered = await note.read()
    const ports = [usualPort, ...(remembered === null ? [] : [remembered]), 0]
    const socket = await listenIn(space, ports, closing.signal)
    // A layer may take as long as it takes.
    const server = createServer({ requestTimeout: 0 }, carry)
    server.on('clientError', (_error, broken) => broken.destroy())
    server.listen(socket)
    const { port } = socket.address() as AddressInfo
    await note.write(port)
    log.info({ port }, 'registry for the engine opened')
    return server
  }

  return {
    async address() {
      closing.signal.throwIfAborted()
      opening ??= open()
      opening.catch(() => {
        opening = null
      })
      const { port } = (await opening).address() as AddressInfo
      return `127.0.0.1:${port}`
    },
    watch: (repository) => watches.open(repository),
    async close() {
      closing.abort(new Error('the agent is closing'))
      const server = await opening?.catch(() => null)
      server?.close()
      server?.closeAllConnections()
      agent.destroy()
    },
  }
}

function carried(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !notCarried.has(name)))
}

/** As the distribution spec has errors. */
function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code, message }] }))
}

/** Notes for the watches what the server said. Engines ask by HEAD for what most often is not there: that is no refusal. */
function overhear(watches: RegistryWatches, method: string, url: string, answer: IncomingMessage): void {
  const [, repository = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^?]*)/.exec(url) ?? []
  if (method === 'HEAD' || !watches.has(repository)) return
  const { statusCode = 502, headers } = answer
  const digest = headers['docker-content-digest']
  if (method === 'PUT' && kind === 'manifests' && statusCode < 300 && typeof digest === 'string') {
    watches.put(repository, reference, digest)
  }
  if (statusCode < 400) return
  let text = ''
  answer.on('data', (part: Buffer) => {
    if (text.length < mostRefusal) text += part.toString('utf8')
  })
  answer.once('end', () => watches.refused(repository, statusCode, messageIn(text) ?? `it answered ${statusCode}`))
}

function messageIn(text: string): string | null {
  try {
    const found: unknown = JSON.parse(text)
    if (typeof found !== 'object' || found === null || !('errors' in found) || !Array.isArray(found.errors)) return null
    const first: unknown = found.errors[0]
    if (typeof first !== 'object' || first === null || !('message' in first)) return null
    return typeof first.message === 'string' && first.message !== '' ? first.message : null
  } catch {
    return null
  }
}
