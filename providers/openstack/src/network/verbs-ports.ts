import type { AskedIp, NetworkVerbs, NewPort, PortChange } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Port } from '@gantry/model'
import { allOf, type Port as Said, type PortCreate } from '@gantry/openstack'
import { markOf, type Parts } from './parts.ts'
import { byAge } from './parts.ts'
import {
  groupBy,
  networkBy,
  portBy,
  requireAdmin,
  requireOwner,
  type Sight,
  scopeOf,
  sightOf,
  subnetBy,
} from './sight.ts'
import { ownedBy, portOf } from './translate.ts'
import { attempt, conflict, invalid } from './verb-faults.ts'

export function ports(parts: Parts): NetworkVerbs['ports'] {
  const inWords = (said: Said): Port => portOf(said, markOf(parts))
  return {
    create: async (caller, input) => inWords(await createPort(sightOf(parts, caller), input)),
    async list(caller, options = {}) {
      const sight = sightOf(parts, caller)
      const { network: ref, device } = options
      const scope = scopeOf(caller, options)
      return attempt({ type: 'port', ref: 'of the project' }, async () => {
        const filters = {
          ...scope,
          ...(ref !== undefined && { network_id: (await networkBy(sight, ref)).id }),
          ...(device !== undefined && { device_id: device }),
        }
        return byAge(await allOf(sight.neutron.ports.list(filters, sight.context))).map(inWords)
      })
    },
    get: async (caller, ref) => inWords(await portBy(sightOf(parts, caller), ref)),
    update: async (caller, ref, change) => inWords(await updatePort(sightOf(parts, caller), caller, ref, change)),
    async delete(caller, ref) {
      const sight = sightOf(parts, caller)
      const { id, device_id = '', device_owner = '' } = await portBy(sight, ref)
      if (device_id !== '' || device_owner !== '') {
        const user = device_owner === 'compute:kuryr' ? 'container' : device_owner || 'device'
        throw new Fault('network.in-use', { type: 'port', ref, reason: `${user} ${device_id} has it` })
      }
      await attempt({ type: 'port', ref }, () => sight.neutron.ports.remove(id, sight.context))
    },
  }
}

async function createPort(sight: Sight, input: NewPort): Promise<Said> {
  const { caller, neutron, context } = sight
  const { name, groups, fixedIps = [], mac, filtered = true } = input
  if (!filtered && groups && groups.length > 0) throw needsFilter()
  const [network, groupIds] = await Promise.all([networkBy(sight, input.network), groupIdsOf(sight, groups)])
  if (network['router:external'] === true) requireAdmin(caller, 'Making a port on an external network')
  // Either would let a guest of a shared network pass for somebody else on it.
  if (!filtered) requireOwner(caller, network, 'Making a port that is not filtered')
  if (mac !== undefined) requireOwner(caller, network, 'Choosing a MAC address')
  const fixed = await fixedIpsOf(sight, network.id, fixedIps)
  const body: PortCreate = {
    network_id: network.id,
    name,
    ...(groupIds && { security_groups: groupIds }),
    ...(fixed.length > 0 && { fixed_ips: fixed }),
    ...(mac !== undefined && { mac_address: mac }),
    ...(!filtered && { port_security_enabled: false, security_groups: [] }),
    ...ownedBy(caller),
  }
  const addresses = fixed.flatMap(({ ip_address }) => ip_address ?? []).join(', ')
  const about = {
    type: 'network',
    ref: input.network,
    ...(addresses !== '' && { address: addresses }),
    ...(mac !== undefined && { mac }),
  }
  return attempt(about, () => neutron.ports.create(body, context))
}

async function groupIdsOf(sight: Sight, refs: readonly string[] | undefined): Promise<string[] | undefined> {
  if (!refs) return undefined
  const found = await Promise.all([...new Set(refs)].map((ref) => groupBy(sight, ref)))
  return [...new Set(found.map(({ id }) => id))]
}

function needsFilter(): Fault {
  return conflict('Security groups need a filtered port; give it none, or have it filtered.')
}

type FixedIp = NonNullable<PortCreate['fixed_ips']>[number]

/** Neutron has no word for "any other address": it is told of a subnet that is not named yet. */
async function fixedIpsOf(sight: Sight, network: string, asked: readonly AskedIp[]): Promise<FixedIp[]> {
  const { neutron, context } = sight
  const isAnything = ({ subnet, address }: AskedIp) => subnet === undefined && address === undefined
  if (asked.every(isAnything) && asked.length < 2) return []
  const [subnets, named] = await Promise.all([
    asked.some(isAnything) ? allOf(neutron.subnets.list({ network_id: network }, context)) : [],
    Promise.all(asked.map(async ({ subnet }) => (subnet === undefined ? null : subnetBy(sight, subnet)))),
  ])
  const free = byAge(subnets).filter(({ id }) => !named.some((subnet) => subnet?.id === id))
  return asked.map((ip, index) => {
    const id = named[index]?.id ?? (isAnything(ip) ? free.shift()?.id : undefined)
    if (id === undefined && isAnything(ip))
      throw invalid('The network has fewer subnets than addresses were asked for.')
    return { ...(id !== undefined && { subnet_id: id }), ...(ip.address !== undefined && { ip_address: ip.address }) }
  })
}

async function updatePort(sight: Sight, caller: Caller, ref: string, change: PortChange): Promise<Said> {
  const { neutron, context } = sight
  const { name, groups, filtered } = change
  const [port, groupIds] = await Promise.all([portBy(sight, ref), groupIdsOf(sight, groups)])
  const isFiltered = filtered ?? port.port_security_enabled !== false
  if (!isFiltered && (groupIds ?? port.security_groups ?? []).length > 0) throw needsFilter()
  if (filtered === false && port.port_security_enabled !== false) {
    const network = await attempt({ type: 'network', ref: port.network_id }, () =>
      neutron.networks.show(port.network_id, context),
    )
    requireOwner(caller, network, 'Leaving a port unfiltered')
  }
  const body = {
    ...(name !== undefined && { name }),
    ...(groupIds && { security_groups: groupIds }),
    ...(filtered !== undefined && { port_security_enabled: filtered }),
  }
  return attempt({ type: 'port', ref }, () => neutron.ports.update(port.id, body, context))
}
