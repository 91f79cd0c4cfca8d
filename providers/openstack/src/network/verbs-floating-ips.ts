import type { NetworkVerbs, NewFloatingIp, NewForwarding } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { PortForwarding } from '@gantry/model'
import { allOf, type FloatingIp as Said, type PortForwarding as SaidForwarding } from '@gantry/openstack'
import type { Extensions } from './extensions.ts'
import type { Parts } from './parts.ts'
import { publishedMark } from './published-ports.ts'
import { byAge } from './parts.ts'
import { floatingIpBy, networkBy, portBy, type Sight, scopeOf, sightOf } from './sight.ts'
import { floatingIpOf, forwardingOf, ownedBy } from './translate.ts'
import { attempt, conflict, invalid } from './verb-faults.ts'

export function floatingIps(parts: Parts & { readonly extensions: Extensions }): NetworkVerbs['floatingIps'] {
  const inWords = async (sight: Sight, said: Said) =>
    floatingIpOf(said, await forwardingsOf(sight, said), publishedMark(parts))
  const requireForwarding = async () => {
    if ((await parts.extensions()).has('floating-ip-port-forwarding')) return
    throw new Fault('request.unsupported', {
      feature: 'Port forwarding',
      reason:
        'Neutron has no service plugin port_forwarding in this cloud; lead the floating IP to the port as a whole',
    })
  }
  return {
    async create(caller, input) {
      const sight = sightOf(parts, caller)
      return inWords(sight, await createFloatingIp(sight, input))
    },
    list: (caller, options) =>
      attempt({ type: 'floating IP', ref: 'of the project' }, async () => {
        const sight = sightOf(parts, caller)
        const found = await allOf(sight.neutron.floatingIps.list(scopeOf(caller, options), sight.context))
        return Promise.all(byAge(found).map((said) => inWords(sight, said)))
      }),
    async get(caller, ref) {
      const sight = sightOf(parts, caller)
      const said = await floatingIpBy(sight, ref)
      return attempt({ type: 'floating IP', ref }, () => inWords(sight, said))
    },
    async associate(caller, ref, port, fixedAddress) {
      const sight = sightOf(parts, caller)
      return inWords(sight, await associate(sight, ref, port, fixedAddress))
    },
    async delete(caller, ref) {
      const sight = sightOf(parts, caller)
      const { id } = await floatingIpBy(sight, ref)
      await attempt({ type: 'floating IP', ref }, () => sight.neutron.floatingIps.remove(id, sight.context))
    },
    async addForwarding(caller, ref, input) {
      await requireForwarding()
      return addForwarding(sightOf(parts, caller), ref, input)
    },
    async removeForwarding(caller, ref, forwardingId) {
      await requireForwarding()
      const sight = sightOf(parts, caller)
      const { id } = await floatingIpBy(sight, ref)
      const about = { type: 'port forwarding', ref: forwardingId }
      const wasThere = await attempt(about, () => sight.neutron.portForwardings(id).remove(forwardingId, sight.context))
      if (!wasThere) throw new Fault('network.not-found', about)
    },
  }
}

/** Neutron tells of them with the floating IP itself, in versions since 2019; otherwise only one that has a router can have any. */
export async function forwardingsOf(
  { neutron, context }: Pick<Sight, 'neutron' | 'context'>,
  { id, port_id = null, router_id = null, port_forwardings: told }: Said,
): Promise<SaidForwarding[]> {
  if (told?.every(isWhole)) return told
  const canHave = port_id === null && router_id !== null && told?.length !== 0
  return canHave ? allOf(neutron.portForwardings(id).list({}, context)) : []
}

function isWhole(told: Partial<SaidForwarding>): told is SaidForwarding {
  return told.id !== undefined && told.internal_port_id !== undefined && told.internal_ip_address !== undefined
}

async function createFloatingIp(sight: Sight, input: NewFloatingIp): Promise<Said> {
  const { caller, neutron, context } = sight
  const { address, fixedAddress } = input
  const [network, port] = await Promise.all([
    outsideFor(sight, input.network),
    input.port === undefined ? null : portBy(sight, input.port),
  ])
  const body = {
    floating_network_id: network,
    ...(address !== undefined && { floating_ip_address: address }),
    ...(port && { port_id: port.id }),
    ...(port && fixedAddress !== undefined && { fixed_ip_address: fixedAddress }),
    ...ownedBy(caller),
  }
  const about = { type: 'external network', ref: input.network ?? network, ...(address !== undefined && { address }) }
  return attempt(about, () => neutron.floatingIps.create(body, context))
}

async function outsideFor(sight: Sight, ref: string | undefined): Promise<string> {
  if (ref !== undefined) {
    const { id, name = id, ...network } = await networkBy(sight, ref)
    if (network['router:external'] !== true) {
      throw invalid(`Network ${name} is not external; floating IPs come from one that is.`)
    }
    return id
  }
  const outside = await oldestExternal(sight)
  if (outside === null) throw conflict('There is no external network; an administrator must make one first.')
  return outside
}

/** Its id; null: this cloud has none that the caller sees. */
export async function oldestExternal({ neutron, context }: Pick<Sight, 'neutron' | 'context'>): Promise<string | null> {
  return attempt({ type: 'network', ref: 'to the outside' }, async () => {
    const external = await allOf(neutron.networks.list({ 'router:external': true }, context))
    return byAge(external.filter(({ subnets = [] }) => subnets.length > 0))[0]?.id ?? null
  })
}

async function associate(sight: Sight, ref: string, to: string | null, fixedAddress?: string): Promise<Said> {
  const { neutron, context } = sight
  const [ip, port] = await Promise.all([floatingIpBy(sight, ref), to === null ? null : portBy(sight, to)])
  if (port === null && (ip.port_id ?? null) === null) return ip
  const body = {
    port_id: port?.id ?? null,
    ...(port && fixedAddress !== undefined && { fixed_ip_address: fixedAddress }),
  }
  const about = { type: 'floating IP', ref }
  return attempt(about, async () => {
    if (port && (await forwardingsOf(sight, ip)).length > 0) {
      const problem = `Floating IP ${ip.floating_ip_address} forwards single ports; remove its port forwardings first.`
      throw conflict(problem)
    }
    return neutron.floatingIps.update(ip.id, body, context)
  })
}

async function addForwarding(sight: Sight, ref: string, input: NewForwarding): Promise<PortForwarding> {
  const { neutron, context } = sight
  const { protocol, externalPort, internalPort } = input
  for (const number of [externalPort, internalPort]) {
    if (!Number.isInteger(number) || number < 1 || number > 65_535)
      throw invalid(`Ports are 1 to 65535, not ${number}.`)
  }
  const [ip, port] = await Promise.all([floatingIpBy(sight, ref), portBy(sight, input.port)])
  if ((ip.port_id ?? null) !== null) {
    const address = ip.floating_ip_address
    throw conflict(`Floating IP ${address} leads to a port as a whole; take that away before forwarding single ports.`)
  }
  const address = input.address ?? port.fixed_ips.map((fixed) => fixed.ip_address).find((text) => !text.includes(':'))
  if (address === undefined) throw invalid(`Port ${input.port} has no IPv4 address.`)
  const body = {
    protocol,
    external_port: externalPort,
    internal_port: internalPort,
    internal_port_id: port.id,
    internal_ip_address: address,
  }
  const made = await attempt({ type: 'floating IP', ref }, () => neutron.portForwardings(ip.id).create(body, context))
  const [forwarding] = forwardingOf(made)
  if (!forwarding) throw new Error('Neutron answers the forwarding that was asked for')
  return forwarding
}
