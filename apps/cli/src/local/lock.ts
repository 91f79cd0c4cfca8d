import { createHash, randomBytes } from 'node:crypto'
import { link, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Home } from './home.ts'
import { unfit } from './unfit.ts'

/**
 * One `gantry up` a home. The lock is an abstract Unix socket: the kernel gives it to one process only and frees it the
 * moment that process ends, however it ends, so there is no stale lock to recognise. The name holds a secret of the home
 * so that no other user of the machine can take it first.
 */
export class HomeLock implements AsyncDisposable {
  readonly #server: Server
  readonly #waiting = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
    server.maxConnections = 16
    server.on('connection', (socket) => {
      this.#waiting.add(socket)
      socket.on('error', () => undefined).on('close', () => this.#waiting.delete(socket))
    })
  }

  /** Throws `machine.unfit` if the home is in use. */
  static async take(home: Home): Promise<HomeLock> {
    const server = createServer()
    const name = await lockName(home, true)
    await new Promise<void>((done, failed) => {
      server.once('error', failed).listen({ path: name }, done)
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error
      throw unfit(
        `Gantry already runs with the state folder ${home.root}.`,
        'See `npx gantry status`, stop it with `npx gantry down`, or give this one another folder with --home DIR.',
        error,
      )
    })
    return new HomeLock(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#waiting) socket.destroy()
    await new Promise<void>((done) => this.#server.close(() => done()))
  }
}

/**
 * A promise that settles when the holder of the home's lock is gone; undefined if nobody holds it.
 */
export async function holderOf(home: Home): Promise<{ gone: Promise<void>; forget(): void } | undefined> {
  const name = await lockName(home, false)
  if (name === undefined) return undefined
  return await new Promise((found) => {
    const socket = connect({ path: name })
    const gone = new Promise<void>((done) => socket.once('close', () => done()))
    socket.once('connect', () => found({ gone, forget: () => socket.destroy() }))
    socket.once('error', () => found(undefined))
    socket.resume()
  })
}

async function lockName(home: Home, make: true): Promise<string>
async function lockName(home: Home, make: false): Promise<string | undefined>
async function lockName(home: Home, make: boolean): Promise<string | undefined> {
  const key = await readKey(home, make)
  if (key === undefined) return undefined
  const hash = createHash('sha256')
    .update(await realpath(home.root))
    .update(key)
    .digest('hex')
  return `\0gantry-${hash.slice(0, 40)}`
}

async function readKey(home: Home, make: boolean): Promise<Buffer | undefined> {
  const key = await readFile(home.lockKey).catch(() => undefined)
  if (key !== undefined || !make) return key
  // Written aside and linked, so that two first starts at the same moment cannot see half a key.
  const draft = `${home.lockKey}.${process.pid}`
  await writeFile(draft, randomBytes(16), { mode: 0o600 })
  await link(draft, home.lockKey).catch(ifThere)
  await rm(draft, { force: true })
  return await readFile(home.lockKey)
}

function ifThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
