import { frameKinds } from '../../../api/frames.ts'

export interface LogLine {
  /** Counted from the first line on; stays the same when lines before it are forgotten. */
  readonly number: number
  readonly isError: boolean
  /** With colours and other control sequences, without its end. */
  readonly text: string
}

/** More of one line begins another: a program may write megabytes without an end of line. */
const longestLine = 8192

/** The last lines of a stream, at most `most`. Standard output and errors are put together apart, for either may stop within a character. */
export class LogBuffer {
  readonly #most: number
  readonly #open = new Map<number, { decoder: TextDecoder; text: string }>()
  #lines: LogLine[] = []
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  push(kind: number, bytes: Uint8Array): void {
    const open = this.#open.get(kind) ?? { decoder: new TextDecoder(), text: '' }
    this.#open.set(kind, open)
    const parts = (open.text + open.decoder.decode(bytes, { stream: true })).split('\n')
    open.text = parts.pop() ?? ''
    for (const part of parts) this.#add(kind, part)
    while (open.text.length > longestLine) {
      this.#add(kind, open.text.slice(0, longestLine))
      open.text = open.text.slice(longestLine)
    }
    // Not at each line: moving thousands of them costs.
    if (this.#lines.length > this.#most * 1.25) this.#lines = this.#lines.slice(-this.#most)
  }

  /** What was written without an end of line is a line, too, once the stream has ended. */
  end(): void {
    for (const [kind, { text }] of this.#open) if (text !== '') this.#add(kind, text)
    this.#open.clear()
  }

  /** How many there ever were. */
  get count(): number {
    return this.#count
  }

  /** A copy: what comes later does not change it. */
  lines(): readonly LogLine[] {
    return this.#lines.slice(-this.#most)
  }

  #add(kind: number, text: string): void {
    for (let at = 0; at === 0 || at < text.length; at += longestLine) {
      const part = text.slice(at, at + longestLine)
      this.#lines.push({ number: this.#count, isError: kind === frameKinds.stderr, text: overwritten(part) })
      this.#count += 1
    }
  }
}

/** A carriage return begins the line anew, as progress bars do. */
function overwritten(text: string): string {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
  return line.slice(line.lastIndexOf('\r') + 1)
}
