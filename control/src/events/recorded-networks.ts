import type { FloatingIp, FloatingIpId, Network, NetworkId, Port, PortId } from '@gantry/model'
import type { Router, RouterId, SecurityGroup, SecurityGroupId, Subnet, SubnetId } from '@gantry/model'
import type { NetworkTables } from '../ports/network-tables.ts'
import type { Tables } from '../ports/store.ts'
import { floatingIpData, groupData, networkData, portData, routerData, subnetData } from './object-data.ts'
import { ObjectRecorder, recordedLife, recordedUpdate } from './object-recorder.ts'
import type { RecordedTables } from './recorded-objects.ts'

/** The tables of networks and of what is on them. */
export function recordedNetworks(tables: NetworkTables): RecordedTables<keyof NetworkTables> {
  const parts = [networks(tables), subnets(tables), ports(tables), groups(tables), routers(tables), floatingIps(tables)]
  return {
    tables: Object.assign({}, ...parts.map((part) => part.tables)) as Pick<Tables, keyof NetworkTables>,
    recorders: parts.flatMap(({ recorders }) => recorders),
  }
}

function networks({ networks }: NetworkTables): RecordedTables<'networks'> {
  const recorder = new ObjectRecorder<NetworkId, Network>({
    noun: 'network',
    get: (id) => networks.get(id),
    dataOf: networkData,
  })
  const table: NetworkTables['networks'] = {
    ...networks,
    ...recordedLife(networks, recorder),
    async rename(id, name) {
      await networks.rename(id, name)
      recorder.changed(id, { name })
    },
    async makeUsual(id) {
      await networks.makeUsual(id)
      recorder.changed(id)
    },
  }
  return { tables: { networks: table }, recorders: [recorder] }
}

function subnets({ subnets }: NetworkTables): RecordedTables<'subnets'> {
  const recorder = new ObjectRecorder<SubnetId, Subnet>({
    noun: 'subnet',
    get: (id) => subnets.get(id),
    dataOf: subnetData,
  })
  return { tables: { subnets: { ...subnets, ...recordedLife(subnets, recorder) } }, recorders: [recorder] }
}

/** On which host a port is, nobody is told; so its placement is no change. */
function ports({ ports }: NetworkTables): RecordedTables<'ports'> {
  const recorder = new ObjectRecorder<PortId, Port>({
    noun: 'port',
    get: (id) => ports.get(id),
    dataOf: portData,
  })
  const table: NetworkTables['ports'] = {
    ...ports,
    ...recordedLife(ports, recorder),
    ofDevice: async (id) => (await ports.ofDevice(id)).map((port) => recorder.seen(port)),
    async update(id, change) {
      await ports.update(id, change)
      const { hostId: _untold, ...told } = change
      if (Object.keys(told).length > 0) recorder.changed(id, told)
    },
  }
  return { tables: { ports: table }, recorders: [recorder] }
}

function groups({ groups }: NetworkTables): RecordedTables<'groups'> {
  const recorder = new ObjectRecorder<SecurityGroupId, SecurityGroup>({
    noun: 'security_group',
    get: (id) => groups.get(id),
    dataOf: groupData,
  })
  const table: NetworkTables['groups'] = {
    ...groups,
    ...recordedLife(groups, recorder),
    async insertRule(rule) {
      await groups.insertRule(rule)
      recorder.changed(rule.groupId)
    },
    async removeRule(rule) {
      await groups.removeRule(rule)
      recorder.changed(rule.groupId)
    },
  }
  return { tables: { groups: table }, recorders: [recorder] }
}

function routers({ routers }: NetworkTables): RecordedTables<'routers'> {
  const recorder = new ObjectRecorder<RouterId, Router>({
    noun: 'router',
    get: (id) => routers.get(id),
    dataOf: routerData,
  })
  const table: NetworkTables['routers'] = {
    ...routers,
    ...recordedLife(routers, recorder),
    ...recordedUpdate(routers, recorder),
  }
  return { tables: { routers: table }, recorders: [recorder] }
}

function floatingIps({ floatingIps }: NetworkTables): RecordedTables<'floatingIps'> {
  const recorder = new ObjectRecorder<FloatingIpId, FloatingIp>({
    noun: 'floating_ip',
    get: (id) => floatingIps.get(id),
    dataOf: floatingIpData,
  })
  const table: NetworkTables['floatingIps'] = {
    ...floatingIps,
    ...recordedLife(floatingIps, recorder),
    ...recordedUpdate(floatingIps, recorder),
    async addForwarding(id, forwarding) {
      await floatingIps.addForwarding(id, forwarding)
      recorder.changed(id)
    },
    async removeForwarding(id, forwarding) {
      await floatingIps.removeForwarding(id, forwarding)
      recorder.changed(id)
    },
  }
  return { tables: { floatingIps: table }, recorders: [recorder] }
}
