import type { NetworkVerbs, NewNetwork } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Network, NetworkId, Port, ProjectId } from '@gantry/model'
import { enforceLimit } from './limits.ts'
import { checkName, type Parts, requireAdmin, scopeOf, transact, type Work } from './parts.ts'
import { networkBy, ownNetworkBy } from './sight.ts'
import type { WholeNetworks } from './whole-networks.ts'

type NetworkVerb = Exclude<keyof NetworkVerbs['networks'], keyof WholeNetworks>

export function networks(parts: Parts): Pick<NetworkVerbs['networks'], NetworkVerb> {
  return {
    async create(caller, input) {
      if (input.shared) requireAdmin(caller, 'Sharing a network with every project')
      if (input.external) requireAdmin(caller, 'Making an external network')
      const { name, shared, external } = input
      return transact(parts, (work) => createNetwork(work, caller.projectId, { name, shared, external }))
    },
    list: async (caller, options) => parts.store.networks.visible(scopeOf(caller, options)),
    get: (caller, ref) => networkBy(parts.store, caller, ref),
    rename: (caller, ref, name) =>
      transact(parts, async ({ tables }) => {
        const network = await ownNetworkBy(tables, caller, ref, 'Renaming this network')
        await tables.networks.rename(network.id, checkName(name, 'network'))
        return { ...network, name }
      }),
    delete: (caller, ref) =>
      transact(parts, async ({ tables, touched }) => {
        const { id, name } = await ownNetworkBy(tables, caller, ref, 'Deleting this network')
        const ports = await tables.ports.ofNetwork(id)
        if (ports.length > 0) throw new Fault('network.in-use', { type: 'network', ref: name, reason: usesOf(ports) })
        for (const subnet of await tables.subnets.ofNetworks([id])) await tables.subnets.remove(subnet.id)
        await tables.networks.remove(id)
        touched.networks.add(id)
      }),
  }
}

/** What an Ethernet carries without fragments. */
const mtu = 1500

export async function createNetwork(
  work: Work,
  projectId: ProjectId,
  input: NewNetwork & Pick<Network, 'usual' | 'labels'>,
): Promise<Network> {
  const { tables, ids, clock } = work
  await enforceLimit(work, projectId, 'networks')
  const { shared, external, usual, labels } = input
  const name = checkName(input.name, 'network')
  const id = ids.uuid() as NetworkId
  const docker = { ...(usual === true && { usual }), ...(labels && { labels }) }
  const network: Network = { id, projectId, name, shared, external, mtu, ...docker, createdAt: clock.now() }
  await tables.networks.insert(network)
  return network
}

/** Says, for the end of a sentence, what these ports are used for. */
export function usesOf(ports: readonly Port[]): string {
  const kinds: Readonly<Record<string, string>> = {
    '': 'free port',
    'compute:kuryr': 'port of a container',
    'network:router_interface': 'router interface',
    'network:router_gateway': 'router gateway',
    'network:floatingip': 'floating IP',
  }
  const counts = Map.groupBy(ports, ({ deviceOwner }) => kinds[deviceOwner] ?? deviceOwner)
  return `remove these first: ${[...counts].map(([kind, { length }]) => `${kind} (${length})`).join(', ')}`
}
