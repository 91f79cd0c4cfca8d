import type { Http2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { Readable } from 'node:stream'

/** Header of a message whose first line is followed by raw bytes, and which therefore ends with the `complete` trailer. */
export const rawHeader = 'gantry-raw'
const completeTrailer = 'gantry-complete'
const newline = 0x0a

/** Announces raw bytes. */
export const rawHeaders: OutgoingHttpHeaders = { [rawHeader]: '1' }

/** The sender's side of a raw body opened with `waitForTrailers`: says at its true end that it is whole. */
export function promiseComplete(stream: Http2Stream): void {
  stream.once('wantTrailers', () => stream.sendTrailers({ [completeTrailer]: '1' }))
}

/**
 * The receiver's side of a message: one line (`head`), then raw bytes, which are read from this object. Node ends the body
 * of a stream that was reset, or whose connection was lost, just like a whole one; so the end counts only if the sender's
 * trailer came before it, and everything else is the error that `broken` gives. Destroying it resets the stream.
 */
export class StreamBody extends Readable {
  /** The first line; rejects with `broken`'s error if the stream breaks before. */
  readonly head: Promise<string>
  readonly #stream: Http2Stream
  readonly #broken: () => Error
  readonly #limit: number
  readonly #resolve: (line: string) => void
  readonly #reject: (error: Error) => void
  #parts: Buffer[] | null = []
  #held = 0
  #raw = false
  #complete = false
  #ended = false

  /** `limit`: most bytes of the first line. Must be made in the tick in which the stream appeared. */
  constructor(stream: Http2Stream, limit: number, broken: () => Error) {
    // The HTTP/2 stream below has its own buffer; a second large one would only delay the back-pressure.
    super({ highWaterMark: 64 * 1024 })
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.head = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#stream = stream
    this.#broken = broken
    this.#limit = limit
    // Whoever awaits `head` gets the error from there; one who never looks at the bytes must not crash the process.
    promise.catch(() => {})
    this.on('error', () => {})
    stream.on('trailers', (trailers: IncomingHttpHeaders) => {
      this.#complete = trailers[completeTrailer] === '1'
    })
    stream.on('data', (chunk: Buffer) => this.#data(chunk))
    stream.on('end', () => this.#end())
    stream.on('error', () => this.#fail())
    stream.on('close', () => this.#fail())
  }

  /** To be called before `head` settles, if the message's headers announce raw bytes. Without, the line is all there is. */
  expectRaw(): this {
    this.#raw = true
    return this
  }

  get hasRaw(): boolean {
    return this.#raw
  }

  #data(chunk: Buffer): void {
    if (this.#parts === null) {
      if (!this.push(chunk)) this.#stream.pause()
      return
    }
    const at = chunk.indexOf(newline)
    this.#held += chunk.length
    if (at < 0) {
      this.#parts.push(chunk)
      if (this.#held > this.#limit) this.#fail()
      return
    }
    const line = Buffer.concat([...this.#parts, chunk.subarray(0, at)]).toString('utf8')
    this.#parts = null
    this.#resolve(line)
    if (at + 1 < chunk.length && !this.push(chunk.subarray(at + 1))) this.#stream.pause()
  }

  #end(): void {
    if (this.#ended || this.destroyed) return
    if (this.#parts !== null || (this.#raw && !this.#complete)) return this.#fail()
    this.#ended = true
    this.push(null)
  }

  #fail(): void {
    if (this.#ended || this.destroyed) return
    if (this.#parts === null && !this.#raw) return this.#end()
    const error = this.#broken()
    this.#reject(error)
    this.destroy(error)
  }

  override _read(): void {
    this.#stream.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#ended && !this.#stream.destroyed) this.#stream.destroy(error ?? new Error('no longer wanted'))
    done(error)
  }
}
