import { Fault } from '@gantry/kernel'
import { faultOf, isOpenStackError, type OpenStackError } from '@gantry/openstack'

/** What a call was about, for the person who reads that it failed. */
export interface About {
  /** `network`, `port`, `security group` … */
  readonly type: string
  /** As it was asked for. */
  readonly ref: string
  readonly address?: string
  readonly mac?: string
}

/** Runs calls to Neutron; its refusals become faults of ours. */
export async function asking<T>(about: About, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isOpenStackError(error) ? networkFault(error, about) : error
  }
}

/** Neutron's names of its exceptions are part of its API: `NeutronError.type`. */
export function networkFault(error: OpenStackError, { type, ref, address = ref, mac = '' }: About): Fault {
  if (error.status === 404) return new Fault('network.not-found', missing(error, type, ref), error)
  switch (error.code ?? '') {
    case 'IpAddressInUse':
    case 'IpAddressAlreadyAllocated':
      return new Fault('address.in-use', { address }, error)
    case 'IpAddressGenerationFailure':
    case 'IpAddressGenerationFailureAllSubnets':
    case 'NoMoreIps':
      return new Fault('address.none-left', { subnet: `${type} ${ref}` }, error)
    case 'MacAddressInUse':
      return new Fault('network.in-use', { type: 'MAC address', ref: mac, reason: 'another port has it' }, error)
    case 'InvalidIpForNetwork':
    case 'InvalidIpForSubnet':
    case 'InvalidInput':
      return new Fault('request.invalid', { problem: error.reason }, error)
    default:
      return faultOf(error)
  }
}

const sorts: Readonly<Record<string, string>> = {
  NetworkNotFound: 'network',
  SubnetNotFound: 'subnet',
  PortNotFound: 'port',
  SecurityGroupNotFound: 'security group',
  RouterNotFound: 'router',
  FloatingIPNotFound: 'floating IP',
}

/** It need not be what the call was for: a port cannot be made in a group that is gone. */
function missing({ code, reason }: OpenStackError, type: string, ref: string): { type: string; ref: string } {
  const sort = sorts[code ?? '']
  if (sort === undefined || sort === type) return { type, ref }
  const [id = ref] = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(reason) ?? []
  return { type: sort, ref: id }
}
