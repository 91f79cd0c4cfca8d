import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId, SecurityGroupId } from '@gantry/model'
import { allOf, type Port } from '@gantry/openstack'
import { isId } from './parts.ts'
import { asking } from './neutron-faults.ts'
import { containerOwner, neutronOf, type Parts } from './parts.ts'
import { rowOf } from './port-rows.ts'

/** A port of the project's that nothing holds, by id or name. */
export async function findGivenPort(parts: Parts, caller: Caller, ref: string): Promise<Port> {
  const neutron = neutronOf(parts, caller)
  const context = parts.access.contextOf(caller)
  const port = await asking({ type: 'port', ref }, async () => {
    if (isId(ref)) return neutron.ports.show(ref, context)
    const [first, second] = await allOf(neutron.ports.list({ name: ref, project_id: caller.projectId }, context))
    if (second) throw new Fault('network.ambiguous', { type: 'port', name: ref })
    if (!first) throw new Fault('network.not-found', { type: 'port', ref })
    return first
  })
  if (port.project_id !== caller.projectId) throw new Fault('network.not-found', { type: 'port', ref })
  // `network:` is what Neutron's own devices hold, and `compute:` what somebody else's container or server does.
  const { device_id: device = '', device_owner: owner = '', 'binding:host_id': host } = port
  if (device !== '' || owner !== '' || (host ?? '') !== '') {
    throw new Fault('network.in-use', { type: 'port', ref, reason: `${owner || 'something'} has it` })
  }
  if (port.fixed_ips.length === 0) {
    throw new Fault('network.conflict', { problem: `Port ${ref} has no address, so no container can use it.` })
  }
  return port
}

/**
 * The port becomes the container's. Its row comes first: Neutron lets two users of a port overwrite each other, and whoever
 * dies before the container is written leaves it to be freed.
 */
export async function takeGivenPort(
  parts: Parts,
  caller: Caller,
  containerId: ContainerId,
  port: Port,
  exposed: SecurityGroupId | null,
): Promise<Port> {
  const { id, network_id, security_groups: groups = [], port_security_enabled: secured = true } = port
  const { projectId } = caller
  const networkId = network_id as NonNullable<ReturnType<typeof rowOf>['networkId']>
  const row = rowOf(parts, { id, kind: 'port', projectId, containerId, networkId, given: true })
  if (!(await parts.store.cloudPorts.insert(row))) {
    throw new Fault('network.in-use', { type: 'port', ref: id, reason: 'another container has it' })
  }
  const change = {
    device_id: containerId,
    device_owner: containerOwner,
    ...(exposed !== null && secured && { security_groups: [...new Set([...groups, exposed])] }),
  }
  return asking({ type: 'port', ref: id }, () =>
    neutronOf(parts, caller).ports.update(id, change, parts.access.contextOf(caller)),
  )
}
