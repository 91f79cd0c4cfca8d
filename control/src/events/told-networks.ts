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
      create: told(network, 'create', networks.create),
      rename: told(network, 'update', networks.rename),
      delete: toldRemoval(network, { get: networks.get, remove: networks.delete }),
      deleteWhole: toldRemoval(network, { get: networks.get, remove: networks.deleteWhole }),
    },
    subnets: {
      ...subnets,
      create: told(subnet, 'create', subnets.create),
      delete: toldRemoval(subnet, { get: subnets.get, remove: subnets.delete }),
    },
    ports: {
      ...ports,
      create: told(port, 'create', ports.create),
      update: told(port, 'update', ports.update),
      delete: toldRemoval(port, { get: ports.get, remove: ports.delete }),
    },
    groups: {
      ...groups,
      create: told(group, 'create', groups.create),
      delete: toldRemoval(group, { get: groups.get, remove: groups.delete }),
      addRule: toldOf(group, groups.get, groups.addRule),
      async removeRule(caller, ruleId) {
        const before = (await groups.list(caller)).find(({ rules }) => rules.some(({ id }) => id === ruleId))
        await groups.removeRule(caller, ruleId)
        if (before) await group(caller, 'update', before)
      },
    },
    routers: {
      ...routers,
      create: told(router, 'create', routers.create),
      delete: toldRemoval(router, { get: routers.get, remove: routers.delete }),
      setGateway: told(router, 'update', routers.setGateway),
      addInterface: told(router, 'update', routers.addInterface),
      removeInterface: told(router, 'update', routers.removeInterface),
    },
    floatingIps: {
      ...floatingIps,
      create: told(floatingIp, 'create', floatingIps.create),
      associate: told(floatingIp, 'update', floatingIps.associate),
      delete: toldRemoval(floatingIp, { get: floatingIps.get, remove: floatingIps.delete }),
      addForwarding: toldOf(floatingIp, floatingIps.get, floatingIps.addForwarding),
      removeForwarding: toldOf(floatingIp, floatingIps.get, floatingIps.removeForwarding),
    },
  }
}
