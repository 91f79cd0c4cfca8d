import { Fault } from '@gantry/kernel'
import { allows, type Caller, type Container, transitions, type Verb } from '@gantry/model'
import type { RefOptions } from '../control.ts'
import type { Tables } from '../ports/store.ts'

/**
 * The container a caller means. Members see their project only. An administrator reaches every project by id; a name means
 * one of the own project unless all were asked for, so that nobody deletes a tenant's container by a name that matches.
 */
export async function findContainer(
  tables: Tables,
  caller: Caller,
  ref: string,
  options: RefOptions = {},
): Promise<Container> {
  requireAdminFor(caller, options.allProjects === true, 'Looking into all projects')
  const own = await tables.containers.find(caller.projectId, ref)
  const others = own.length > 0 || !caller.isAdmin ? [] : await tables.containers.find(null, ref)
  const found = own.length > 0 ? own : others.filter(({ id }) => options.allProjects === true || id === ref)
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
    action: deeds[verb] ?? verb,
    ref: container.name,
    status: container.status,
    allowed: transitions[verb].join(', '),
  })
}

/** What belongs to a capsule is changed and ended with it, and not by itself. */
export function requireOwnLife({ name, capsule }: Container): void {
  if (capsule) throw new Fault('capsule.member', { ref: name })
}

/** Verbs whose name is not what a person would call the deed. */
const deeds: Partial<Record<Verb, string>> = {
  logs: 'read the logs of',
  stats: 'measure',
  top: 'list the processes of',
  archive: 'copy files of',
  execute: 'run a command in',
  resize_tty: 'resize the terminal of',
  attach: 'attach to',
  rewire: 'change the networks of',
  delete_stop: 'delete',
  delete_force: 'delete',
}
