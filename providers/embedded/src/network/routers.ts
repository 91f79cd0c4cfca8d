import { blockOf, type NetworkVerbs, overlap } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  Caller,
  FloatingIp,
  Network,
  Port,
  ProjectId,
  Router,
  RouterId,
  RouterInterface,
  Subnet,
} from '@gantry/model'
import { freeAddress } from './allocate.ts'
import { servicePort } from './insert-port.ts'
import { enforceLimit } from './limits.ts'
import { checkName, conflict, invalid, type Parts, requireAdmin, scopeOf, transact, type Work } from './parts.ts'
import { nobody } from './parts.ts'
import { requireFree } from './ports.ts'
import { deletePort } from './release-port.ts'
import { networkBy, portBy, requireOwner, routerBy, subnetBy } from './sight.ts'

export function routers(parts: Parts): NetworkVerbs['routers'] {
  return {
    create: (caller, { name }) => transact(parts, (work) => createRouter(work, caller.projectId, name)),
    list: async (caller, options) => parts.store.routers.list(scopeOf(caller, options)),
    get: (caller, ref) => routerBy(parts.store, caller, ref),
    delete: (caller, ref) =>
      transact(parts, async (work) => {
        const router = await routerBy(work.tables, caller, ref)
        if (router.interfaces.length > 0) {
          const reason = `it has ${router.interfaces.length} interfaces; remove them first`
          throw new Fault('network.in-use', { type: 'router', ref: router.name, reason })
        }
        await clearGateway(work, router)
        await work.tables.routers.remove(router.id)
        work.touched.routers.add(router.id)
      }),
    setGateway: (caller, ref, gateway) =>
      transact(parts, async (work) => {
        const router = await routerBy(work.tables, caller, ref)
        if (gateway === null) return clearGateway(work, router)
        const network = await networkBy(work.tables, caller, gateway.network)
        if (!gateway.snat) requireAdmin(caller, 'Switching off the translation of addresses (SNAT)')
        return setGateway(work, router, network, gateway.snat)
      }),
    addInterface: (caller, ref, to) =>
      transact(parts, async (work) => {
        const router = await routerBy(work.tables, caller, ref)
        if ('port' in to) return addPort(work, caller, router, to.port)
        const subnet = await subnetBy(work.tables, caller, to.subnet)
        const network = await work.tables.networks.get(subnet.networkId)
        if (network) requireOwner(caller, network, 'Connecting a router to this network')
        return addSubnet(work, router, subnet)
      }),
    removeInterface: (caller, ref, from) => transact(parts, (work) => removeInterface(work, caller, ref, from)),
  }
}

export async function createRouter(work: Work, projectId: ProjectId, name: string): Promise<Router> {
  const { tables, ids, clock } = work
  await enforceLimit(work, projectId, 'routers')
  const router: Router = {
    id: ids.uuid() as RouterId,
    projectId,
    name: checkName(name, 'router'),
    gateway: null,
    interfaces: [],
    createdAt: clock.now(),
  }
  await tables.routers.insert(router)
  return router
}

/** Takes an address for the router from the external network; nothing changes if it has one there. */
export async function setGateway(work: Work, router: Router, network: Network, snat: boolean): Promise<Router> {
  const { tables, touched } = work
  if (!network.external) throw invalid(`Network ${network.name} is not external; a router's gateway must be.`)
  touched.routers.add(router.id)
  if (router.gateway?.networkId === network.id) {
    const gateway = { ...router.gateway, snat }
    await tables.routers.update(router.id, { gateway })
    return { ...router, gateway }
  }
  await clearGateway(work, router)
  const subnets = await waysOut(work, network)
  for (const { cidr } of subnets) await requireApart(work, router, cidr)
  const fixedIp = await freeAddress(work, subnets, [], `external network ${network.name}`)
  const port = await servicePort(work, {
    projectId: nobody,
    networkId: network.id,
    fixedIps: [fixedIp],
    deviceId: router.id,
    deviceOwner: 'network:router_gateway',
  })
  const gateway = { networkId: network.id, portId: port.id, address: fixedIp.address, snat }
  await tables.routers.update(router.id, { gateway })
  touched.networks.add(network.id)
  return { ...router, gateway }
}

/** The external network's subnets that lead out: over IPv4, with a gateway. */
export async function waysOut({ tables }: Work, network: Network): Promise<Subnet[]> {
  const subnets = await tables.subnets.ofNetworks([network.id])
  const found = subnets.filter(({ version, gateway }) => version === 4 && gateway !== null)
  if (found.length === 0) {
    throw conflict(`External network ${network.name} has no IPv4 subnet with a gateway; an administrator must add one.`)
  }
  return found
}

async function clearGateway(work: Work, router: Router): Promise<Router> {
  const { tables, touched } = work
  if (router.gateway === null) return router
  requireUnused(router, await tables.floatingIps.ofRouter(router.id), 'gateway')
  await deletePort(work, router.gateway.portId)
  await tables.routers.update(router.id, { gateway: null })
  touched.networks.add(router.gateway.networkId)
  touched.routers.add(router.id)
  return { ...router, gateway: null }
}

function requireUnused({ name }: Router, ips: readonly FloatingIp[], what: string): void {
  if (ips.length === 0) return
  const addresses = ips.map(({ address }) => address).join(', ')
  throw new Fault('network.in-use', {
    type: 'router',
    ref: name,
    reason: `its ${what} serves floating IPs; lead them elsewhere first: ${addresses}`,
  })
}

/** The subnet's gateway address becomes the router's. */
export async function addSubnet(work: Work, router: Router, subnet: Subnet): Promise<Router> {
  const { tables } = work
  const { id: subnetId, networkId, gateway: address, cidr } = subnet
  if (address === null) throw invalid(`Subnet ${cidr} has no gateway address; connect the router by a port instead.`)
  await checkInterface(work, router, subnet)
  if (await tables.ports.addressTaken(subnetId, address)) {
    throw conflict(`The gateway address ${address} of subnet ${cidr} is in use; connect the router by a port instead.`)
  }
  const port = await servicePort(work, {
    projectId: router.projectId,
    networkId,
    fixedIps: [{ subnetId, address }],
    deviceId: router.id,
    deviceOwner: 'network:router_interface',
  })
  return withInterfaces(work, router, [...router.interfaces, { portId: port.id, networkId, subnetId, address }])
}

async function addPort(work: Work, caller: Caller, router: Router, ref: string): Promise<Router> {
  const { tables } = work
  const port = await portBy(tables, caller, ref)
  requireFree(port, ref)
  const network = await tables.networks.get(port.networkId)
  // A router's port is not filtered, so that only the network's owner may give it one.
  if (network) requireOwner(caller, network, 'Connecting a router to this network')
  const [fixedIp, second] = port.fixedIps
  if (!fixedIp || second) throw invalid(`Port ${ref} must have one address to become the interface of a router.`)
  const subnet = await tables.subnets.get(fixedIp.subnetId)
  if (subnet) await checkInterface(work, router, subnet)
  await tables.ports.update(port.id, {
    deviceId: router.id,
    deviceOwner: 'network:router_interface',
    groups: [],
    filtered: false,
  })
  const { id: portId, networkId } = port
  return withInterfaces(work, router, [...router.interfaces, { portId, networkId, ...fixedIp }])
}

async function checkInterface(work: Work, router: Router, { networkId, cidr }: Subnet): Promise<void> {
  const network = await work.tables.networks.get(networkId)
  if (network?.external) {
    throw invalid(`Network ${network.name} is external; set it as the router's gateway instead of adding an interface.`)
  }
  await requireApart(work, router, cidr)
}

/** A router cannot tell two overlapping subnets from each other. */
async function requireApart({ tables }: Work, router: Router, cidr: string): Promise<void> {
  const networkIds = router.interfaces.map(({ networkId }) => networkId)
  const connected = new Set<string>(router.interfaces.map(({ subnetId }) => subnetId))
  const inside = (await tables.subnets.ofNetworks(networkIds)).filter(({ id }) => connected.has(id))
  const outside = router.gateway ? await tables.subnets.ofNetworks([router.gateway.networkId]) : []
  const clash = [...inside, ...outside].find((other) => overlap(blockOf(other.cidr), blockOf(cidr)))
  if (clash) throw conflict(`Subnet ${cidr} overlaps with ${clash.cidr}, which router ${router.name} has already.`)
}

export async function removeInterface(
  work: Work,
  caller: Caller,
  ref: string,
  from: { subnet: string } | { port: string },
): Promise<Router> {
  const { tables } = work
  const router = await routerBy(tables, caller, ref)
  const { id } = 'port' in from ? await portBy(tables, caller, from.port) : await subnetBy(tables, caller, from.subnet)
  const leaving = router.interfaces.filter(({ portId, subnetId }) => portId === id || subnetId === id)
  if (leaving.length === 0) {
    throw new Fault('network.not-found', {
      type: `interface of router ${router.name} to`,
      ref: Object.values(from).join(),
    })
  }
  requireUnused(router, await servedBy(work, router, leaving), 'interface')
  for (const { portId } of leaving) await deletePort(work, portId)
  return withInterfaces(
    work,
    router,
    router.interfaces.filter((one) => !leaving.includes(one)),
  )
}

/** Floating IPs of the router that lead to subnets of these interfaces. */
async function servedBy(
  { tables }: Work,
  router: Router,
  interfaces: readonly RouterInterface[],
): Promise<FloatingIp[]> {
  const ips = await tables.floatingIps.ofRouter(router.id)
  const targets = ips.flatMap((ip) => targetsOf(ip).map((target) => ({ ip, ...target })))
  const ports = new Map<string, Port>()
  for (const port of await tables.ports.getMany(targets.map(({ portId }) => portId))) ports.set(port.id, port)
  const subnetIds = new Set<string>(interfaces.map(({ subnetId }) => subnetId))
  const served = targets.filter(({ portId, address }) =>
    ports.get(portId)?.fixedIps.some((fixed) => fixed.address === address && subnetIds.has(fixed.subnetId)),
  )
  return [...new Set(served.map(({ ip }) => ip))]
}

function targetsOf({
  portId,
  fixedAddress,
  forwardings,
}: FloatingIp): Pick<FloatingIp['forwardings'][number], 'portId' | 'address'>[] {
  if (portId !== null && fixedAddress !== null) return [{ portId, address: fixedAddress }]
  return forwardings.map(({ portId: to, address }) => ({ portId: to, address }))
}

async function withInterfaces(
  { tables, touched }: Work,
  router: Router,
  interfaces: readonly RouterInterface[],
): Promise<Router> {
  await tables.routers.update(router.id, { interfaces })
  // Hosts hold a router together with all that it leads to, so what it led to before concerns them too.
  for (const { networkId } of [...router.interfaces, ...interfaces]) touched.networks.add(networkId)
  if (router.gateway) touched.networks.add(router.gateway.networkId)
  touched.routers.add(router.id)
  return { ...router, interfaces }
}
