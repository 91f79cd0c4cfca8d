import { constants } from 'node:os'
import { Fault } from '@gantry/kernel'

/** Signals of Linux by name; real-time ones are given by number. */
const names = new Set(Object.keys(constants.signals))

/**
 * `kill`, `SIGKILL`, `9`: every spelling that kill(1) takes, as the engine wants it. Throws `request.invalid` for others.
 */
export function normaliseSignal(text: string): string {
  const upper = text.trim().toUpperCase()
  if (/^\d+$/.test(upper)) {
    const number = Number(upper)
    if (number >= 1 && number <= 64) return String(number)
  }
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`
  if (names.has(name)) return name
  throw new Fault('request.invalid', { problem: `${JSON.stringify(text)} is not a signal; try SIGTERM or 15.` })
}
