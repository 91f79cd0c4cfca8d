import type { Caller, Container } from '@gantry/model'
import type { NewContainer } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { Lock, Store, Tables } from '../ports/store.ts'
import { enforceQuota } from '../quotas/enforce.ts'
import type { Made } from './ahead.ts'
import { checkNew, locksOfNew, needsOf, writeNew } from './create-container.ts'
import { bornOf } from './create-many.ts'

/**
 * All that a create of `count` alike does within the store, undone again: throws what it would throw, answers with the first
 * container as it would be. Two are tried of many, which tells what only one can have. What another service keeps (ports of Neutron,
 * volumes of Cinder) is only looked up: that service's own limits are not asked for.
 */
export async function rehearseCreate(
  deps: Deps,
  caller: Caller,
  input: NewContainer,
  count: number,
): Promise<Container> {
  const tried = bornOf(deps, input, count).filter((_, index) => index === 0 || index === count - 1)
  const image = await checkNew(deps, caller, input, count)
  await lookUp(deps, caller, input)
  const made: Made = { ...(deps.networks.remote && { nics: [] }), ...(deps.volumes.remote && { volumes: new Map() }) }
  const own = deps.volumes.remote ? { ...input, mounts: [] } : input
  const containers = await undone(
    deps.store,
    async (tables) => {
      await enforceQuota(tables, caller.projectId, needsOf(input.spec, count))
      const written: Container[] = []
      for (const { id, name } of tried) {
        const one = count === 1 ? own : { ...own, name }
        written.push((await writeNew(deps, tables, caller, { id, input: one, image }, made)).container)
      }
      return written
    },
    locksOfNew(deps, caller, input),
  )
  const [first] = containers
  if (!first) throw new Error('at least one was tried')
  return first
}

/** That what it names at other services is there. */
async function lookUp(
  { networks, volumes }: Pick<Deps, 'networks' | 'volumes'>,
  caller: Caller,
  { nets = [], groups, mounts = [] }: NewContainer,
): Promise<void> {
  if (networks.remote) {
    for (const net of nets) {
      await ('port' in net ? networks.ports.get(caller, net.port) : networks.networks.get(caller, net.network))
    }
    for (const group of groups ?? []) await networks.groups.get(caller, group)
  }
  if (!volumes.remote) return
  for (const mount of mounts) if (mount.kind === 'volume') await volumes.volumes.get(caller, mount.source)
}

/** What `work` answers; what it wrote is not there afterwards. */
async function undone<T>(store: Store, work: (tables: Tables) => Promise<T>, locks: readonly Lock[]): Promise<T> {
  const end = new Error('A rehearsal leaves nothing behind.')
  let answer: T | undefined
  try {
    await store.transaction(async (tables) => {
      answer = await work(tables)
      throw end
    }, locks)
  } catch (error) {
    if (error !== end) throw error
  }
  return answer as T
}
