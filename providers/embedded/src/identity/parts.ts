import type { IdentityStore } from '@gantry/control'
import type { Clock, Ids, Throttle } from '@gantry/kernel'
import type { Passwords } from './passwords.ts'
import type { TokenBox } from './tokens.ts'

/** What the pieces of the identity service share. */
export interface Parts {
  readonly store: IdentityStore
  readonly clock: Clock
  readonly ids: Ids
  readonly passwords: Passwords
  readonly throttle: Throttle
  readonly box: TokenBox
  readonly tokenLifeMs: number
}

/** As Keystone writes ids: 32 hex digits. */
export function newId(ids: Ids): string {
  return ids.hex(16)
}

/**
 * Takes something away from tokens' owners. Revoked before, so that a crash in between leaves nothing valid, and again
 * after, for a token that was issued while the change was under way.
 */
export async function revoking<T>(box: TokenBox, subjects: readonly string[], change: () => Promise<T>): Promise<T> {
  if (subjects.length === 0) return change()
  await box.revoke(...subjects)
  const result = await change()
  await box.revoke(...subjects)
  return result
}
