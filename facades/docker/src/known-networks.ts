import type { Control } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Network } from '@gantry/model'
import { Refusal } from './errors.ts'
import { dockerId } from './ids.ts'

/** The usual network of a project, under the name that Docker's users know. */
export const bridgeName = 'bridge'

/** Names that are no network of the project's. */
export const predefined: readonly string[] = [bridgeName, 'none', 'host', 'default']

/** Under which name Docker clients see it. */
export function nameOfNetwork({ name, usual }: Network): string {
  return usual === true ? bridgeName : name
}

/** The project's networks, its `bridge` first, then those that other projects share with it. */
export async function knownNetworks({ network }: Control, caller: Caller): Promise<Network[]> {
  const usual = await network.networks.ensureUsual(caller).catch(noneIfForbidden)
  const visible = (await network.networks.list(caller)).filter(({ id, external }) => !external && id !== usual?.id)
  const isOwn = ({ projectId }: Network) => projectId === caller.projectId
  return [...(usual ? [usual] : []), ...visible.filter(isOwn), ...visible.filter((each) => !isOwn(each))]
}

/** Who may only look does not make it either. */
function noneIfForbidden(error: unknown): null {
  if (error instanceof Fault && error.code === 'policy.forbidden') return null
  throw error
}

/**
 * A whole id first, then a name, then the beginning of an id: the engine's own order. Throws `network.not-found`, and
 * refuses what several could be meant by.
 */
export async function findNetwork(control: Control, caller: Caller, ref: string): Promise<Network> {
  const all = await knownNetworks(control, caller)
  const exact = all.find(({ id }) => id === ref || dockerId(id) === ref)
  const named = exact ? [exact] : all.filter((network) => nameOfNetwork(network) === ref)
  // One of the own hides a shared one of the same name.
  const own = named.filter(({ projectId }) => projectId === caller.projectId)
  const isPrefix = named.length === 0 && /^[0-9a-f]{1,64}$/.test(ref)
  const begun = isPrefix ? all.filter(({ id }) => dockerId(id).startsWith(ref)) : []
  const [first, second] = [own, named, begun].find(({ length }) => length > 0) ?? []
  if (!first) throw new Fault('network.not-found', { type: 'network', ref })
  if (second) throw new Refusal(400, `network ${ref} is ambiguous (${own.length + begun.length} matches found)`)
  return first
}

/** Names of the networks that the caller sees, by id. */
export async function networkNames({ network }: Control, caller: Caller): Promise<ReadonlyMap<string, string>> {
  return new Map((await network.networks.list(caller)).map((each) => [each.id, nameOfNetwork(each)]))
}
