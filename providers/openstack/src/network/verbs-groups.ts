import { blockOf, type NetworkVerbs, type NewRule, parseBlock } from '@gantry/control'
import { allOf, type SecurityGroupRuleCreate } from '@gantry/openstack'
import type { Parts } from './parts.ts'
import { byAge } from './parts.ts'
import { groupBy, scopeOf, type Sight, sightOf } from './sight.ts'
import { groupOf, ownedBy, ruleOf } from './translate.ts'
import { attempt, invalid } from './verb-faults.ts'
import { Fault } from '@gantry/kernel'

export function groups(parts: Parts): NetworkVerbs['groups'] {
  return {
    async create(caller, { name, description }) {
      const { neutron, context } = sightOf(parts, caller)
      const body = { name, description, ...ownedBy(caller) }
      const about = { type: 'security group', ref: name }
      return groupOf(await attempt(about, () => neutron.securityGroups.create(body, context)))
    },
    list: (caller, options) =>
      attempt({ type: 'security group', ref: 'of the project' }, async () => {
        const { neutron, context } = sightOf(parts, caller)
        return byAge(await allOf(neutron.securityGroups.list(scopeOf(caller, options), context))).map(groupOf)
      }),
    get: async (caller, ref) => groupOf(await groupBy(sightOf(parts, caller), ref)),
    async delete(caller, ref) {
      const sight = sightOf(parts, caller)
      const { id, name } = await groupBy(sight, ref)
      await attempt({ type: 'security group', ref: name }, () => sight.neutron.securityGroups.remove(id, sight.context))
    },
    async addRule(caller, ref, input) {
      const sight = sightOf(parts, caller)
      const body = await ruleBody(sight, ref, input)
      const about = { type: 'security group', ref }
      return ruleOf(await attempt(about, () => sight.neutron.securityGroupRules.create(body, sight.context)))
    },
    async removeRule(caller, ruleId) {
      const { neutron, context } = sightOf(parts, caller)
      const about = { type: 'security group rule', ref: ruleId }
      const wasThere = await attempt(about, () => neutron.securityGroupRules.remove(ruleId, context))
      if (!wasThere) throw new Fault('network.not-found', about)
    },
  }
}

async function ruleBody(sight: Sight, ref: string, input: NewRule): Promise<SecurityGroupRuleCreate> {
  const { direction, protocol, portMin, portMax, remotePrefix, remoteGroup } = input
  if (remoteGroup !== null && remotePrefix !== null) {
    throw invalid('A rule names a remote group or a remote prefix, not both.')
  }
  const [group, remote] = await Promise.all([groupBy(sight, ref), remoteGroup && groupBy(sight, remoteGroup)])
  const version = input.version ?? versionOf(remotePrefix)
  const named = protocolOf(protocol, version)
  const isIcmp = named === 'icmp' || named === 'ipv6-icmp'
  return {
    security_group_id: group.id,
    direction,
    ethertype: version === 6 ? 'IPv6' : 'IPv4',
    protocol: named,
    port_range_min: isIcmp ? portMin : (portMin ?? portMax),
    port_range_max: isIcmp ? portMax : (portMax ?? portMin),
    remote_ip_prefix: remotePrefix,
    remote_group_id: remote ? remote.id : null,
  }
}

function versionOf(prefix: string | null): 4 | 6 {
  if (prefix === null) return 4
  const cidr = prefix.includes('/') ? prefix : `${prefix}/${prefix.includes(':') ? 128 : 32}`
  if (!parseBlock(cidr)) throw invalid(`${prefix} is not a prefix like 10.0.0.0/8 or fd00::/8.`)
  return blockOf(cidr).version
}

/** Older Neutrons know ICMP of IPv6 by this name only. */
function protocolOf(given: string | null, version: 4 | 6): string | null {
  const text = given?.toLowerCase() ?? 'any'
  if (text === 'any' || text === '0' || text === '') return null
  if (text === 'icmpv6' || (text === 'icmp' && version === 6)) return 'ipv6-icmp'
  return text
}
