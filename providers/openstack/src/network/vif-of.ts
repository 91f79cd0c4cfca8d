import { reasonOf } from '@gantry/kernel'
import type { NetworkId, Vif } from '@gantry/model'
import { type Agent, allOf, type Network, type Port } from '@gantry/openstack'
import { ownNeutron, type Parts } from './parts.ts'

/** How Neutron has bound a port; a sentence when it could not. Its `binding:vif_type` and `binding:vif_details`. */
export function vifOf(port: Port, hostName: string): Vif | { readonly problem: string } {
  const details = port['binding:vif_details'] ?? {}
  const named = typeof details['bridge_name'] === 'string' ? details['bridge_name'] : null
  switch (port['binding:vif_type']) {
    case 'bridge':
      return {
        kind: 'bridge',
        bridge: named ?? bridgeOf(port.network_id),
        filters: details['port_filter'] !== false,
      }
    case 'ovs':
      return { kind: 'ovs', bridge: named ?? 'br-int', hybrid: details['ovs_hybrid_plug'] === true }
    case 'tap':
      return { kind: 'tap' }
    case 'binding_failed':
    case 'unbound':
    case undefined:
    case null:
      return {
        problem: `Neutron could not bind port ${port.id} on host ${hostName}: is its network agent running there?`,
      }
    default:
      return { problem: `Neutron binds port ${port.id} as ${port['binding:vif_type']}, which hosts here cannot plug.` }
  }
}

/** The Linux bridge agent's own name for a network's bridge. */
function bridgeOf(networkId: string): string {
  return `brq${networkId.slice(0, 11)}`
}

/** How ports of a network will be plugged, so that their hosts need not wait for Neutron's word. */
export interface ExpectedVifs {
  /** null: nobody knows. Rejects with nothing. */
  of(networkId: string): Promise<Vif | null>
  learn(networkId: NetworkId, vif: Vif): void
}

const mostKept = 10_000
const agentsFreshMs = 60_000

/** As ports of the network turned out to be, else as the sort of agents that this cloud has, if it has only one, will do it. */
export function expectedVifs(parts: Pick<Parts, 'access' | 'clock' | 'log'>): ExpectedVifs {
  /** null: it differs from host to host, or cannot be told beforehand. */
  const known = new Map<string, Vif | null>()
  let agents: { readonly at: number; readonly answer: Promise<Agent[]> } | null = null

  const keep = (networkId: string, vif: Vif | null) => {
    known.set(networkId, vif)
    const [oldest] = known.keys()
    if (known.size > mostKept && oldest !== undefined) known.delete(oldest)
  }
  const agentsNow = () => {
    if (agents && parts.clock.now() - agents.at < agentsFreshMs) return agents.answer
    const answer = allOf(ownNeutron(parts).agents.list({}, parts.access.ownContext()))
    agents = { at: parts.clock.now(), answer }
    answer.catch(() => (agents = null))
    return answer
  }
  const guess = async (networkId: string): Promise<Vif | null> => {
    const network = ownNeutron(parts).networks.show(networkId, parts.access.ownContext())
    return guessOf(await network, await agentsNow())
  }
  return {
    async of(networkId) {
      const before = known.get(networkId)
      if (before !== undefined) return before
      try {
        const vif = await guess(networkId)
        // Somebody may have learned the truth meanwhile.
        if (known.get(networkId) === undefined) keep(networkId, vif)
        return known.get(networkId) ?? null
      } catch (error) {
        parts.log.info({ network: networkId, reason: reasonOf(error) }, 'how ports will be bound is not known')
        return null
      }
    },
    learn(networkId, vif) {
      const before = known.get(networkId)
      const differs = before !== undefined && before !== null && JSON.stringify(before) !== JSON.stringify(vif)
      keep(networkId, differs ? null : vif)
    },
  }
}

const sorts = ['Linux bridge agent', 'Open vSwitch agent', 'OVN Controller agent'] as const
/** Networks that no bridge of the operator's own making carries. */
const tunnels = ['vxlan', 'gre', 'geneve']

function guessOf(network: Network, agents: readonly Agent[]): Vif | null {
  const plugging = agents.filter(({ agent_type }) => sorts.some((sort) => sort === agent_type))
  const [first] = plugging
  if (!first || plugging.some(({ agent_type }) => agent_type !== first.agent_type)) return null
  if (first.agent_type !== 'Linux bridge agent') {
    const hybrid = plugging.map(({ configurations }) => configurations?.['ovs_hybrid_plug'] === true)
    return hybrid.every((one) => one === hybrid[0])
      ? { kind: 'ovs', bridge: 'br-int', hybrid: hybrid[0] === true }
      : null
  }
  const isMapped = plugging.some(
    ({ configurations }) => Object.keys(configurations?.['bridge_mappings'] ?? {}).length > 0,
  )
  if (isMapped && !tunnels.includes(network['provider:network_type'] ?? '')) return null
  return { kind: 'bridge', bridge: bridgeOf(network.id), filters: true }
}
