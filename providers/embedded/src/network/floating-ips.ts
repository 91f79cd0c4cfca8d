import {
  blockOf,
  canonicalAddress,
  isForInterfaces,
  type NetworkVerbs,
  type NewFloatingIp,
  type NewForwarding,
  parseAddress,
} from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  Caller,
  FixedIp,
  FloatingIp,
  FloatingIpId,
  Network,
  Port,
  PortForwarding,
  PortForwardingId,
  RouterId,
} from '@gantry/model'
import { freeAddress } from './allocate.ts'
import { servicePort } from './insert-port.ts'
import { enforceLimit } from './limits.ts'
import { conflict, invalid, nobody, type Parts, scopeOf, transact, type Work } from './parts.ts'
import { deletePort, settleRouter, unbound } from './release-port.ts'
import { waysOut } from './routers.ts'
import { floatingIpBy, networkBy, portBy, requireSameProject } from './sight.ts'

export function floatingIps(parts: Parts): NetworkVerbs['floatingIps'] {
  return {
    create: (caller, input) => transact(parts, (work) => createFloatingIp(work, caller, input)),
    list: async (caller, options) => parts.store.floatingIps.list(scopeOf(caller, options)),
    get: (caller, ref) => floatingIpBy(parts.store, caller, ref),
    associate: (caller, ref, port, fixedAddress) =>
      transact(parts, async (work) => {
        const ip = await floatingIpBy(work.tables, caller, ref)
        if (port !== null) return associate(work, caller, ip, port, fixedAddress)
        return ip.portId === null ? ip : settleRouter(work, unbound(ip))
      }),
    delete: (caller, ref) =>
      transact(parts, async (work) => {
        const ip = await floatingIpBy(work.tables, caller, ref)
        for (const { id } of ip.forwardings) await work.tables.floatingIps.removeForwarding(ip.id, id)
        if (ip.routerId !== null) work.touched.routers.add(ip.routerId)
        for (const port of await work.tables.ports.ofDevice(ip.id)) await deletePort(work, port.id)
        await work.tables.floatingIps.remove(ip.id)
      }),
    addForwarding: (caller, ref, input) => transact(parts, (work) => addForwarding(work, caller, ref, input)),
    removeForwarding: (caller, ref, forwardingId) =>
      transact(parts, async (work) => {
        const ip = await floatingIpBy(work.tables, caller, ref)
        const leaving = ip.forwardings.find(({ id }) => id === forwardingId)
        if (!leaving) throw new Fault('network.not-found', { type: 'port forwarding', ref: forwardingId })
        await work.tables.floatingIps.removeForwarding(ip.id, leaving.id)
        await settleRouter(work, { ...ip, forwardings: ip.forwardings.filter((one) => one !== leaving) })
      }),
  }
}

export async function createFloatingIp(
  work: Work,
  caller: Caller,
  input: NewFloatingIp,
  published = false,
): Promise<FloatingIp> {
  const { tables, ids, clock } = work
  const network = await externalNetwork(work, caller, input.network)
  await enforceLimit(work, caller.projectId, 'floatingIps')
  const id = ids.uuid() as FloatingIpId
  const fixedIp = await addressOutside(work, network, input.address)
  // The port claims the address on its subnet, where routers' gateways take theirs too.
  await servicePort(work, {
    projectId: nobody,
    networkId: network.id,
    fixedIps: [fixedIp],
    deviceId: id,
    deviceOwner: 'network:floatingip',
  })
  const ip: FloatingIp = {
    id,
    projectId: caller.projectId,
    networkId: network.id,
    address: fixedIp.address,
    portId: null,
    fixedAddress: null,
    routerId: null,
    forwardings: [],
    ...(published && { published }),
    createdAt: clock.now(),
  }
  await tables.floatingIps.insert(ip)
  return input.port === undefined ? ip : associate(work, caller, ip, input.port, input.fixedAddress)
}

async function externalNetwork({ tables }: Work, caller: Caller, ref: string | undefined): Promise<Network> {
  if (ref !== undefined) {
    const network = await networkBy(tables, caller, ref)
    if (!network.external) throw invalid(`Network ${network.name} is not external; floating IPs come from one that is.`)
    return network
  }
  const oldest = await oldestExternal(tables, caller)
  if (!oldest) throw conflict('There is no external network; an administrator must make one first.')
  return oldest
}

export async function oldestExternal(
  tables: Work['tables'],
  { projectId }: Pick<Caller, 'projectId'>,
): Promise<Network | undefined> {
  const external = (await tables.networks.visible(projectId)).filter((network) => network.external)
  return external.toSorted((one, other) => one.createdAt - other.createdAt)[0]
}

async function addressOutside(work: Work, network: Network, asked: string | undefined): Promise<FixedIp> {
  const subnets = await waysOut(work, network)
  if (asked === undefined) return freeAddress(work, subnets, [], `external network ${network.name}`)
  const wanted = parseAddress(asked)
  const subnet = wanted && subnets.find(({ cidr }) => isForInterfaces(wanted, blockOf(cidr)))
  if (!subnet) throw invalid(`${asked} is not an IPv4 address of external network ${network.name}.`)
  const isTaken = subnet.gateway === asked || (await work.tables.ports.addressTaken(subnet.id, asked))
  if (isTaken) throw new Fault('address.in-use', { address: asked })
  return { subnetId: subnet.id, address: asked }
}

async function associate(
  work: Work,
  caller: Caller,
  ip: FloatingIp,
  ref: string,
  asked: string | undefined,
): Promise<FloatingIp> {
  const { tables, touched } = work
  if (ip.forwardings.length > 0) {
    throw conflict(`Floating IP ${ip.address} forwards single ports; remove its port forwardings first.`)
  }
  const target = await targetOf(work, caller, ip, ref, asked)
  const { port, address, routerId } = target
  const others = await tables.floatingIps.ofPort(port.id)
  const rival = others.find((other) => other.id !== ip.id && other.portId === port.id && other.fixedAddress === address)
  if (rival) throw conflict(`Address ${address} has floating IP ${rival.address} already; take that away first.`)
  if (ip.routerId !== null) touched.routers.add(ip.routerId)
  return settleRouter(work, { ...ip, portId: port.id, fixedAddress: address, routerId })
}

interface Target {
  readonly port: Port
  readonly address: string
  readonly routerId: RouterId
}

async function targetOf(
  work: Work,
  caller: Caller,
  ip: FloatingIp,
  ref: string,
  asked: string | undefined,
): Promise<Target> {
  const port = await portBy(work.tables, caller, ref)
  if (port.deviceOwner.startsWith('network:')) throw invalid(`Port ${ref} is not one of a container.`)
  requireSameProject(ip, port, 'A floating IP and the port it leads to')
  const fixed = fixedIpOf(port, ref, asked)
  const routerId = await routerBetween(work, port, fixed, ip)
  if (routerId === undefined) {
    throw conflict(
      `Floating IP ${ip.address} cannot reach ${fixed.address}: its subnet needs a router whose gateway is on the ` +
        'external network of the floating IP. Connect the subnet to such a router.',
    )
  }
  return { port, address: fixed.address, routerId }
}

function fixedIpOf({ fixedIps }: Port, ref: string, asked: string | undefined): FixedIp {
  const wanted = asked === undefined ? undefined : canonicalAddress(asked)
  const found = fixedIps.find(({ address }) => (asked === undefined ? !address.includes(':') : address === wanted))
  if (!found) throw invalid(`Port ${ref} has no ${asked === undefined ? 'IPv4 address' : `address ${asked}`}.`)
  if (found.address.includes(':')) throw invalid(`A floating IP leads to an IPv4 address, not to ${found.address}.`)
  return found
}

async function routerBetween(
  { tables }: Work,
  { networkId }: Port,
  { subnetId }: FixedIp,
  ip: FloatingIp,
): Promise<RouterId | undefined> {
  const fitting = (await tables.routers.onNetworks([networkId])).filter(
    ({ gateway, interfaces }) =>
      gateway?.networkId === ip.networkId && interfaces.some((one) => one.subnetId === subnetId),
  )
  // Answers of the container leave by the subnet's gateway, so the router that is it comes first.
  const gateway = (await tables.subnets.get(subnetId))?.gateway
  const best = fitting.find(({ interfaces }) => interfaces.some(({ address }) => address === gateway))
  return (best ?? fitting[0])?.id
}

export async function addForwarding(
  work: Work,
  caller: Caller,
  ref: string,
  input: NewForwarding,
): Promise<PortForwarding> {
  const { tables, ids } = work
  const ip = await floatingIpBy(tables, caller, ref)
  checkForwarding(input)
  if (ip.portId !== null) {
    throw conflict(
      `Floating IP ${ip.address} leads to a port as a whole; take that away before forwarding single ports.`,
    )
  }
  const { protocol, externalPort, internalPort } = input
  if (ip.forwardings.length >= mostForwardings) {
    const used = ip.forwardings.length
    const resource = `port forwardings of floating IP ${ip.address}`
    throw new Fault('quota.exceeded', { resource, limit: mostForwardings, used, asked: 1 })
  }
  if (ip.forwardings.some((one) => one.protocol === protocol && one.externalPort === externalPort)) {
    throw conflict(`Port ${externalPort}/${protocol} of floating IP ${ip.address} is forwarded already.`)
  }
  const { port, address, routerId } = await targetOf(work, caller, ip, input.port, input.address)
  if (ip.routerId !== null && ip.routerId !== routerId) {
    throw conflict(`The port forwardings of floating IP ${ip.address} pass another router; use another floating IP.`)
  }
  const id = ids.uuid() as PortForwardingId
  const forwarding: PortForwarding = { id, protocol, externalPort, portId: port.id, address, internalPort }
  await tables.floatingIps.addForwarding(ip.id, forwarding)
  await settleRouter(work, { ...ip, routerId, forwardings: [...ip.forwardings, forwarding] })
  return forwarding
}

/** Of one floating IP. A router is told to its hosts with all of them, in a message that has a bound. */
export const mostForwardings = 100

function checkForwarding({ protocol, externalPort, internalPort }: NewForwarding): void {
  if (protocol !== 'tcp' && protocol !== 'udp') throw invalid('A port forwarding is for tcp or udp.')
  for (const port of [externalPort, internalPort]) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid(`Ports are 1 to 65535, not ${port}.`)
  }
}
