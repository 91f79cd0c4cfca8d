import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { reasonOf } from '@gantry/kernel'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { HostLog } from '../agent/host-log.ts'

/** Where every Docker engine of a machine looks for plugins. */
export const dockerPluginFolder = '/run/docker/plugins'

/** A call that is not carried out, for a reason that the engine's user reads. */
export class PluginRefusal extends Error {
  override readonly name = 'PluginRefusal'
  /** Of the answer; the engine only tells 200 from the rest. */
  readonly status: number

  constructor(status: number, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause })
    this.status = status
  }
}

/**
 * A question that cannot be answered now. Engines take any refusal to show something for its not being there; one whose
 * connection breaks off they repeat for half a minute (Docker 20: without its contents), and then fail.
 */
export class PluginSilence extends Error {
  override readonly name = 'PluginSilence'
}

export interface PluginServerOptions {
  /** Path of the unix socket. Its name without `.sock` is the name of the driver. */
  readonly socket: string
  /** `NetworkDriver.Join` and its body; what it throws is told to the engine's user. */
  readonly answer: (method: string, body: unknown) => Promise<object> | object
  /** Whether a socket of that name in the same folder is one of ours, to be removed if nobody listens on it. */
  readonly isOurs: (name: string) => boolean
  readonly log: HostLog
}

export interface PluginServer {
  /** Cuts off what is under way; the engine calls again. The socket is gone when it resolves. */
  close(): Promise<void>
}

const longestBody = 1 << 20
const answerType = 'application/vnd.docker.plugins.v1.2+json'

/** Serves Docker's plugin protocol on a unix socket. Rejects with a sentence if somebody else listens there. */
export async function pluginServer({ socket, answer, isOurs, log }: PluginServerOptions): Promise<PluginServer> {
  const server = createServer((request, response) => {
    const method = (request.url ?? '').slice(1)
    const work = async () => answer(method, await bodyOf(request))
    work().then(
      (body) => send(response, 200, body),
      (error: unknown) => {
        log.warn({ method, reason: reasonOf(error) }, 'plugin call refused')
        if (error instanceof PluginSilence) {
          response.destroy()
          return
        }
        // Only with another status than 200 do all kinds of drivers read it.
        send(response, error instanceof PluginRefusal ? error.status : 500, { Err: reasonOf(error) })
      },
    )
  })
  await mkdir(dirname(socket), { recursive: true })
  await removeDead(dirname(socket), (name) => name === basename(socket) || isOurs(name))
  await listen(server, socket)
  return {
    close: async () => {
      await new Promise((done) => {
        server.close(done)
        server.closeAllConnections()
      })
      await rm(socket, { force: true })
    },
  }
}

/** The body, if it has the form of the protocol. */
export function checked<T extends TSchema>(schema: T, body: unknown): Static<T> {
  if (Value.Check(schema, body)) return body
  if (typeof body === 'object' && body !== null && Object.keys(body).length === 0) {
    // Docker 20 repeats a call that was cut off, but has sent its body already.
    throw new PluginRefusal(
      400,
      'The plugin was ended during this call, and Docker has lost its contents; do it again.',
    )
  }
  throw new PluginRefusal(400, 'The request has not the form of the plugin protocol.')
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > longestBody) throw new PluginRefusal(413, 'The request is too long.')
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  if (text === '') return {}
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new PluginRefusal(400, 'The request is no JSON.', error)
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': answerType })
  response.end(JSON.stringify(body))
}

async function listen(server: Server, socket: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject('code' in error && error.code === 'EADDRINUSE' ? new Error(`Another plugin serves ${socket}.`) : error),
    )
    server.listen(socket, resolve)
  })
  await chmod(socket, 0o600)
}

/** A socket that nobody listens on makes each engine of the machine wait for it whenever it looks for any plugin. */
async function removeDead(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!isOurs(name)) continue
    const path = join(folder, name)
    if (await isDead(path)) await rm(path, { force: true })
  }
}

function isDead(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path)
  socket.once('connect', () => {
    socket.destroy()
    resolve(false)
  })
  socket.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'))
  return promise
}
