import type { Clock } from '@gantry/kernel'
import {
  allOf,
  type Collection,
  type Context,
  isOpenStackError,
  type NetworkService,
  type Query,
} from '@gantry/openstack'
import type { HostLog } from '../agent/host-log.ts'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { Marks } from './names.ts'
import type { Wish } from './neutron-options.ts'

/** What every part of the plugin stands on. */
export interface Site {
  /** Neutron in the name of whose networks they are. */
  readonly neutron: NetworkService
  /** Neutron with the right to bind ports; may be the same. */
  readonly binding: NetworkService
  /** Id of the project whose everything is. */
  readonly project: () => Promise<string>
  /** The host as Neutron's agent calls it. */
  readonly host: string
  readonly marks: Marks
  /** Names of pools begin with it. */
  readonly poolPrefix: string
  /** New subnets are served by Neutron's DHCP agent, for machines beside the containers. */
  readonly dhcp: boolean
  readonly clock: Clock
  readonly log: HostLog
  /** For one call of Docker's; it gives up after half a minute. */
  readonly context: () => Context
}

/**
 * The one object that a wish names, in the project. By name, several are a mistake of the user's. What is found by id must be
 * the project's too: what belongs to others cannot be tagged.
 */
export async function findNamed<T extends { id: string; project_id?: string }>(
  site: Site,
  what: string,
  collection: Pick<Collection<T, never, never>, 'list'>,
  wish: NonNullable<Wish>,
): Promise<T> {
  const query: Query = { ...wish, project_id: await site.project() }
  const found = await allOf(collection.list(query, site.context()))
  const [key, value] = 'id' in wish ? ['id', wish.id] : ['name', wish.name]
  const [first] = found
  if (first === undefined)
    throw new PluginRefusal(404, `There is no ${what} with ${key} ${value} in the project of this plugin.`)
  if (found.length > 1)
    throw new PluginRefusal(409, `${found.length} ${what}s are named ${value}; say which by its id.`)
  return first
}

/** Neutron's refusal as a sentence for the user of the engine. */
export function toldByNeutron(error: unknown): unknown {
  if (!isOpenStackError(error)) return error
  const { status, reason, failure } = error
  if (failure !== 'answer') return new PluginRefusal(503, `${error.service} does not answer: ${reason}.`, error)
  const sentence = reason.endsWith('.') ? reason : `${reason}.`
  if (status === 403 && reason.includes('binding')) {
    return new PluginRefusal(
      403,
      'The user of this plugin may not bind ports in Neutron; give it one that may (gantry kuryr --binding-cloud FILE).',
      error,
    )
  }
  return new PluginRefusal(status ?? 502, `Neutron: ${sentence}`, error)
}

/** Does what may have been done before. */
export async function unlessThere(work: Promise<unknown>, ...statuses: readonly number[]): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!statuses.some((status) => isOpenStackError(error, status))) throw error
  }
}
