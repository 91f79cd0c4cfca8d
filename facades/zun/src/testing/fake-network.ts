import type { NetRequest, NetworkVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Network, NetworkId, Nic, Port, PortId, ProjectId, SecurityGroup, SubnetId } from '@gantry/model'
import { fakeNow } from './fake-data.ts'

/** Two networks a project, a port and two security groups; `other` has the same names and different ids. */
export interface FakeNetwork {
  readonly verbs: NetworkVerbs
  nics(caller: Caller, nets: readonly NetRequest[], groups: readonly string[] | undefined): Nic[]
  groupId(caller: Caller, ref: string): SecurityGroup['id']
}

const demo = 'project-demo' as ProjectId
const other = 'project-other' as ProjectId

export function fakeNetwork(): FakeNetwork {
  const networks = [
    network('net-1', demo, 'private'),
    network('net-2', demo, 'backend'),
    network('net-other', other, 'private'),
  ]
  const ports = [port('port-mine', demo, 'net-2', null), port('port-used', demo, 'net-2', 'somebody')]
  const foreign = port('port-other', other, 'net-other', null)
  const groups = [
    group('group-default', demo, 'default'),
    group('group-web', demo, 'web'),
    group('group-twin-1', demo, 'twin'),
    group('group-twin-2', demo, 'twin'),
    group('group-other', other, 'theirs'),
  ]
  let plugged = 0

  const find = <T extends Owned>(caller: Caller, all: readonly T[], ref: string, type: string): T => {
    const mine = all.filter(({ projectId }) => projectId === caller.projectId)
    const [one, two] = mine.filter(({ id, name }) => id === ref || name === ref)
    if (!one) throw new Fault('network.not-found', { type, ref })
    if (two) throw new Fault('network.ambiguous', { type, name: ref })
    return one
  }
  const groupId = (caller: Caller, ref: string) => find(caller, groups, ref, 'security group').id
  const plug = (caller: Caller, net: NetRequest, groupRefs: readonly string[]): Nic => {
    if ('network' in net) {
      const { id } = find(caller, networks, net.network, 'network')
      plugged += 1
      const addresses = net.addresses.length > 0 ? net.addresses : [`10.0.0.${plugged + 1}`]
      const ids = groupRefs.map((ref) => groupId(caller, ref))
      return nic(`port-${plugged}`, id, addresses, { groups: ids, preserve: false })
    }
    const { id, networkId, deviceId } = find(caller, [...ports, foreign], net.port, 'port')
    if (deviceId !== null) throw new Fault('network.in-use', { type: 'port', ref: id, reason: `by ${deviceId}` })
    return nic(id, networkId, ['10.1.0.9', 'fd00::9'], { groups: [groupId(caller, 'default')], preserve: true })
  }
  return {
    groupId,
    nics(caller, nets, asked = ['default']) {
      const some = nets.length > 0 || caller.projectId !== demo ? nets : [{ network: 'net-1', addresses: [] }]
      return some.map((net) => plug(caller, net, asked))
    },
    verbs: verbsOf({
      networks: { get: async (caller, ref) => find(caller, networks, ref, 'network') },
      ports: { get: async (caller, ref) => find(caller, [...ports, foreign], ref, 'port') },
      groups: { get: async (caller, ref) => find(caller, groups, ref, 'security group') },
    }),
  }
}

interface Owned {
  readonly id: string
  readonly name: string
  readonly projectId: ProjectId
}

interface AskedVerbs {
  readonly networks: Pick<NetworkVerbs['networks'], 'get'>
  readonly ports: Pick<NetworkVerbs['ports'], 'get'>
  readonly groups: Pick<NetworkVerbs['groups'], 'get'>
}

/** The façade asks for three of the many verbs; a call of any other one is an error of the test. */
function verbsOf(asked: AskedVerbs): NetworkVerbs {
  return asked as NetworkVerbs
}

function network(id: string, projectId: ProjectId, name: string): Network {
  return { id: id as NetworkId, projectId, name, shared: false, external: false, mtu: 1500, createdAt: fakeNow }
}

function port(id: string, projectId: ProjectId, networkId: string, deviceId: string | null): Port {
  return {
    id: id as PortId,
    projectId,
    networkId: networkId as NetworkId,
    name: `${id}-name`,
    mac: '02:00:00:00:00:01',
    fixedIps: [],
    groups: [],
    filtered: true,
    deviceId,
    deviceOwner: '',
    hostId: null,
    preserve: true,
    createdAt: fakeNow,
  }
}

function group(id: string, projectId: ProjectId, name: string): SecurityGroup {
  return { id: id as SecurityGroup['id'], projectId, name, description: '', rules: [], createdAt: fakeNow }
}

function nic(
  portId: string,
  networkId: NetworkId,
  addresses: readonly string[],
  { groups, preserve }: Pick<Nic, 'groups' | 'preserve'>,
): Nic {
  return {
    portId: portId as PortId,
    networkId,
    mac: '02:00:00:00:00:02',
    addresses: addresses.map((address) => ({
      address,
      prefix: address.includes(':') ? 64 : 24,
      version: address.includes(':') ? 6 : 4,
      subnetId: `subnet-of-${networkId}` as SubnetId,
      gateway: null,
    })),
    groups,
    filtered: true,
    preserve,
  }
}
