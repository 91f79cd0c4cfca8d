import { once } from 'node:events'
import type { PassThrough, Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import { type Ending, textFrames } from './console-frames.ts'

/** Close codes of RFC 6455, 7.4.1. */
const closing = { done: 1000, leaving: 1001, broken: 1011 } as const

export interface Session {
  /** What the process writes. */
  readonly output: Readable
  readonly framed: boolean
  /** Its stdin. */
  readonly input: PassThrough
}

/**
 * Carries a session over a connection until one of them ends; the connection is closed afterwards. Both ways are read no
 * faster than the other side takes it. A client that says nothing to a ping is dropped before the next. Never rejects.
 */
export async function carry(ws: WebSocket, { output, framed, input }: Session, pingMs: number): Promise<void> {
  const stopPings = keepAlive(ws, pingMs)
  ws.on('error', () => undefined)
  ws.on('close', () => output.destroy())
  ws.on('message', (data: Buffer) => {
    if (data.length === 0 || input.write(data)) return
    ws.pause()
    input.once('drain', () => ws.resume())
  })
  const ending: Ending = {}
  try {
    for await (const frame of textFrames(output, framed, ending)) await send(ws, frame)
    ws.close(closing.done, sentence(ending))
  } catch {
    ws.close(closing.broken, 'The session broke off; whether its process still runs is not known.')
  }
  // Paused, it would not see the client's answer to the close.
  ws.resume()
  if (ws.readyState !== ws.CLOSED) await once(ws, 'close')
  stopPings()
}

/** Tells a client that the server goes; one that does not answer is cut off soon. */
export function sayGoodbye(ws: WebSocket): void {
  ws.close(closing.leaving, 'The server is shutting down; open a new session.')
  setTimeout(() => ws.terminate(), 500).unref()
}

/** Resolves when the frame has left for the network: one at a time is held here. */
function send(ws: WebSocket, frame: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    ws.send(frame, { binary: true }, (error) => (error ? reject(error) : resolve()))
  })
}

function sentence({ exitCode }: Ending): string {
  return exitCode === undefined ? 'The session has ended.' : `The command ended with exit code ${exitCode}.`
}

function keepAlive(ws: WebSocket, pingMs: number): () => void {
  let heard = true
  const alive = () => {
    heard = true
  }
  ws.on('pong', alive).on('message', alive)
  const timer = setInterval(() => {
    // While its input is held back, its answers are not read either.
    if (!heard && !ws.isPaused) return ws.terminate()
    heard = ws.isPaused
    if (ws.readyState === ws.OPEN) ws.ping()
  }, pingMs)
  return () => clearInterval(timer)
}
