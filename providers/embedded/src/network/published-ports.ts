import type { PublishedPort, PublishRequest } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  Caller,
  Container,
  ContainerId,
  FloatingIp,
  NetworkId,
  Nic,
  PortId,
  Publish,
  RouterId,
} from '@gantry/model'
import { addForwarding, createFloatingIp, mostForwardings } from './floating-ips.ts'
import type { Work } from './parts.ts'
import { settleRouter } from './release-port.ts'
import { floatingIpBy } from './sight.ts'

/** Where public ports are chosen from: what Linux takes for its own connections, as Docker does. */
const firstFree = 32_768
const lastFree = 60_999

/** How something outside reaches a container: the router that must translate, and to which address. */
interface WayIn {
  readonly portId: PortId
  readonly address: string
  readonly routerId: RouterId
  readonly outside: NetworkId
}

/** Leads public ports to a container; see `ContainerPorts.publish`. */
export async function publish(work: Work, caller: Caller, request: PublishRequest): Promise<void> {
  const ways = await waysInto(work, request.nics)
  if (ways.length === 0) return
  // What names its public port first: the others take what is left.
  const asked = request.ports.toSorted(
    (one, other) => Number(one.publicPort === null) - Number(other.publicPort === null),
  )
  const kept = new Set<string>()
  for (const port of asked) kept.add(await publishOne(work, caller, request, { port, ways, kept }))
}

async function waysInto({ tables }: Work, nics: readonly Nic[]): Promise<WayIn[]> {
  const ways: WayIn[] = []
  for (const { portId, networkId, addresses } of nics) {
    const routers = await tables.routers.onNetworks([networkId])
    for (const { address, subnetId, version, gateway: subnetGateway } of addresses) {
      if (version !== 4) continue
      const fitting = routers.filter(
        ({ gateway, interfaces }) => gateway && interfaces.some((one) => one.subnetId === subnetId),
      )
      // Answers leave by the subnet's gateway.
      const best =
        fitting.find(({ interfaces }) => interfaces.some((one) => one.address === subnetGateway)) ?? fitting[0]
      if (best?.gateway) ways.push({ portId, address, routerId: best.id, outside: best.gateway.networkId })
    }
  }
  return ways
}

interface One {
  readonly port: Publish
  readonly ways: readonly WayIn[]
  /** Ids of forwardings that are for others of the same container's ports. */
  readonly kept: ReadonlySet<string>
}

/** Answers the id of the forwarding that leads there now. */
async function publishOne(work: Work, caller: Caller, request: PublishRequest, one: One): Promise<string> {
  const { port } = one
  const candidates = await addressesFor(work, caller, one)
  const there = candidates.flatMap((ip) => ip.forwardings.filter((each) => isFor(each, one)))
  const [first] = there
  if (first) return first.id
  if (port.publicPort !== null) {
    for (const ip of candidates) await makeWay(work, caller, request, one, ip)
  }
  const ip = await withRoom(work, caller, one)
  const way = one.ways.find((each) => fits(ip, each)) ?? one.ways[0]
  if (!way) return ''
  const { protocol, containerPort } = port
  const externalPort = port.publicPort ?? freePort(ip, protocol)
  const input = { protocol, externalPort, port: way.portId, address: way.address, internalPort: containerPort }
  return (await addForwarding(work, caller, ip.id, input)).id
}

/** Whether this forwarding is already what was asked for. */
function isFor(forwarding: FloatingIp['forwardings'][number], { port, ways, kept }: One): boolean {
  const { protocol, externalPort, internalPort } = forwarding
  if (kept.has(forwarding.id) || protocol !== port.protocol || internalPort !== port.containerPort) return false
  if (!ways.some(({ portId, address }) => portId === forwarding.portId && address === forwarding.address)) return false
  return port.publicPort === null ? externalPort >= firstFree : externalPort === port.publicPort
}

async function addressesFor({ tables }: Work, caller: Caller, { port, ways }: One): Promise<FloatingIp[]> {
  if (port.address !== null) return [await floatingIpBy(tables, caller, port.address)]
  const own = await tables.floatingIps.list(caller.projectId)
  return own.filter((ip) => ip.published === true && ip.portId === null && ways.some((way) => fits(ip, way)))
}

function fits({ networkId, routerId }: FloatingIp, way: WayIn): boolean {
  return networkId === way.outside && (routerId === null || routerId === way.routerId)
}

/** What has the public port goes, if it may. */
async function makeWay(work: Work, caller: Caller, request: PublishRequest, { port, ways }: One, ip: FloatingIp) {
  const rival = ip.forwardings.find((each) => each.protocol === port.protocol && each.externalPort === port.publicPort)
  if (!rival) return
  const isOwn = ways.some(({ portId }) => portId === rival.portId)
  const holder = isOwn ? null : (await work.tables.ports.get(rival.portId))?.deviceId
  const isFree = isOwn || (holder && (await request.yields(holder as ContainerId)))
  if (!isFree) {
    const { protocol } = port
    const details = { ref: request.name, port: rival.externalPort, protocol, address: port.address ?? '0.0.0.0' }
    throw new Fault('port.allocated', details)
  }
  await work.tables.floatingIps.removeForwarding(ip.id, rival.id)
  await settleRouter(work, { ...ip, forwardings: ip.forwardings.filter((each) => each !== rival) })
}

/** The address that was asked for, or the first shared one with room; made when there is none. */
async function withRoom(work: Work, caller: Caller, one: One): Promise<FloatingIp> {
  const candidates = await addressesFor(work, caller, one)
  const [asked] = one.port.address === null ? [] : candidates
  if (asked) return asked
  const found = candidates.find(({ forwardings }) => forwardings.length < mostForwardings)
  const [way] = one.ways
  return found ?? createFloatingIp(work, caller, { ...(way && { network: way.outside }) }, true)
}

function freePort({ address, forwardings }: FloatingIp, protocol: Publish['protocol']): number {
  const taken = new Set(forwardings.filter((each) => each.protocol === protocol).map((each) => each.externalPort))
  for (let port = firstFree; port <= lastFree; port += 1) if (!taken.has(port)) return port
  throw new Fault('network.conflict', { problem: `No free port is left on floating IP ${address}.` })
}

/** What leads to each of these containers, in order of their ports. */
export async function publishedOf(
  { tables }: Pick<Work, 'tables'>,
  caller: Caller,
  containers: readonly Pick<Container, 'id' | 'projectId' | 'nics'>[],
): Promise<Map<ContainerId, PublishedPort[]>> {
  const owners = new Map<PortId, ContainerId>()
  for (const { id, nics } of containers) for (const { portId } of nics) owners.set(portId, id)
  const published = new Map<ContainerId, PublishedPort[]>()
  if (owners.size === 0) return published
  const isAbroad = caller.isAdmin && containers.some(({ projectId }) => projectId !== caller.projectId)
  for (const { address, forwardings } of await tables.floatingIps.list(isAbroad ? null : caller.projectId)) {
    for (const { protocol, externalPort, internalPort, portId } of forwardings) {
      const owner = owners.get(portId)
      if (owner === undefined) continue
      const port = { containerPort: internalPort, protocol, address, publicPort: externalPort }
      published.set(owner, [...(published.get(owner) ?? []), port])
    }
  }
  for (const ports of published.values())
    ports.sort((a, b) => a.containerPort - b.containerPort || a.publicPort - b.publicPort)
  return published
}
