import {
  allOf,
  type Context,
  type FloatingIp,
  isOpenStackError,
  type NetworkService,
  type PortForwarding,
} from '@gantry/openstack'

/** What leads on from a floating IP; none where the cloud has no port forwarding. Asks only where the address does not say. */
export async function forwardingsOf(
  neutron: NetworkService,
  ip: FloatingIp,
  context: Context,
): Promise<PortForwarding[]> {
  const { id, port_forwardings: told } = ip
  if (told?.every(isWhole)) return told
  try {
    return await allOf(neutron.portForwardings(id).list({}, context))
  } catch (error) {
    if (isOpenStackError(error, 404)) return []
    throw error
  }
}

function isWhole(told: Partial<PortForwarding>): told is PortForwarding {
  const { id, protocol, internal_port_id: port, internal_ip_address: address } = told
  return id !== undefined && protocol !== undefined && port !== undefined && address !== undefined
}

/** Takes away what leads to a port from its project's floating IPs. */
export async function removeForwardings(
  neutron: NetworkService,
  projectId: string,
  portId: string,
  context: Context,
): Promise<void> {
  for (const ip of await allOf(neutron.floatingIps.list({ project_id: projectId }, context))) {
    for (const { id, internal_port_id } of await forwardingsOf(neutron, ip, context)) {
      if (internal_port_id === portId) await neutron.portForwardings(ip.id).remove(id, context)
    }
  }
}
