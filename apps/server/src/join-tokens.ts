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

/** Its tokens are good for instances alone, and so for nothing once the instance is no more. */
const instancePrefix = 'i-'

export type JoinTokens = ReturnType<typeof joinTokens>

/** One-time tokens with which a new agent joins: 128 random bits, kept as a hash, good for ten minutes and one use. */
export function joinTokens(store: Store, clock: Clock, ids: Ids, isConnected: (id: HostId) => boolean) {
  async function issued(id: string, lifeMs: number): Promise<IssuedToken> {
    const token = { id, secret: ids.hex(16), expiresAt: clock.now() + lifeMs }
    await store.hosts.addJoinToken({ id, secretHash: hashOf(token.secret), expiresAt: token.expiresAt })
    return token
  }

  /** The host of an instance has its id. Another machine that has read the token is not let in under another name. */
  async function redeemForInstance(id: string, secret: string, hostname: string): Promise<HostId> {
    const instance = await store.instances.byToken(id)
    if (instance?.state !== 'booting') {
      throw new Fault('agent.token-refused', { reason: 'the instance that it was made for is no longer wanted' })
    }
    if (instance.name !== hostname) {
      await store.hosts.addJoinToken({ id, secretHash: hashOf(secret), expiresAt: clock.now() + againMs })
      throw new Fault('agent.token-refused', { reason: `it is for ${instance.name} alone, not for ${hostname}` })
    }
    return instance.id as string as HostId
  }

  return {
    issue: () => issued(ids.hex(6), lifetimeMs),
    issueForInstance: (lifeMs: number) => issued(`${instancePrefix}${ids.hex(6)}`, lifeMs),
    /** The id of the host that joins: its former one if a host of that name is known. Throws `agent.token-refused`. */
    async redeem(id: string, secret: string, hostname: string): Promise<HostId> {
      const valid = await store.hosts.redeemJoinToken(id, hashOf(secret), clock.now())
      if (!valid) {
        throw new Fault('agent.token-refused', {
          reason: 'it is unknown, used, or older than ten minutes',
        })
      }
      if (id.startsWith(instancePrefix)) return redeemForInstance(id, secret, hostname)
      const known = await store.hosts.idOf(hostname)
      if (known !== undefined && isConnected(known)) {
        // Two machines that take turns in being one host would each run all its containers. The token may be used again.
        await store.hosts.addJoinToken({ id, secretHash: hashOf(secret), expiresAt: clock.now() + againMs })
        throw new Fault('agent.token-refused', {
          reason: `a host named ${hostname} is connected, so this machine needs another name (--name)`,
        })
      }
      return known ?? (ids.uuid() as HostId)
    },
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
