import { backoff, reasonOf } from '@gantry/kernel'
import { askVersion } from './engine/engine-call.ts'
import { startOwnEngine } from './engine/own-engine.ts'
import { untilEngineGone } from './engine/watch-engine.ts'
import type { Home } from './home.ts'

const steadyMs = 60_000

/**
 * Looks after our own engine until the signal is aborted: when it dies it is started again. Its containers live on
 * meanwhile (live restore), so this only gives the agent somebody to talk to.
 */
export async function keepOwnEngine(
  home: Home,
  socket: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const began = performance.now()
      await untilEngineGone(socket, signal)
      if (performance.now() - began > steadyMs) attempt = 0
      // The stream may end without its engine; then there is nothing to do but to watch again.
      if (await askVersion(socket, 1000, signal)) continue
      say('! The engine is gone; starting it again.')
      await backoff(attempt, { baseMs: 200, maxMs: 30_000 }, signal)
      await startOwnEngine(home, signal)
      say('✓ The engine runs again.')
    } catch (error) {
      if (signal.aborted) return
      say(`! ${reasonOf(error)}`)
    }
  }
}
