import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** What a quiet build keeps to show if it fails, characters. */
const mostKept = 1 << 20

/** The classic builder's progress: JSON objects, one a line. A quiet build says nothing before it fails. */
export class BuildOutput {
  readonly #to: Writable
  readonly #quiet: boolean
  readonly #signal: AbortSignal
  #kept: string[] = []
  #keptLength = 0

  constructor(to: Writable, quiet: boolean, signal: AbortSignal) {
    this.#to = to
    this.#quiet = quiet
    this.#signal = signal
  }

  async text(text: string): Promise<void> {
    if (text !== '') await this.#progress({ stream: text })
  }

  /** What a command says on its standard error is shown in red. */
  async errorText(text: string): Promise<void> {
    if (text !== '') await this.text(`\u001B[91m${text}\u001B[0m`)
  }

  /** Of each stage's image. */
  async imageId(id: string): Promise<void> {
    await this.#progress({ aux: { ID: id } })
  }

  async succeeded(imageId: string, size: number): Promise<void> {
    if (this.#quiet) await this.#write(`${JSON.stringify({ stream: `${imageId}\n` })}\r\n`)
    else await this.text(`Successfully built ${shortId(imageId)}\n`)
    await this.#write(`${JSON.stringify({ built: { imageId, size } })}\r\n`)
  }

  /** `code`: the exit code of a command; null: it was something else. */
  async failed(message: string, code: number | null): Promise<void> {
    for (const line of this.#kept) await this.#write(line)
    const detail = code === null ? { message } : { code, message }
    await this.#write(`${JSON.stringify({ errorDetail: detail, error: message })}\r\n`)
  }

  async #progress(line: object): Promise<void> {
    const text = `${JSON.stringify(line)}\r\n`
    if (!this.#quiet) return this.#write(text)
    this.#kept.push(text)
    this.#keptLength += text.length
    while (this.#keptLength > mostKept && this.#kept.length > 1) this.#keptLength -= this.#kept.shift()?.length ?? 0
  }

  async #write(line: string): Promise<void> {
    this.#signal.throwIfAborted()
    if (!this.#to.write(line)) await once(this.#to, 'drain', { signal: this.#signal })
  }
}

/** The first 12 hex digits, as people know them; empty for nothing. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}
