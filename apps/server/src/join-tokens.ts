import { createHash } from 'node:crypto'
import type { Store } from '@gantry/control'
import { type Clock, Fault, type Ids } from '@gantry/kernel'
import type { HostId } from '@gantry/model'

const lifetimeMs = 10 * 60_000
const againMs = 60_000

export interface IssuedToken {
  readonly id: string
  readonly secret: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** One-time tokens with which a new agent joins: 128 random bits, kept as a hash, good for ten minutes and one use. */
export function joinTokens(store: Store, clock: Clock, ids: Ids, isConnected: (id: HostId) => boolean) {
  return {
    async issue(): Promise<IssuedToken> {
      const token = { id: ids.hex(6), secret: ids.hex(16), expiresAt: clock.now() + lifetimeMs }
      await store.hosts.addJoinToken({ id: token.id, secretHash: hashOf(token.secret), expiresAt: token.expiresAt })
      return token
    },
    /** The id of the host that joins: its former one if a host of that name is known. Throws `agent.token-refused`. */
    async redeem(id: string, secret: string, hostname: string): Promise<HostId> {
      const valid = await store.hosts.redeemJoinToken(id, hashOf(secret), clock.now())
      if (!valid) {
        throw new Fault('agent.token-refused', {
          reason: 'it is unknown, used, or older than ten minutes',
        })
      }
      const known = (await store.hosts.list()).find((host) => host.name === hostname)
      if (known && isConnected(known.id)) {
        // Two machines that take turns in being one host would each run all its containers. The token may be used again.
        await store.hosts.addJoinToken({ id, secretHash: hashOf(secret), expiresAt: clock.now() + againMs })
        throw new Fault('agent.token-refused', {
          reason: `a host named ${hostname} is connected, so this machine needs another name (--name)`,
        })
      }
      return known?.id ?? (ids.uuid() as HostId)
    },
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
