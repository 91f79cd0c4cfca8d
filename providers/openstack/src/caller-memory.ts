import { createHash } from 'node:crypto'
import { BoundedMap, type Clock } from '@gantry/kernel'
import type { Caller } from '@gantry/model'

/** How long an answer is good for those who ask with the same token. Milliseconds. */
const freshMs = 10_000
const mostKept = 2_000

/** What a service answered a moment ago to who showed the same token. */
export interface CallerMemory {
  /** Many who ask at once wait for one answer. What failed is asked anew, and so is what does not count as found. */
  of<T>(caller: Caller, what: string, ask: () => Promise<T>, isFound?: (answer: T) => boolean): Promise<T>
  forgetOne(caller: Caller, what: string): void
  /** Something was changed there. */
  forget(): void
}

export function callerMemory(clock: Clock): CallerMemory {
  const kept = new BoundedMap<string, { readonly at: number; readonly answer: Promise<unknown> }>(mostKept)
  return {
    of<T>(
      caller: Caller,
      what: string,
      ask: () => Promise<T>,
      isFound: (answer: T) => boolean = () => true,
    ): Promise<T> {
      const key = keyOf(caller, what)
      const known = kept.get(key)
      if (known && clock.now() - known.at < freshMs) return known.answer as Promise<T>
      const answer = ask()
      const entry = { at: clock.now(), answer }
      kept.set(key, entry)
      const drop = () => {
        if (kept.get(key) === entry) kept.delete(key)
      }
      answer.then((found) => (isFound(found) ? undefined : drop()), drop)
      return answer
    },
    forgetOne: (caller, what) => kept.delete(keyOf(caller, what)),
    forget: () => kept.clear(),
  }
}

function keyOf({ token, projectId }: Caller, what: string): string {
  const shown = createHash('sha256')
    .update(token?.reveal() ?? '')
    .digest('base64')
  return `${shown} ${projectId} ${what}`
}
