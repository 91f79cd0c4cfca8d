import type { NetworkVerbs } from '@gantry/control'
import { allOf, type SubnetCreate } from '@gantry/openstack'
import type { Parts } from './parts.ts'
import { byAge } from './parts.ts'
import { networkBy, requireOwner, scopeOf, sightOf, subnetBy, visibleSubnets } from './sight.ts'
import { firstAddress } from './subnet-plan.ts'
import { ownedBy, subnetOf } from './translate.ts'
import { attempt } from './verb-faults.ts'
import { ownNetworkBy } from './verbs-networks.ts'

export function subnets(parts: Parts): NetworkVerbs['subnets'] {
  return {
    async create(caller, { network: ref, name, cidr, gateway = firstAddress(cidr), pools, dnsServers }) {
      const sight = sightOf(parts, caller)
      const network = await ownNetworkBy(sight, ref, 'Adding a subnet')
      const body: SubnetCreate = {
        network_id: network.id,
        name,
        cidr,
        ip_version: cidr.includes(':') ? 6 : 4,
        ...(gateway !== undefined && { gateway_ip: gateway }),
        ...(pools && { allocation_pools: pools.map(({ start, end }) => ({ start, end })) }),
        ...(dnsServers && { dns_nameservers: [...dnsServers] }),
        ...ownedBy(caller),
      }
      const about = { type: 'network', ref }
      return subnetOf(await attempt(about, () => sight.neutron.subnets.create(body, sight.context)))
    },
    async list(caller, options = {}) {
      const sight = sightOf(parts, caller)
      const { neutron, context } = sight
      const { network: ref } = options
      const isAll = !('project_id' in scopeOf(caller, options))
      return attempt({ type: 'network', ref: ref ?? 'of the project' }, async () => {
        if (ref === undefined && !isAll) return (await visibleSubnets(sight)).map(subnetOf)
        const filter = ref === undefined ? {} : { network_id: (await networkBy(sight, ref)).id }
        return byAge(await allOf(neutron.subnets.list(filter, context))).map(subnetOf)
      })
    },
    get: async (caller, ref) => subnetOf(await subnetBy(sightOf(parts, caller), ref)),
    async delete(caller, ref) {
      const sight = sightOf(parts, caller)
      const { id, network_id, cidr } = await subnetBy(sight, ref)
      await attempt({ type: 'subnet', ref: cidr }, async () => {
        const network = await sight.neutron.networks.show(network_id, sight.context)
        requireOwner(caller, network, 'Deleting this subnet')
        await sight.neutron.subnets.remove(id, sight.context)
      })
    },
  }
}
