import { orAborted } from '@gantry/kernel'
import type { Clock } from '@gantry/kernel'
import type { Context } from './call.ts'
import type { Held } from './log-in.ts'

/** Keeps one token and gets the next before it ends. */
export interface TokenKeeper {
  held(context: Context): Promise<Held>
  /** A service did not accept it. False if there is no other to be had. */
  refused(token: string): boolean
}

export interface KeeperParts {
  readonly clock: Clock
  readonly logIn: () => Promise<Held>
  /** False for a user's own token, which is used as it is: whether it has ended is for the services to say. */
  readonly isRenewable: boolean
}

/** Before the end of a token: when the next is asked for beside the calls, and when calls wait for it. Milliseconds. */
const renewBeforeMs = 300_000
const endBeforeMs = 30_000
/** After a renewal that failed while the token was still good. */
const pauseMs = 10_000

export function tokenKeeper({ clock, logIn, isRenewable }: KeeperParts): TokenKeeper {
  const state: { held: Held | null; pending: Promise<Held> | null; pausedUntil: number } = {
    held: null,
    pending: null,
    pausedUntil: 0,
  }
  // One log-in for all who wait; it does not end because one of them gives up.
  const renew = () => {
    state.pending ??= logIn().then(
      (held) => {
        state.held = held
        state.pending = null
        return held
      },
      (error: unknown) => {
        state.pending = null
        state.pausedUntil = clock.now() + pauseMs
        throw error
      },
    )
    return state.pending
  }

  return {
    async held({ signal }) {
      const { held } = state
      if (held === null) return orAborted(renew(), signal)
      if (!isRenewable) return held
      const left = held.endsAt - clock.now()
      if (left <= Math.min(endBeforeMs, held.lifeMs / 10)) return orAborted(renew(), signal)
      if (left <= Math.min(renewBeforeMs, held.lifeMs / 4) && clock.now() >= state.pausedUntil) {
        // Whoever needs the new one hears of a failure; this call has a token that is good.
        renew().catch(() => undefined)
      }
      return held
    },
    refused(token) {
      if (!isRenewable) return false
      if (state.held?.token === token) state.held = null
      return true
    },
  }
}
