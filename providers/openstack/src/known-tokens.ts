import { createHash } from 'node:crypto'
import { BoundedMap, type Clock } from '@gantry/kernel'
import type { TokenInfo } from '@gantry/openstack'

/** What Keystone said of a token, and when. */
export interface KnownToken {
  /** With its catalog. */
  readonly info: TokenInfo
  /** Epoch milliseconds. */
  readonly checkedAt: number
  /** Epoch milliseconds, as Keystone said. */
  readonly expiresAt: number
}

/** Users' tokens that Keystone was asked about. Kept by their hash: what leaks out of here opens nothing. */
export interface KnownTokens {
  get(token: string): KnownToken | undefined
  /** `checkedAt`: when Keystone was asked. Not kept if the token was dropped since. */
  set(token: string, info: TokenInfo, checkedAt: number): KnownToken
  /** Some service, or Keystone, does not accept it: Keystone is asked again before it counts for anything. */
  drop(token: string): void
  /** The same for those of which something is known. */
  dropWhere(matches: (info: TokenInfo) => boolean): void
  /** Calls `listener` after each drop, until the answer is called. */
  onDrop(listener: () => void): () => void
}

const mostTokens = 4_000
/** Most tokens have the same catalog, or one for each project. */
const mostCatalogs = 200

type Catalog = NonNullable<TokenInfo['catalog']>

export function knownTokens(clock: Clock): KnownTokens {
  const tokens = new BoundedMap<string, KnownToken>(mostTokens)
  const droppedAt = new BoundedMap<string, number>(mostTokens)
  const catalogs = new BoundedMap<string, Catalog>(mostCatalogs)
  const listeners = new Set<() => void>()

  function shared(catalog: Catalog): Catalog {
    const key = tokenHash(JSON.stringify(catalog))
    const known = catalogs.get(key) ?? catalog
    catalogs.set(key, known)
    return known
  }

  function dropAll(keys: readonly string[]): void {
    for (const key of keys) {
      tokens.delete(key)
      droppedAt.set(key, clock.now())
    }
    for (const listener of listeners) listener()
  }

  return {
    get: (token) => tokens.get(tokenHash(token)),
    set(token, info, checkedAt) {
      const key = tokenHash(token)
      const expiresAt = Date.parse(info.expires_at)
      const known = { info: { ...info, catalog: shared(info.catalog ?? []) }, checkedAt, expiresAt }
      if ((droppedAt.get(key) ?? Number.NEGATIVE_INFINITY) < checkedAt) tokens.set(key, known)
      return known
    },
    drop: (token) => dropAll([tokenHash(token)]),
    dropWhere: (matches) => dropAll([...tokens.entries()].filter(([, { info }]) => matches(info)).map(([key]) => key)),
    onDrop(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
