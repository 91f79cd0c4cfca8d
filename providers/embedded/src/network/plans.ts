import { blockOf, type Tables } from '@gantry/control'
import type {
  FloatingIp,
  GroupPlan,
  NetworkId,
  NetworkPlan,
  Port,
  PortId,
  Router,
  RouterPlan,
  SecurityGroup,
  Subnet,
  SubnetId,
} from '@gantry/model'

export async function networkPlans(tables: Tables, ids: readonly NetworkId[]): Promise<NetworkPlan[]> {
  const subnets = Map.groupBy(await subnetsOf(tables, ids), ({ networkId }) => networkId)
  const plans: NetworkPlan[] = []
  for (const id of ids) {
    const network = await tables.networks.get(id)
    if (!network) continue
    const { projectId, external, mtu } = network
    plans.push({ id, projectId, external, mtu, subnets: (subnets.get(id) ?? []).map(subnetPlan) })
  }
  return plans
}

function subnetPlan({ cidr, version, gateway, dnsServers }: Subnet): NetworkPlan['subnets'][number] {
  return { cidr, version, gateway, dnsServers: [...dnsServers] }
}

export function groupPlan({ id, rules }: SecurityGroup): GroupPlan {
  return {
    id,
    rules: rules.map(({ direction, version, protocol, portMin, portMax, remoteGroupId, remotePrefix }) => ({
      direction,
      version,
      protocol,
      portMin,
      portMax,
      remoteGroupId,
      remotePrefix,
    })),
  }
}

export async function routerPlans(tables: Tables, routers: readonly Router[]): Promise<RouterPlan[]> {
  const portIds = routers.flatMap(({ interfaces, gateway }) => [
    ...interfaces.map(({ portId }) => portId),
    ...(gateway ? [gateway.portId] : []),
  ])
  const networkIds = routers.flatMap(({ interfaces, gateway }) => [
    ...interfaces.map(({ networkId }) => networkId),
    ...(gateway ? [gateway.networkId] : []),
  ])
  const about: About = {
    ports: new Map((portIds.length === 0 ? [] : await tables.ports.getMany(portIds)).map((port) => [port.id, port])),
    subnets: new Map((await subnetsOf(tables, networkIds)).map((subnet) => [subnet.id, subnet])),
  }
  const plans: RouterPlan[] = []
  for (const router of routers) {
    plans.push({
      id: router.id,
      interfaces: router.interfaces.flatMap((one) => interfacePlan(about, one) ?? []),
      external: gatewayPlan(about, router),
      floatingIps: (await tables.floatingIps.ofRouter(router.id)).map(floatingIpPlan),
    })
  }
  return plans
}

interface About {
  readonly ports: ReadonlyMap<PortId, Port>
  readonly subnets: ReadonlyMap<SubnetId, Subnet>
}

function interfacePlan(
  { ports, subnets }: About,
  { portId, networkId, subnetId, address }: Router['interfaces'][number],
): RouterPlan['interfaces'][number] | undefined {
  const [port, subnet] = [ports.get(portId), subnets.get(subnetId)]
  if (!port || !subnet) return undefined
  const { version, cidr } = subnet
  return { portId, networkId, mac: port.mac, address, prefix: blockOf(cidr).prefix, version }
}

function gatewayPlan({ ports, subnets }: About, { gateway: way }: Router): RouterPlan['external'] {
  const port = way && ports.get(way.portId)
  const subnet = port?.fixedIps[0] && subnets.get(port.fixedIps[0].subnetId)
  if (!way || !port || !subnet?.gateway) return null
  const { networkId, portId, address, snat } = way
  return {
    networkId,
    portId,
    mac: port.mac,
    address,
    prefix: blockOf(subnet.cidr).prefix,
    gateway: subnet.gateway,
    snat,
  }
}

function floatingIpPlan({ id, address, fixedAddress, forwardings }: FloatingIp): RouterPlan['floatingIps'][number] {
  return {
    id,
    address,
    fixedAddress,
    forwardings: forwardings.map(({ protocol, externalPort, address: to, internalPort }) => ({
      protocol,
      externalPort,
      address: to,
      internalPort,
    })),
  }
}

async function subnetsOf(tables: Tables, ids: readonly NetworkId[]): Promise<Subnet[]> {
  return ids.length === 0 ? [] : tables.subnets.ofNetworks([...new Set(ids)])
}
