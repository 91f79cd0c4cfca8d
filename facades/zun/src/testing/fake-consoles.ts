import type { Consoles } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { allows, type Caller, type Container, transitions } from '@gantry/model'

/** Gives tokens; nothing is behind them. */
export function fakeConsoles(find: (caller: Caller, ref: string) => Container): Consoles {
  let opened = 0
  return {
    async open(caller, ref, target) {
      const { id, name, spec, status } = find(caller, ref)
      if (target.kind === 'attach' && !spec.interactive) throw new Fault('container.not-interactive', { ref: name })
      const verb = target.kind === 'attach' ? 'attach' : 'execute'
      if (!allows(verb, status)) {
        throw new Fault('container.state', { action: verb, ref: name, status, allowed: transitions[verb].join(', ') })
      }
      opened += 1
      const execId = target.kind === 'exec' ? opened.toString(16).padStart(64, '0') : null
      return { token: `token-${opened}`, containerId: id, execId }
    },
    connect() {
      throw new Fault('console.refused')
    },
  }
}
