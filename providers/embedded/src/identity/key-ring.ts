import { createSecretKey, type KeyObject } from 'node:crypto'
import type { SigningKeyTable } from '@gantry/control'
import type { Clock, Ids } from '@gantry/kernel'

export interface KeyRing {
  /** The key that signs now. */
  current(): Promise<{ id: string; key: KeyObject }>
  /** undefined: no such key, or it is too old for any token that could still be valid. */
  find(id: string): Promise<KeyObject | undefined>
}

export interface KeyRingOptions {
  readonly table: SigningKeyTable
  readonly clock: Clock
  readonly ids: Ids
  /** A key signs for this long. */
  readonly rotateMs: number
  /** Longest life of a token: so much longer a key verifies after it has stopped signing. */
  readonly tokenLifeMs: number
}

/** An unknown key id may be another server's new key, or nonsense: look at the store for it, but not more often. */
const reloadMs = 1_000

export function keyRing({ table, clock, ids, rotateMs, tokenLifeMs }: KeyRingOptions): KeyRing {
  let ring: readonly { id: string; key: KeyObject; createdAt: number }[] = []
  let loadedAt = Number.NEGATIVE_INFINITY
  let rotating: Promise<void> | undefined

  async function load(): Promise<void> {
    const keys = await table.list()
    ring = keys.map(({ id, secret, createdAt }) => ({ id, createdAt, key: createSecretKey(secret, 'hex') }))
    loadedAt = clock.now()
  }

  async function rotate(): Promise<void> {
    await load()
    const now = clock.now()
    for (const { id, createdAt } of ring) if (now - createdAt > rotateMs + tokenLifeMs) await table.remove(id)
    const newest = ring[0]
    if (newest && now - newest.createdAt < rotateMs) return
    await table.add({ id: ids.hex(8), secret: ids.hex(32), createdAt: now })
    await load()
  }

  return {
    async current() {
      const newest = ring[0]
      if (newest && clock.now() - newest.createdAt < rotateMs) return newest
      rotating ??= rotate().finally(() => {
        rotating = undefined
      })
      await rotating
      const fresh = ring[0]
      if (!fresh) throw new Error('No signing key, though one was just made.')
      return fresh
    },
    async find(id) {
      const known = () => ring.find((entry) => entry.id === id)
      if (!known() && clock.now() - loadedAt >= reloadMs) await load()
      const entry = known()
      return entry && clock.now() - entry.createdAt <= rotateMs + tokenLifeMs ? entry.key : undefined
    },
  }
}
