import { Fault, reasonOf } from '@gantry/kernel'
import { isOpenStackError } from '@gantry/openstack'

/** What one look found: `note` harms nothing yet, or only some. */
export interface Finding {
  readonly state: 'ok' | 'note' | 'bad'
  /** What is there; else what is wrong and what to do about it. */
  readonly text: string
}

export const ok = (text: string): Finding => ({ state: 'ok', text })
export const note = (text: string): Finding => ({ state: 'note', text })
export const bad = (text: string): Finding => ({ state: 'bad', text })

/** What `look` finds; if it cannot look, that is bad, and `remedy` says what to do. */
export async function finding(
  look: () => Promise<Finding | readonly Finding[]>,
  remedy = '',
): Promise<readonly Finding[]> {
  try {
    const found = await look()
    return 'state' in found ? [found] : found
  } catch (error) {
    return [bad([sentence(error), remedy].filter((part) => part !== '').join(' '))]
  }
}

export function sentence(error: unknown): string {
  if (error instanceof Fault || !isOpenStackError(error)) return reasonOf(error)
  return /[.!)]$/.test(error.message) ? error.message : `${error.message}.`
}

/** `✓`, `!` or `✗` before it. */
export function findingLine({ state, text }: Finding): string {
  return `${{ ok: '✓', note: '!', bad: '✗' }[state]} ${text}`
}
