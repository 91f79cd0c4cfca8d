import type { DomainRef, LogIn, Ref, StoredAppCredential, TokenInfo, User } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Parts } from './parts.ts'

/** Who it is, and what the proof limits the token to. */
export interface Proof {
  readonly user: User
  readonly methods: readonly string[]
  /** The token that was shown, if that was the proof. */
  readonly parent: TokenInfo | null
  readonly appCredential: StoredAppCredential | null
}

/** Throws `auth.failed`, `auth.slowed` or `auth.busy`, alike for wrong secrets, unknown users and disabled ones. */
export async function prove(parts: Parts, logIn: LogIn, address: string): Promise<Proof> {
  switch (logIn.method) {
    case 'password': {
      const user = await findUser(parts, logIn.user)
      const key = `user ${user?.id ?? JSON.stringify(logIn.user)} ${address}`
      await provePassword(parts, user, logIn.password, key)
      return { user: await active(parts, user), methods: ['password'], parent: null, appCredential: null }
    }
    case 'application_credential':
      return proveAppCredential(parts, logIn, address)
    case 'token': {
      const parent = await parts.box.open(logIn.token)
      if (parent.appCredential) {
        throw new Fault('identity.refused', { reason: 'A token of an application credential cannot be rescoped.' })
      }
      const user = await active(parts, await parts.store.users.get(parent.user.id))
      return { user, methods: [...new Set(['token', ...parent.methods])], parent, appCredential: null }
    }
  }
}

/** Also what a user shows to change her password. `key`: what failures are counted by. */
export async function provePassword(
  parts: Parts,
  user: User | undefined,
  password: string,
  key: string,
): Promise<void> {
  const hash = user && (await parts.store.passwords.get(user.id))
  await proveSecret(parts, password, hash, key)
}

async function proveAppCredential(
  parts: Parts,
  { credential: ref, secret }: Extract<LogIn, { method: 'application_credential' }>,
  address: string,
): Promise<Proof> {
  const found = await findAppCredential(parts, ref)
  await proveSecret(parts, secret, found?.secretHash, `credential ${found?.id ?? JSON.stringify(ref)} ${address}`)
  const expired = found?.expiresAt !== undefined && found.expiresAt !== null && found.expiresAt <= parts.clock.now()
  if (!found || expired) throw new Fault('auth.failed')
  const user = await active(parts, await parts.store.users.get(found.userId))
  return { user, methods: ['application_credential'], parent: null, appCredential: found }
}

async function proveSecret(parts: Parts, secret: string, hash: string | undefined, key: string): Promise<void> {
  const { throttle, passwords } = parts
  throttle.check(key)
  // Asked again when its turn comes: guesses sent side by side must not all pass before the first one has failed.
  if (await passwords.matches(secret, hash, () => throttle.check(key))) return throttle.succeeded(key)
  throttle.failed(key)
  throw new Fault('auth.failed')
}

async function active({ store }: Parts, user: User | undefined): Promise<User> {
  if (!user?.enabled || !(await store.domains.get(user.domainId))?.enabled) throw new Fault('auth.failed')
  return user
}

async function findAppCredential(
  parts: Parts,
  ref: Extract<LogIn, { method: 'application_credential' }>['credential'],
): Promise<StoredAppCredential | undefined> {
  if ('id' in ref) return parts.store.appCredentials.get(ref.id)
  const user = await findUser(parts, ref.user)
  return user && (await parts.store.appCredentials.list({ userId: user.id, name: ref.name }))[0]
}

async function findUser({ store }: Parts, ref: Ref): Promise<User | undefined> {
  if ('id' in ref) return store.users.get(ref.id)
  const domainId = await findDomainId(store, ref.domain)
  return domainId === undefined ? undefined : (await store.users.list({ domainId, name: ref.name }))[0]
}

export async function findDomainId(store: Parts['store'], ref: DomainRef): Promise<string | undefined> {
  return 'id' in ref ? ref.id : (await store.domains.list({ name: ref.name }))[0]?.id
}
