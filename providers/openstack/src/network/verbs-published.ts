import type { NetworkVerbs, PublishedPort } from '@gantry/control'
import type { ContainerId, PortId } from '@gantry/model'
import { allOf } from '@gantry/openstack'
import type { Parts } from './parts.ts'
import { sightOf } from './sight.ts'
import { forwardingOf } from './translate.ts'
import { attempt } from './verb-faults.ts'
import { forwardingsOf } from './verbs-floating-ips.ts'

/** What leads to each of these containers, in order of their ports. */
export function publishedOf(parts: Parts): NetworkVerbs['publishedOf'] {
  return async (caller, containers) => {
    const owners = new Map<PortId, ContainerId>()
    for (const { id, nics } of containers) for (const { portId } of nics) owners.set(portId, id)
    const published = new Map<ContainerId, PublishedPort[]>()
    if (owners.size === 0) return published
    const sight = sightOf(parts, caller)
    const isAbroad = caller.isAdmin && containers.some(({ projectId }) => projectId !== caller.projectId)
    const filter = isAbroad ? {} : { project_id: caller.projectId }
    await attempt({ type: 'floating IP', ref: 'of the project' }, async () => {
      const ips = await allOf(sight.neutron.floatingIps.list(filter, sight.context))
      const forwardings = await Promise.all(ips.map((ip) => forwardingsOf(sight, ip)))
      for (const [index, { floating_ip_address: address }] of ips.entries()) {
        for (const { protocol, externalPort, internalPort, portId } of forwardings[index]?.flatMap(forwardingOf) ??
          []) {
          const owner = owners.get(portId)
          if (owner === undefined) continue
          const port = { containerPort: internalPort, protocol, address, publicPort: externalPort }
          published.set(owner, [...(published.get(owner) ?? []), port])
        }
      }
    })
    for (const ports of published.values())
      ports.sort((a, b) => a.containerPort - b.containerPort || a.publicPort - b.publicPort)
    return published
  }
}
