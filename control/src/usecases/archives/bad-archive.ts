import { Fault } from '@gantry/kernel'

export function badArchive(problem: string): Fault {
  return new Fault('request.invalid', { problem: `The archive cannot be loaded: ${problem}.` })
}

/** Told of as the sender's mistake: what readers of tars and of compressed streams say of content that is none. */
export function asBadArchive(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Fault || error.name === 'AbortError') return error
  const code = 'code' in error ? String(error.code) : ''
  const isContent = /^(Z|ZSTD)_|^ERR_(ZLIB|ZSTD)/.test(code) || /\btar\b|unexpected end|header/i.test(error.message)
  return isContent ? badArchive(error.message.replace(/\.$/, '')) : error
}

/** A path or name of the sender's, in a message. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
