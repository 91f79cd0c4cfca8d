import {
  type ActionId,
  type ActionName,
  type Caller,
  type Container,
  statusOf,
  type Task,
  type Verb,
  type Wish,
} from '@gantry/model'
import type { RefOptions } from '../control.ts'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import type { Tables } from '../ports/store.ts'
import { locksFor } from './publish.ts'
import { findContainer, requireOwnLife, requireState } from './find-container.ts'

export interface WishChange {
  readonly action: ActionName
  readonly task: Task | null
  readonly wish?: Partial<Omit<Wish, 'version'>>
  /** What its interfaces stand on is new to its host. */
  readonly rewired?: boolean
  readonly rest?: Partial<
    Pick<
      Container,
      'spec' | 'name' | 'imageRef' | 'imageManifest' | 'nics' | 'registryId' | 'sealedRegistryAuth' | 'moving'
    >
  >
}

/**
 * How every verb that changes a container works: find it in the caller's scope, check its state, write the new wish and
 * the action in one transaction, ring the reconciler, answer. `decide` is pure and sees the container inside the transaction.
 */
export async function changeWish(
  deps: Deps,
  caller: Caller,
  ref: string,
  verb: Verb | null,
  decide: (container: Container, tables: Tables) => WishChange | Promise<WishChange>,
  options: RefOptions & { readonly rewired?: boolean } = {},
): Promise<Container> {
  const meant = await findContainer(deps.store, caller, ref, options)
  const { changed, rewired = false } = await deps.store.transaction(async (tables) => {
    const container = await findContainer(tables, caller, meant.id, options)
    requireOwnLife(container)
    if (verb) requireState(container, verb)
    const change = await decide(container, tables)
    return { changed: await writeWish(deps, tables, caller, container, change), rewired: change.rewired }
  }, locksFor(meant))
  deps.hub.publish(containerEvent(changed, changed.updatedAt))
  deps.ring({ kind: 'wish', container: changed, rewired: rewired || options.rewired === true })
  return changed
}

export async function writeWish(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  container: Container,
  change: WishChange,
): Promise<Container> {
  const now = deps.clock.now()
  const wished: Container = {
    ...container,
    ...change.rest,
    wish: { ...container.wish, ...change.wish, version: container.wish.version + 1 },
    task: change.task,
    placementFailure: null,
    updatedAt: now,
  }
  const view = statusOf(wished)
  const changed: Container = { ...wished, status: view.status, statusReason: view.reason }
  await tables.containers.update(container.id, {
    ...change.rest,
    wish: changed.wish,
    task: changed.task,
    placementFailure: null,
    updatedAt: now,
    status: changed.status,
    statusReason: changed.statusReason,
  })
  await tables.actions.insert({
    id: deps.ids.uuid() as ActionId,
    containerId: container.id,
    projectId: container.projectId,
    userId: caller.userId,
    requestId: caller.requestId,
    name: change.action,
    wishVersion: changed.wish.version,
    startedAt: now,
    finishedAt: null,
    error: null,
  })
  return changed
}
