import {
  type CapsuleId,
  type CapsuleMembership,
  type Container,
  type ContainerId,
  defaultSpec,
  type FloatingIp,
  type FloatingIpId,
  type HostId,
  type Network,
  type NetworkId,
  nothingObserved,
  type Port,
  type PortId,
  type ProjectId,
  type SubnetId,
  type UserId,
} from '@gantry/model'

export const ours = 'p1' as ProjectId
export const theirs = 'p2' as ProjectId
export const wire = 'n1' as NetworkId

export function aNetwork(id: string, rest: Partial<Network> = {}): Network {
  return {
    id: id as NetworkId,
    projectId: ours,
    name: id,
    shared: false,
    external: false,
    mtu: 1500,
    createdAt: 1,
    ...rest,
  }
}

/** On one address of subnet `s1` each, unless `rest` says otherwise. */
export function aPort(number: number, rest: Partial<Port> = {}): Port {
  return {
    id: `port-${number}` as PortId,
    projectId: ours,
    networkId: wire,
    name: '',
    mac: `fa:16:3e:00:00:${number.toString(16).padStart(2, '0')}`,
    fixedIps: [{ subnetId: 's1' as SubnetId, address: `10.0.0.${number}` }],
    groups: [],
    filtered: true,
    deviceId: null,
    deviceOwner: '',
    hostId: null,
    preserve: true,
    createdAt: 1,
    ...rest,
  }
}

export function aFloatingIp(number: number, rest: Partial<FloatingIp> = {}): FloatingIp {
  return {
    id: `fip-${number}` as FloatingIpId,
    projectId: ours,
    networkId: 'public' as NetworkId,
    address: `172.24.4.${number}`,
    portId: null,
    fixedAddress: null,
    routerId: null,
    forwardings: [],
    createdAt: 1,
    ...rest,
  }
}

export function aContainer(id: string, rest: Partial<Container> = {}): Container {
  return {
    id: id as ContainerId,
    projectId: ours,
    userId: 'u1' as UserId,
    name: id,
    createdAt: 1,
    updatedAt: 1,
    spec: { ...defaultSpec('busybox'), cpu: 0.1, memory: 64, disk: 1 },
    wish: { version: 1, generation: 1, power: { kind: 'created' }, paused: false, gone: null },
    nics: [],
    mounts: [],
    capsule: null,
    registryId: null,
    sealedRegistryAuth: null,
    task: null,
    hostId: 'h1' as HostId,
    hostName: 'host-1',
    imageRef: 'busybox',
    imageManifest: null,
    placementFailure: null,
    observed: nothingObserved,
    seenGeneration: 0,
    hostLost: false,
    status: 'Created',
    statusReason: null,
    ...rest,
  }
}

export function inCapsule(role: CapsuleMembership['role'], position = 0): CapsuleMembership {
  return { capsuleId: 'capsule-1' as CapsuleId, role, position }
}
