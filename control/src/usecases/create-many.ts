import { Fault } from '@gantry/kernel'
import type { Caller, Container, ContainerId } from '@gantry/model'
import type { NewContainer } from '../control.ts'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import { enforceQuota } from '../quotas/enforce.ts'
import { type Made, withMade } from './ahead.ts'
import { checkNew, locksOfNew, needsOf, portsRequestOf, reserveFor } from './create-container.ts'
import { confirmImage } from './image-of-new.ts'
import { type Insertion, insertContainers } from './insert-container.ts'
import { checkName, madeUpName } from './names.ts'

/** At once; more would keep other writers waiting for too long. */
export const mostAtOnce = 1000

/**
 * Writes the wishes for so many alike, or for none of them: what is over quota, or asks for what only one can have, is refused as a
 * whole. One of name `web` makes `web-1`, `web-2` and so on.
 */
export async function createContainers(
  deps: Deps,
  caller: Caller,
  input: NewContainer,
  count: number,
): Promise<Container[]> {
  const born = bornOf(deps, input, count)
  const image = await checkNew(deps, caller, input, count)
  const containers = await withAllMade(deps, caller, born, input, (made) =>
    deps.store.transaction(
      async (tables) => {
        await enforceQuota(tables, caller.projectId, needsOf(input.spec, count))
        await confirmImage(tables, image, input.spec.image)
        const insertions: Insertion[] = []
        for (const [index, { id, name }] of born.entries()) {
          const own = made[index] ?? {}
          const reserved = await deps.networks.reserve(tables, caller, portsRequestOf(id, input), own.nics)
          insertions.push(await reserveFor(deps, tables, caller, { id, name, input, image }, { ...own, reserved }))
        }
        return insertContainers(deps, tables, caller, insertions)
      },
      locksOfNew(deps, caller, input),
    ),
  )
  for (const container of containers) {
    deps.hub.publish(containerEvent(container, container.createdAt))
    deps.ring({ kind: 'unplaced', id: container.id, projectId: container.projectId })
  }
  return containers
}

/** Their ids and names. Throws `request.invalid`. */
export function bornOf(
  { ids }: Pick<Deps, 'ids'>,
  { name }: Pick<NewContainer, 'name'>,
  count: number,
): { readonly id: ContainerId; readonly name: string }[] {
  if (!Number.isInteger(count) || count < 1 || count > mostAtOnce) {
    throw new Fault('request.invalid', { problem: `count is a whole number from 1 to ${mostAtOnce}, not ${count}.` })
  }
  if (name !== null) {
    checkName(name)
    checkName(`${name}-${count}`)
  }
  return Array.from({ length: count }, (_, index) => ({
    id: ids.uuid() as ContainerId,
    name: name === null ? madeUpName(ids) : `${name}-${index + 1}`,
  }))
}

/** Runs `work` with what other services made for each, one after another; everything goes again if anything fails. */
async function withAllMade<T>(
  deps: Deps,
  caller: Caller,
  born: readonly { readonly id: ContainerId }[],
  input: NewContainer,
  work: (made: readonly Made[]) => Promise<T>,
): Promise<T> {
  if (!deps.networks.remote && !deps.volumes.remote) return work([])
  const next = (made: readonly Made[]): Promise<T> => {
    const one = born[made.length]
    if (!one) return work(made)
    const needs = { ports: portsRequestOf(one.id, input), mounts: input.mounts ?? [] }
    return withMade(deps, caller, needs, (own) => next([...made, own]))
  }
  return next([])
}
