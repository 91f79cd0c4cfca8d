import type { NetworkVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Network } from '@gantry/model'
import { allOf, isOpenStackError, type Network as Said, type Port } from '@gantry/openstack'
import type { Parts } from './parts.ts'
import { networkBy, requireAdmin, requireOwner, type Sight, scopeOf, sightOf, visibleNetworks } from './sight.ts'
import { interfaceOwners, networkOf, ownedBy } from './translate.ts'
import { attempt } from './verb-faults.ts'

type PlainVerbs = Omit<NetworkVerbs['networks'], 'ensureUsual' | 'createWhole' | 'deleteWhole'>

export function networks(parts: Parts): PlainVerbs {
  const { store } = parts
  return {
    async create(caller, { name, shared, external }) {
      if (shared) requireAdmin(caller, 'Sharing a network with every project')
      if (external) requireAdmin(caller, 'Making an external network')
      const { neutron, context } = sightOf(parts, caller)
      const body = { name, ...(shared && { shared }), ...(external && { 'router:external': true }), ...ownedBy(caller) }
      return attempt({ type: 'network', ref: name }, async () =>
        networkOf(await neutron.networks.create(body, context)),
      )
    },
    list: (caller, options) =>
      attempt({ type: 'network', ref: 'of the project' }, async () => {
        const sight = sightOf(parts, caller)
        const found =
          'project_id' in scopeOf(caller, options)
            ? await visibleNetworks(sight)
            : await allOf(sight.neutron.networks.list({}, sight.context))
        return withNotes(parts, caller, found)
      }),
    get: async (caller, ref) => noted(parts, caller, await networkBy(sightOf(parts, caller), ref)),
    async rename(caller, ref, name) {
      const sight = sightOf(parts, caller)
      const { id } = await ownNetworkBy(sight, ref, 'Renaming this network')
      const renamed = await attempt({ type: 'network', ref }, () =>
        sight.neutron.networks.update(id, { name }, sight.context),
      )
      return noted(parts, caller, renamed)
    },
    async delete(caller, ref) {
      const sight = sightOf(parts, caller)
      const network = await ownNetworkBy(sight, ref, 'Deleting this network')
      await removeNetwork(sight, network)
      for (const { id } of await store.cloudNetworks.ofNetworks([network.id])) await store.cloudNetworks.remove(id)
    },
  }
}

/** One that the caller may change: who only sees it is told so. */
export async function ownNetworkBy(sight: Sight, ref: string, action: string): Promise<Said> {
  const network = await networkBy(sight, ref)
  requireOwner(sight.caller, network, action)
  return network
}

/** In Gantry's words, with what is known of them here alone. */
async function withNotes({ store }: Parts, caller: Caller, found: readonly Said[]): Promise<Network[]> {
  const notes = await store.cloudNetworks.ofNetworks(found.map(({ id }) => id))
  const byId = new Map(notes.map((note) => [note.networkId as string, note]))
  return found.map((said) => {
    const { usual, ...network } = networkOf(said, byId.get(said.id))
    // Another project's usual network is one like others here.
    return usual === true && network.projectId === caller.projectId ? { ...network, usual } : network
  })
}

export async function noted(parts: Parts, caller: Caller, said: Said): Promise<Network> {
  const [network] = await withNotes(parts, caller, [said])
  return network ?? networkOf(said)
}

/** With its subnets and the ports of services. Throws `network.in-use`, and says by what. */
export async function removeNetwork(sight: Sight, { id, name = id }: Said): Promise<void> {
  const { neutron, context } = sight
  const about = { type: 'network', ref: name }
  await attempt(about, async () => {
    try {
      await neutron.networks.remove(id, context)
    } catch (error) {
      if (!isOpenStackError(error, 409)) throw error
      const ports = holdersOf(await allOf(neutron.ports.list({ network_id: id }, context)))
      if (ports.length === 0) throw error
      throw new Fault('network.in-use', { ...about, reason: usesOf(ports) }, error)
    }
  })
}

/** Without those that Neutron's own services have on every network, and which go with it. */
export function holdersOf(ports: readonly Port[]): Port[] {
  const ofServices = ['network:dhcp', 'network:distributed', 'network:local_ip']
  return ports.filter(({ device_owner = '' }) => !ofServices.includes(device_owner))
}

const uses: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'free port'],
  [/^compute:kuryr$/, 'port of a container'],
  [/^compute:/, 'port of a virtual machine'],
  [/^network:router_gateway$/, 'router gateway'],
  [/^network:floatingip$/, 'floating IP'],
]

/** Says, for the end of a sentence, what these ports are used for. */
export function usesOf(ports: readonly Port[]): string {
  const counts = Map.groupBy(ports, ({ device_owner: owner = '' }) => {
    if (interfaceOwners.includes(owner)) return 'router interface'
    return uses.find(([pattern]) => pattern.test(owner))?.[1] ?? owner
  })
  return `remove these first: ${[...counts].map(([kind, { length }]) => `${kind} (${length})`).join(', ')}`
}
