import { constants } from 'node:os'
import { BuildError } from './build-error.ts'

/** A signal's name or number that Linux knows, as written. Throws `BuildError`. */
export function stopSignal(text: string): string {
  const name = text.toUpperCase().replace(/^(SIG)?/, 'SIG')
  const known = Object.hasOwn(constants.signals, name) || /^SIGRTM(IN(\+\d+)?|AX(-\d+)?)$/.test(name)
  const number = /^\d+$/.test(text) && Number(text) > 0
  if (known || number) return text
  throw new BuildError(`Invalid signal: ${text}`)
}
