import type { Clock } from '@gantry/kernel'
import type { Tokens } from '../ports/identity.ts'

export interface CredentialTokens {
  /** A token of the application credential; the one it got last time while that is good for a while. */
  get(key: string, credential: { readonly id: string; readonly secret: string }, address: string): Promise<string>
  forget(key: string): void
}

interface Known {
  readonly token: Promise<string>
  /** Epoch milliseconds; infinite while the log-in is under way. */
  until: number
}

const maxKnown = 1000
/** A token is not used in its last minute, so that it does not end on its way. */
const spareMs = 60_000

/**
 * Logging in hashes the secret, which costs tens of milliseconds by design; a client that shows its credential with every
 * request is spared that. `key` must be as hard to guess as the secret. Requests that come together share one log-in.
 */
export function credentialTokens(tokens: Pick<Tokens, 'issue'>, clock: Clock): CredentialTokens {
  const known = new Map<string, Known>()

  function logIn(key: string, { id, secret }: { id: string; secret: string }, address: string): Known {
    const issued = tokens.issue(
      { method: 'application_credential', credential: { id }, secret },
      { kind: 'default' },
      address,
    )
    const entry: Known = { token: issued.then(({ token }) => token), until: Number.POSITIVE_INFINITY }
    issued.then(
      ({ info }) => {
        entry.until = info.expiresAt - spareMs
      },
      () => {
        if (known.get(key) === entry) known.delete(key)
      },
    )
    return entry
  }

  return {
    get(key, credential, address) {
      const entry = known.get(key)
      const fresh = entry && clock.now() < entry.until ? entry : logIn(key, credential, address)
      // Used last: the first of the map is the one that was not asked for longest.
      known.delete(key)
      known.set(key, fresh)
      const [oldest] = known.keys()
      if (known.size > maxKnown && oldest !== undefined) known.delete(oldest)
      return fresh.token
    },
    forget: (key) => void known.delete(key),
  }
}
