import type { Caller, Container, Verb } from '@gantry/model'
import type { DeleteOptions } from '../control.ts'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import { writeWish } from './change-wish.ts'
import { forgetContainer } from './forget-container.ts'
import { locksFor } from './publish.ts'
import { findContainer, requireAdminFor, requireOwnLife, requireState } from './find-container.ts'

/** Grace that a delete with `stop` gives the container's processes, seconds; as in Zun. */
const stopGraceSeconds = 10

/**
 * Wishes the container gone. One that no host holds, or whose host is lost, is forgotten at once: when a lost host comes
 * back, its agent finds no assignment for it and removes it.
 */
export async function deleteContainer(deps: Deps, caller: Caller, ref: string, options: DeleteOptions): Promise<void> {
  // A plain "force" from a client that always sends it must not need the role when "stop" already covers the case.
  requireAdminFor(caller, options.force && !options.stop, 'Forcing a delete')
  const meant = await findContainer(deps.store, caller, ref, options)
  const { container, forgotten } = await deps.store.transaction(async (tables) => {
    const found = await findContainer(tables, caller, meant.id, options)
    requireOwnLife(found)
    if (found.wish.gone) return { container: found, forgotten: false }
    requireState(found, verbFor(found, options))
    const changed = await writeWish(deps, tables, caller, found, {
      action: 'delete',
      task: 'container_deleting',
      wish: { gone: { graceSeconds: options.stop ? (options.graceSeconds ?? stopGraceSeconds) : 0 } },
    })
    if (changed.hostId !== null && !changed.hostLost) return { container: changed, forgotten: false }
    await forgetContainer(deps, tables, changed)
    await tables.actions.finishUpTo(changed.id, changed.wish.version, changed.updatedAt, null)
    return { container: changed, forgotten: true }
  }, locksFor(meant))
  if (forgotten) deps.activity.changed(container, container, true)
  deps.hub.publish(containerEvent(container, container.updatedAt, forgotten))
  if (!forgotten) deps.ring({ kind: 'wish', container })
}

function verbFor(container: Container, { stop, force }: DeleteOptions): Verb {
  if (stop) return 'delete_stop'
  if (force) return 'delete_force'
  // One that never got a host holds nothing anywhere; its owner need not know the word "stop" to be rid of it.
  return container.hostId === null ? 'delete_stop' : 'delete'
}
