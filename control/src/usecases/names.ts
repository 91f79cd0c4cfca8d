import { Fault, type Ids } from '@gantry/kernel'

const letters = [
  'alpha',
  'beta',
  'gamma',
  'delta',
  'epsilon',
  'zeta',
  'eta',
  'theta',
  'iota',
  'kappa',
  'lambda',
  'mu',
  'nu',
  'xi',
  'omicron',
  'pi',
  'rho',
  'sigma',
  'tau',
  'upsilon',
  'phi',
  'chi',
  'psi',
  'omega',
] as const

/** A name for a container that was given none, in the form Zun's users know: `sigma-7-container`. */
export function madeUpName(ids: Ids): string {
  const letter = letters[Number.parseInt(ids.hex(1), 16) % letters.length]
  return `${letter}-${(Number.parseInt(ids.hex(1), 16) % 24) + 1}-container`
}

/** Zun's rule for names. */
export function checkName(name: string): void {
  if (name.length >= 2 && name.length <= 255 && /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return
  const problem = `The name ${JSON.stringify(name)} is not valid: 2 to 255 letters, digits, "_", "." or "-", the first a letter or digit.`
  throw new Fault('request.invalid', { problem })
}
