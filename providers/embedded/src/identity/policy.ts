import type { Asker } from '@gantry/control'
import { Fault } from '@gantry/kernel'

/** What an administrator is: the same word as in the policy files of OpenStack's services. */
export function isAdmin(roles: readonly { readonly name: string }[]): boolean {
  return roles.some(({ name }) => name === 'admin')
}

/** Asked before anything is looked up, so that a refusal does not tell whether the object exists. */
export function requireAdmin(asker: Asker, action: string): void {
  if (!asker.isAdmin) throw new Fault('policy.forbidden', { action, reason: 'it needs the role admin' })
}

export function requireSelfOrAdmin(asker: Asker, userId: string, action: string): void {
  if (asker.isAdmin || asker.token.user.id === userId) return
  throw new Fault('policy.forbidden', { action, reason: 'it needs the role admin, or to be that user' })
}

export function requireSelf(asker: Asker, userId: string, action: string): void {
  if (asker.token.user.id === userId) return
  throw new Fault('policy.forbidden', { action, reason: 'only the user herself may do it' })
}

/** A restricted application credential must not make itself longer-lived or stronger. */
export function requireUnrestricted(asker: Asker, action: string): void {
  if (!asker.token.appCredential?.restricted) return
  throw new Fault('policy.forbidden', { action, reason: 'the application credential is restricted' })
}

export async function found<T>(entity: Promise<T | undefined>, type: string, ref: string): Promise<T> {
  const value = await entity
  if (value === undefined) throw new Fault('identity.not-found', { type, ref })
  return value
}
