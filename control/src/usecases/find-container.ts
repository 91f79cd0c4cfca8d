import { Fault } from '@gantry/kernel'
import { allows, type Caller, type Container, transitions, type Verb } from '@gantry/model'
import type { RefOptions } from '../control.ts'
import type { Tables } from '../ports/store.ts'

/**
 * The container a caller means. Members see their project only. An administrator reaches every project by id; a name is
 * looked up in the own project first, so that another's container of the same name never gets in the way.
 */
export async function findContainer(
  tables: Tables,
  caller: Caller,
  ref: string,
  options: RefOptions = {},
): Promise<Container> {
  requireAdminFor(caller, options.allProjects === true, 'Looking into all projects')
  const own = await tables.containers.find(caller.projectId, ref)
  const found = own.length > 0 || !caller.isAdmin ? own : await tables.containers.find(null, ref)
  const [first, second] = found
  if (!first) throw new Fault('container.not-found', { ref })
  if (second) throw new Fault('container.ambiguous', { name: ref })
  return first
}

export function requireAdminFor(caller: Caller, asked: boolean, action: string): void {
  if (asked && !caller.isAdmin) throw new Fault('policy.forbidden', { action, reason: 'it needs the admin role' })
}

export function requireState(container: Container, verb: Verb): void {
  if (allows(verb, container.status)) return
  throw new Fault('container.state', {
    action: verb.replace(/_.*/, ''),
    ref: container.name,
    status: container.status,
    allowed: transitions[verb].join(', '),
  })
}
