import { Fault } from '@gantry/kernel'
import type { GrantCheck } from '../ports/identity.ts'
import type { Identified } from './identify.ts'

export interface StreamGuard extends Disposable {
  /**
   * Calls `end` once when what the connection was opened with is revoked. Time that runs out ends nothing. Call the
   * answer when the connection is over.
   */
  watch(identity: Pick<Identified, 'credential' | 'stillGranted'>, end: (reason: Fault) => void): () => void
}

export interface StreamGuardOptions {
  readonly identity: Pick<GrantCheck, 'onRevoked'>
  /** Between two looks at each credential that has open connections, for what was revoked elsewhere. Milliseconds. */
  readonly everyMs?: number
}

interface Watched {
  readonly stillGranted: () => Promise<boolean>
  readonly ends: Set<(reason: Fault) => void>
}

const usualMs = 10_000

/**
 * Ends connections whose right to be open was taken back: at once when this server hears of it, else at the next look. One
 * question per credential, however many connections it has; no timer while there are none.
 */
export function createStreamGuard({ identity, everyMs = usualMs }: StreamGuardOptions): StreamGuard {
  const watched = new Map<string, Watched>()
  let timer: NodeJS.Timeout | undefined
  let looking = false
  let again = false
  const unhook = identity.onRevoked?.(() => look())

  function look(): void {
    // Revoked while a look is under way: that one may have asked too early.
    again = true
    if (looking) return
    looking = true
    void lookAll()
  }

  async function lookAll(): Promise<void> {
    while (again) {
      again = false
      for (const [credential, entry] of watched) {
        // Nobody can tell right now: connections are not cut because a database is busy, and are asked about again.
        const granted = await entry.stillGranted().catch(() => true)
        if (!granted) end(credential, entry)
      }
    }
    looking = false
  }

  function end(credential: string, entry: Watched): void {
    if (watched.get(credential) === entry) watched.delete(credential)
    const reason = new Fault('auth.required', { reason: 'what this connection was opened with was revoked' })
    for (const tell of entry.ends) tell(reason)
    entry.ends.clear()
    rest()
  }

  function rest(): void {
    if (watched.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    watch({ credential, stillGranted }, tell) {
      const known = watched.get(credential)
      const entry = known ?? { stillGranted, ends: new Set() }
      // A function of its own, so that the same one may be given twice.
      const own = (reason: Fault) => tell(reason)
      entry.ends.add(own)
      if (!known) watched.set(credential, entry)
      timer ??= setInterval(look, everyMs).unref()
      return () => {
        entry.ends.delete(own)
        if (entry.ends.size > 0 || watched.get(credential) !== entry) return
        watched.delete(credential)
        rest()
      }
    },
    [Symbol.dispose]() {
      unhook?.()
      watched.clear()
      rest()
    },
  }
}
