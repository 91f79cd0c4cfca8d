import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { Writable } from 'node:stream'
import { exitCodes, Failure } from '../failure.ts'

/** Asks on the terminal. */
export async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await lines.question(question)).trim()
  } finally {
    lines.close()
  }
}

/** Asks on the terminal without showing what is typed. */
export async function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const interrupted = new AbortController()
  lines.once('SIGINT', () => interrupted.abort())
  process.stderr.write(question)
  try {
    return await lines.question('', { signal: interrupted.signal })
  } catch (cause) {
    throw new Failure('Interrupted.', { exitCode: exitCodes.interrupted, cause })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** All of stdin; for a password from a pipe. */
export async function readAll(): Promise<string> {
  return text(process.stdin)
}
