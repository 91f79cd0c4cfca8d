import { Fault } from '@gantry/kernel'
import { isOpenStackError, type OpenStackError } from '@gantry/openstack'
import { type About, networkFault } from './neutron-faults.ts'

/** Runs the calls of one verb; Neutron's refusals become what the same mistake is elsewhere in Gantry. */
export async function attempt<T>(about: About, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isOpenStackError(error) ? verbFault(error, about) : error
  }
}

/** `NeutronError.type` of what cannot go or change because something else stands on it. */
const inUse = new Set([
  'NetworkInUse',
  'SubnetInUse',
  'PortInUse',
  'RouterInUse',
  'RouterInterfaceInUseByFloatingIP',
  'RouterInterfaceInUseByRoute',
  'RouterExternalGatewayInUseByFloatingIp',
  'SecurityGroupInUse',
  'ServicePortInUse',
  'L3PortInUse',
  'FloatingIPPortAlreadyAssociated',
])

function verbFault(error: OpenStackError, about: About): Fault {
  const { code } = error
  const problem = error.reason
  // For Neutron this is something that is not found; here a way is missing between two things that are.
  if (code === 'ExternalGatewayForFloatingIPNotFound') return new Fault('network.conflict', { problem }, error)
  if (code !== null && inUse.has(code)) {
    return new Fault('network.in-use', { type: about.type, ref: about.ref, reason: withoutEnd(problem) }, error)
  }
  return networkFault(error, about)
}

/** As the end of a sentence that has its own full stop. */
function withoutEnd(text: string): string {
  return text.replace(/\.+$/, '')
}

export function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}

export function conflict(problem: string): Fault {
  return new Fault('network.conflict', { problem })
}
