import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type Duplex, PassThrough, type Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { lingerMs, retryAfter } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { lastWords } from './broken-stream.ts'
import { answerTo } from './errors.ts'
import { usualHeaders } from './usual-headers.ts'

/** Bytes of a connection that left HTTP: what the client sends, and how to answer it. */
export interface Hijacked {
  /** The client's bytes; ends with its half close. */
  readonly input: Readable
  /** Aborted when the client is gone, or the stream must end. */
  readonly signal: AbortSignal
  readonly end: (reason: Error) => void
  /** Answers that the connection is the stream now. `contentType` tells frames from a terminal's bytes. */
  accept(contentType: string): void
  /** Everything queued goes out, then the half close; of what breaks off, the reason before it. `tty`: these are no frames. */
  send(output: Readable, tty: boolean): Promise<void>
  refuse(error: unknown): void
}

/**
 * Of a request that asked for an upgrade: Node has left HTTP already. `stream` is the connection, or what Node puts before
 * it when the request's body was still on its way. `rest` was read beyond head and body.
 */
export function upgraded(request: IncomingMessage, stream: Duplex, rest: Buffer): Hijacked {
  if (rest.length > 0) stream.unshift(rest)
  tuned(request.socket)
  return hijackedOn(stream, '101 UPGRADED', { connection: 'Upgrade', upgrade: 'tcp' }, headPauseOf(request))
}

/**
 * Of a request that asked for none, as older clients do it: the answer 200 has no length, and both sides go on with raw
 * bytes. The client waits for it before it sends, so nothing has been lost to the HTTP parser, which is detached here.
 */
export function takenOver(request: FastifyRequest, reply: FastifyReply): Hijacked {
  reply.hijack()
  const { socket } = request.raw
  // Reading by hand makes Node let go of the connection's handle; then its parser must not see the bytes as well.
  const detach = () => {
    for (const event of ['data', 'end', 'drain', 'timeout', 'close', 'error']) socket.removeAllListeners(event)
  }
  socket.on('data', () => undefined)
  detach()
  // Whoever counts streams and ends waits for this, and Node has just forgotten to say it.
  socket.once('close', () => reply.raw.emit('close'))
  socket.pause()
  tuned(socket)
  return hijackedOn(socket, '200 OK', {}, headPauseOf(request.raw))
}

/** It may be idle for hours, and somebody may be typing. */
function tuned(socket: Socket): void {
  socket.setTimeout(0)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 60_000)
}

/**
 * Milliseconds between the head and what follows. docker-py reads the head through a buffer that it then throws away, with
 * all that came in the same read: of an engine that is mostly nothing, because its head goes out before the command starts.
 */
function headPauseOf({ headers }: IncomingMessage): number {
  return /docker-py|docker-sdk-python/.test(headers['user-agent'] ?? '') ? 20 : 0
}

function hijackedOn(socket: Duplex, status: string, more: Record<string, string>, headPauseMs: number): Hijacked {
  const gone = new AbortController()
  let accepted = false
  // A connection that breaks is told to the stream; nobody else listens.
  socket.on('error', () => undefined)
  socket.once('close', () => gone.abort(new Error('the client closed the connection')))
  // Its own stream, so that whoever reads it may destroy it without cutting the answer off.
  const input = new PassThrough()
  socket.pipe(input)
  const end = (reason: Error) => {
    gone.abort(reason)
    socket.destroy()
  }
  const endWith = (last: Buffer | string) => {
    input.resume()
    socket.end(last)
    const cut = setTimeout(() => socket.destroy(), lingerMs)
    socket.once('close', () => clearTimeout(cut))
  }
  return {
    input,
    signal: gone.signal,
    end,
    accept: (contentType) => {
      accepted = true
      const headers = { ...usualHeaders, 'content-type': contentType, ...more }
      socket.write(headOf(status, headers))
    },
    send: async (output, tty) => {
      const wordsFor = lastWords(output, tty)
      output.on('error', (error) => {
        if (gone.signal.aborted) socket.destroy()
        else endWith(wordsFor(error))
      })
      gone.signal.addEventListener('abort', () => output.destroy(), { once: true })
      if (headPauseMs > 0) await pause(headPauseMs)
      if (gone.signal.aborted) output.destroy()
      await new Promise<void>((resolve) => {
        output.once('close', resolve)
        // Ends the client's side only after all that was queued.
        output.pipe(socket)
      })
      input.resume()
    },
    refuse: (error) => {
      if (accepted || socket.destroyed) return void socket.destroy()
      const { status: code, message } = answerTo(error)
      const seconds = retryAfter(error, code)
      const body = JSON.stringify({ message })
      const headers = {
        ...usualHeaders,
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        connection: 'close',
        ...(seconds !== null && { 'retry-after': String(seconds) }),
      }
      endWith(`${headOf(`${code} ${reasonPhrase(code)}`, headers)}${body}`)
    },
  }
}

function headOf(status: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`
}

function reasonPhrase(code: number): string {
  return code >= 500 ? 'Error' : 'Refused'
}

/** Most bytes of the JSON that begins a stream (the options of an exec), and how long it may take. */
const mostBody = 1024 * 1024
const bodyTimeMs = 60_000

/**
 * The body of a request that asked for an upgrade. Newer versions of Node give it as the request's own stream, which may
 * still be on its way; older ones leave it unread before the stream's own bytes. Answers what was read beyond it. Throws
 * `request.too-large`.
 */
export async function bodyBefore(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<{ readonly body: Buffer; readonly rest: Buffer }> {
  const late = setTimeout(() => socket.destroy(), bodyTimeMs)
  try {
    return await readBefore(request, socket, head)
  } finally {
    clearTimeout(late)
  }
}

async function readBefore(request: IncomingMessage, socket: Duplex, head: Buffer) {
  const tooLarge = () => new Fault('request.too-large', { limit: mostBody })
  const length = Number(request.headers['content-length'] ?? 0)
  if (!(length >= 0 && length <= mostBody)) throw tooLarge()
  if (!request.complete || request.readableLength > 0) {
    return { body: await gathered(request, tooLarge), rest: head }
  }
  const parts = [head]
  let size = head.length
  while (size < length) {
    const chunk = await nextChunk(socket)
    if (chunk === null) throw new Error('the client closed the connection')
    parts.push(chunk)
    size += chunk.length
  }
  const got = Buffer.concat(parts)
  return { body: got.subarray(0, length), rest: got.subarray(length) }
}

/** Sent in chunks it has no length that could be looked at before. Whoever destroyed the request could not be answered any more. */
async function gathered(request: IncomingMessage, tooLarge: () => Fault): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += part.length
    if (size > mostBody) throw tooLarge()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function nextChunk(socket: Duplex): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const settle = (chunk: Buffer | null) => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).pause()
      resolve(chunk)
    }
    const onData = (chunk: Buffer) => settle(chunk)
    const onEnd = () => settle(null)
    socket.on('data', onData).once('end', onEnd).once('close', onEnd).resume()
  })
}
