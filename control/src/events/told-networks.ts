import type { NetworkVerbs } from '../ports/networks.ts'
import { floatingIpData, groupData, networkData, portData, routerData, subnetData } from './object-data.ts'
import { type TellParts, tellerOf, told, toldOf, toldRemoval } from './told-verbs.ts'

/** The same verbs of networks that another service keeps, each of which is told of: no table of ours shows what it does. */
export function toldNetworks(verbs: NetworkVerbs, parts: TellParts): NetworkVerbs {
  const { networks, subnets, ports, groups, routers, floatingIps } = verbs
  const network = tellerOf(parts, 'network', networkData)
  const subnet = tellerOf(parts, 'subnet', subnetData)
  const port = tellerOf(parts, 'port', portData)
  const group = tellerOf(parts, 'security_group', groupData)
  const router = tellerOf(parts, 'router', routerData)
  const floatingIp = tellerOf(parts, 'floating_ip', floatingIpData)
  return {
    ...verbs,
    networks: {
      // Whole and usual networks have rows, which tell of them.
      ...networks,
      create: told(network, 'create', (caller, input) => networks.create(caller, input)),
      rename: told(network, 'update', (caller, ref, name) => networks.rename(caller, ref, name)),
      delete: toldRemoval(network, networks),
      deleteWhole: toldRemoval(network, {
        get: (caller, ref) => networks.get(caller, ref),
        delete: (caller, ref) => networks.deleteWhole(caller, ref),
      }),
    },
    subnets: {
      ...subnets,
      create: told(subnet, 'create', (caller, input) => subnets.create(caller, input)),
      delete: toldRemoval(subnet, subnets),
    },
    ports: {
      ...ports,
      create: told(port, 'create', (caller, input) => ports.create(caller, input)),
      update: told(port, 'update', (caller, ref, change) => ports.update(caller, ref, change)),
      delete: toldRemoval(port, ports),
    },
    groups: {
      ...groups,
      create: told(group, 'create', (caller, input) => groups.create(caller, input)),
      delete: toldRemoval(group, groups),
      addRule: toldOf(group, groups, (caller, ref, rule) => groups.addRule(caller, ref, rule)),
      async removeRule(caller, ruleId) {
        const before = (await groups.list(caller)).find(({ rules }) => rules.some(({ id }) => id === ruleId))
        await groups.removeRule(caller, ruleId)
        if (before) await group(caller, 'update', before)
      },
    },
    routers: {
      ...routers,
      create: told(router, 'create', (caller, input) => routers.create(caller, input)),
      delete: toldRemoval(router, routers),
      setGateway: told(router, 'update', (caller, ref, gateway) => routers.setGateway(caller, ref, gateway)),
      addInterface: told(router, 'update', (caller, ref, to) => routers.addInterface(caller, ref, to)),
      removeInterface: told(router, 'update', (caller, ref, from) => routers.removeInterface(caller, ref, from)),
    },
    floatingIps: {
      ...floatingIps,
      create: told(floatingIp, 'create', (caller, input) => floatingIps.create(caller, input)),
      associate: told(floatingIp, 'update', (caller, ref, port, fixedAddress) =>
        floatingIps.associate(caller, ref, port, fixedAddress),
      ),
      delete: toldRemoval(floatingIp, floatingIps),
      addForwarding: toldOf(floatingIp, floatingIps, (caller, ref, input) =>
        floatingIps.addForwarding(caller, ref, input),
      ),
      removeForwarding: toldOf(floatingIp, floatingIps, (caller, ref, id) =>
        floatingIps.removeForwarding(caller, ref, id),
      ),
    },
  }
}
