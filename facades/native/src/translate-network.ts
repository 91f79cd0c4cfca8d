import type { NetRequest, NewRule } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  Caller,
  FloatingIp,
  Network,
  Nic,
  Port,
  PortForwarding,
  Router,
  SecurityGroup,
  SecurityGroupRule,
  Subnet,
} from '@gantry/model'
import type { Static } from 'typebox'
import type {
  AddInterface,
  AddRule,
  AttachNetwork,
  ContainerAddress,
  FloatingIpView,
  ForwardingView,
  NetworkView,
  PortView,
  RouterView,
  RuleView,
  SecurityGroupView,
  SubnetView,
} from './schemas-network.ts'
import { isoTime } from './times.ts'

export function toNetworkView({ createdAt, ...network }: Network): NetworkView {
  return { ...network, createdAt: isoTime(createdAt) }
}

export function toSubnetView({ createdAt, pools, dnsServers, ...subnet }: Subnet): SubnetView {
  return { ...subnet, pools: [...pools], dnsServers: [...dnsServers], createdAt: isoTime(createdAt) }
}

/** Where it is plugged is the operator's business: only administrators are shown it. */
export function toPortView(port: Port, caller: Caller): PortView {
  const { fixedIps, groups, hostId, createdAt, preserve: _preserve, ...rest } = port
  return {
    ...rest,
    fixedIps: fixedIps.map(({ subnetId, address }) => ({ subnetId, address })),
    securityGroups: [...groups],
    hostId: caller.isAdmin ? hostId : null,
    createdAt: isoTime(createdAt),
  }
}

export function toGroupView({ rules, createdAt, ...group }: SecurityGroup): SecurityGroupView {
  return { ...group, rules: rules.map(toRuleView), createdAt: isoTime(createdAt) }
}

export function toRuleView({ groupId: _group, ...rule }: SecurityGroupRule): RuleView {
  return rule
}

export function toRouterView({ interfaces, createdAt, ...router }: Router): RouterView {
  return { ...router, interfaces: interfaces.map((one) => ({ ...one })), createdAt: isoTime(createdAt) }
}

export function toFloatingIpView({ forwardings, createdAt, ...ip }: FloatingIp): FloatingIpView {
  return { ...ip, forwardings: forwardings.map(toForwardingView), createdAt: isoTime(createdAt) }
}

export function toForwardingView(forwarding: PortForwarding): ForwardingView {
  return { ...forwarding }
}

/** One entry for each address of each port, the primary one first. */
export function toAddresses(nics: readonly Nic[]): Static<typeof ContainerAddress>[] {
  return nics.flatMap(({ networkId, portId, mac, addresses }) =>
    addresses.map(({ address, version, subnetId }) => ({
      network: networkId,
      port: portId,
      address,
      version,
      subnet: subnetId,
      mac,
    })),
  )
}

export function toGroupIds(nics: readonly Nic[]): string[] {
  return [...new Set(nics.flatMap(({ groups }) => groups))]
}

/** `where` names the entry in the sentence of a refusal. */
export function toNetRequest(
  { network, port, addresses = [] }: Static<typeof AttachNetwork>,
  where: string,
): NetRequest {
  if (network !== undefined && port === undefined) return { network, addresses }
  if (port === undefined || network !== undefined) refuse(`${where} must have either network or port.`)
  if (addresses.length > 0) refuse(`${where} has addresses with a port, which has its own already.`)
  return { port }
}

export function toInterface({ subnet, port }: Static<typeof AddInterface>): { subnet: string } | { port: string } {
  if (subnet !== undefined && port === undefined) return { subnet }
  if (port !== undefined && subnet === undefined) return { port }
  return refuse('Name either a subnet or a port.')
}

export function toNewRule(rule: Static<typeof AddRule>): NewRule {
  const { direction, version, protocol = null, portMin = null, portMax = portMin } = rule
  const { remotePrefix = null, remoteGroup = null } = rule
  if (remotePrefix !== null && remoteGroup !== null) refuse('Name remotePrefix or remoteGroup, not both.')
  const range = { portMin, portMax }
  return { direction, protocol, ...range, remotePrefix, remoteGroup, ...(version === undefined ? {} : { version }) }
}

function refuse(problem: string): never {
  throw new Fault('request.invalid', { problem })
}
