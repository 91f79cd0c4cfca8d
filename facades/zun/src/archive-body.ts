import { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { Refusal, schemaError } from './errors.ts'

export interface ArchiveBodyOptions {
  /** Bytes of JSON at most. */
  readonly limit: number
  readonly tooLarge: () => Refusal
  /** false: `data` is the tar as text, which is what clients before 1.25 send. */
  readonly base64: boolean
}

export interface ArchiveBody {
  /** A `path` that stood before `data`. */
  readonly path: string | undefined
  /** The tar. It fails with a refusal where the body is malformed or too large. */
  readonly tar: Readable
  /** That refusal, once the tar has ended. */
  readonly problem: () => Refusal | undefined
}

/**
 * Reads `{"path": "…", "data": "…"}` up to the start of `data` and gives its content as a stream, decoded while it
 * arrives: an archive is never in memory as a whole. Throws refusals (400, 413).
 */
export async function readArchiveBody(body: Readable, options: ArchiveBodyOptions): Promise<ArchiveBody> {
  const text = new BodyText(body, options)
  await text.expect('{', 'an object')
  const path = await readFieldsUntilData(text)
  let problem: Refusal | undefined
  const bytes = async function* () {
    try {
      yield* options.base64 ? base64Bytes(text.stringParts()) : textBytes(text.stringParts())
      await text.expectEnd()
    } catch (error) {
      problem = error instanceof Refusal ? error : schemaError('The request body ended too early.')
      throw problem
    }
  }
  return { path, tar: Readable.from(bytes(), { objectMode: false }), problem: () => problem }
}

async function readFieldsUntilData(text: BodyText): Promise<string | undefined> {
  let path: string | undefined
  for (;;) {
    if ((await text.peek()) === '}') throw schemaError("The field 'data' is required.")
    await text.expect('"', 'a field name')
    const field = await text.shortString()
    await text.expect(':', 'a colon')
    await text.expect('"', 'a string')
    if (field === 'data') return path
    if (field !== 'path') throw schemaError(`Additional properties are not allowed ('${field}' was unexpected).`)
    path = await text.shortString()
    if ((await text.peek()) === ',') await text.expect(',', 'a comma')
  }
}

async function* base64Bytes(parts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let rest = ''
  let padded = false
  for await (const part of parts) {
    const clean = part.replace(/\s+/g, '')
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(clean) || (padded && clean !== '' && !/^=+$/.test(clean))) throw notBase64()
    padded ||= clean.endsWith('=')
    const all = rest + clean
    const whole = all.length - (all.length % 4)
    if (whole > 0) yield Buffer.from(all.slice(0, whole), 'base64')
    rest = all.slice(whole)
  }
  if (rest.length === 1 || (padded && rest !== '')) throw notBase64()
  if (rest !== '') yield Buffer.from(rest, 'base64')
}

async function* textBytes(parts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let half = ''
  for await (const part of parts) {
    const all = half + part
    // The first half of a surrogate pair waits for the second.
    half = /[\uD800-\uDBFF]$/.test(all) ? all.slice(-1) : ''
    yield Buffer.from(all.slice(0, all.length - half.length))
  }
  if (half !== '') yield Buffer.from(half)
}

function notBase64(): Refusal {
  return schemaError("Invalid input for field 'data': it must be a tar in base64.")
}

/** The text of a request body, looked at piece by piece. */
class BodyText {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #decoder = new StringDecoder('utf8')
  readonly #options: ArchiveBodyOptions
  #read = 0
  #text = ''

  constructor(body: Readable, options: ArchiveBodyOptions) {
    this.#chunks = body.iterator({ destroyOnReturn: false })
    this.#options = options
  }

  /** The next character that is no white space; empty at the end. */
  async peek(): Promise<string> {
    for (;;) {
      this.#text = this.#text.trimStart()
      if (this.#text !== '') return this.#text.charAt(0)
      if (!(await this.#more())) return ''
    }
  }

  async expect(char: string, what: string): Promise<void> {
    if ((await this.peek()) !== char)
      throw schemaError(`The request body is not the JSON expected: ${what} is missing.`)
    this.#text = this.#text.slice(1)
  }

  /** After `data`: nothing but the object's end, or a `path` that was given in the query as well. */
  async expectEnd(): Promise<void> {
    if ((await this.peek()) === ',') {
      await this.expect(',', 'a comma')
      await this.expect('"', 'a field name')
      if ((await this.shortString()) !== 'path')
        throw schemaError('The request body has more fields than data and path.')
      await this.expect(':', 'a colon')
      await this.expect('"', 'a string')
      await this.shortString()
    }
    await this.expect('}', 'the closing brace')
    if ((await this.peek()) !== '') throw schemaError('The request body goes on behind its closing brace.')
  }

  async shortString(): Promise<string> {
    let string = ''
    for await (const part of this.stringParts()) {
      string += part
      if (string.length > 4096) throw schemaError('A string in the request body is too long.')
    }
    return string
  }

  /** The rest of a string whose opening quote was read, unescaped, as it arrives. */
  async *stringParts(): AsyncGenerator<string> {
    for (;;) {
      const { length, closed } = completePart(this.#text)
      if (length > 0) yield unescaped(this.#text.slice(0, length))
      this.#text = this.#text.slice(length + (closed ? 1 : 0))
      if (closed) return
      if (!(await this.#more())) throw schemaError('The request body ended within a string.')
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done) return false
    this.#read += next.value.length
    if (this.#read > this.#options.limit) throw this.#options.tooLarge()
    this.#text += this.#decoder.write(next.value)
    return true
  }
}

/** How much of the text belongs to the string and holds no escape that is cut at its end. */
function completePart(text: string): { length: number; closed: boolean } {
  const special = /["\\]/g
  for (let found = special.exec(text); found; found = special.exec(text)) {
    if (found[0] === '"') return { length: found.index, closed: true }
    const end = found.index + (text.charAt(found.index + 1) === 'u' ? 6 : 2)
    if (end > text.length) return { length: found.index, closed: false }
    special.lastIndex = end
  }
  return { length: text.length, closed: false }
}

function unescaped(part: string): string {
  try {
    return JSON.parse(`"${part}"`) as string
  } catch {
    throw schemaError('The request body is not valid JSON.')
  }
}
