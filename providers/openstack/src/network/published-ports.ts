import type { PublishRequest } from '@gantry/control'
import { Fault, type Turns } from '@gantry/kernel'
import type { Caller, ContainerId, Publish } from '@gantry/model'
import {
  allOf,
  type Context,
  type FloatingIp,
  isOpenStackError,
  type NetworkService,
  type OpenStackError,
  type PortForwarding,
} from '@gantry/openstack'
import { forwardingsOf } from './forwardings.ts'
import { asking } from './neutron-faults.ts'
import { markOf, neutronOf, type Parts } from './parts.ts'
import { rowOf } from './port-rows.ts'
import { type WayIn, waysInto } from './ways-in.ts'

/** Where public ports are chosen from: what Linux takes for its own connections, as Docker does. */
const firstFree = 32_768
const lastFree = 60_999
/** Tries where somebody else takes the port, or gives back the address, at the same moment. */
const mostTries = 5

/** The description of floating IPs that all published ports of a project share. */
export function publishedMark(parts: Pick<Parts, 'deployment'>): string {
  return `${markOf(parts)}: published ports`
}

interface WithForwardings {
  readonly ip: FloatingIp
  readonly forwardings: readonly PortForwarding[]
}

interface Work {
  readonly parts: PublishParts
  readonly caller: Caller
  readonly neutron: NetworkService
  readonly context: Context
  readonly request: PublishRequest
  readonly ways: readonly WayIn[]
}

export interface PublishParts extends Parts {
  /** By project: no two floating IPs are made at once, and none is given back that was just chosen. */
  readonly publishing: Turns
}

/** Leads public ports to a container by port forwardings of a floating IP; see `RemotePorts.publish`. */
export async function publishPorts(parts: PublishParts, caller: Caller, request: PublishRequest): Promise<void> {
  const neutron = neutronOf(parts, caller)
  await asking({ type: 'floating IP', ref: 'of published ports' }, async () => {
    const ways = await waysInto(neutron, parts.access.contextOf(caller), request.nics)
    if (ways.length === 0) return
    const work: Work = {
      parts,
      caller,
      neutron,
      request,
      ways,
      // Its time is that of a call or two, not of all that are to be published.
      get context() {
        return parts.access.contextOf(caller)
      },
    }
    // What names its public port first: the others take what is left.
    const asked = request.ports.toSorted((a, b) => Number(a.publicPort === null) - Number(b.publicPort === null))
    const kept = new Set<string>()
    for (const port of asked) kept.add(await publishOne(work, port, kept))
  })
}

/** Answers the id of the forwarding that leads there now. */
async function publishOne(work: Work, port: Publish, kept: ReadonlySet<string>): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await publishOnce(work, port, kept)
    } catch (error) {
      if (!isOpenStackError(error)) throw error
      const isRace = isTaken(error) || error.code === 'FloatingIPNotFound'
      if (!isRace || tries === mostTries) throw refusal(error, work, port)
    }
  }
}

async function publishOnce(work: Work, port: Publish, kept: ReadonlySet<string>): Promise<string> {
  const { neutron, context, ways, request } = work
  const found = await work.parts.publishing.take(work.caller.projectId, () => addressesFor(work, port))
  for (const { forwardings } of found) {
    const there = forwardings.find((each) => !kept.has(each.id) && isFor(each, port, ways))
    if (there) return there.id
  }
  if (port.publicPort !== null) for (const each of found) await makeWay(work, port, each)
  const [target] = found
  const way = target && ways.find((each) => fits(target.ip, each))
  if (!way) throw new Error('an address is chosen by its way in')
  const made = await neutron.portForwardings(target.ip.id).create(
    {
      protocol: port.protocol,
      internal_port_id: way.portId,
      internal_ip_address: way.address,
      internal_port: port.containerPort,
      external_port: port.publicPort ?? freePort(target, port.protocol),
      description: `container ${request.containerId}`,
    },
    context,
  )
  return made.id
}

function isFor(forwarding: PortForwarding, port: Publish, ways: readonly WayIn[]): boolean {
  const { protocol, internal_port, external_port, internal_port_id, internal_ip_address } = forwarding
  if (protocol !== port.protocol || internal_port !== port.containerPort) return false
  if (!ways.some((way) => way.portId === internal_port_id && way.address === internal_ip_address)) return false
  return port.publicPort === null ? (external_port ?? 0) >= firstFree : external_port === port.publicPort
}

/** The address that was asked for, or those that the project's published ports share; at least one. */
async function addressesFor(work: Work, { address }: Publish): Promise<WithForwardings[]> {
  const { neutron, context, caller, parts, ways } = work
  const filters = address === null ? { description: publishedMark(parts) } : { floating_ip_address: address }
  const found = await allOf(neutron.floatingIps.list({ ...filters, project_id: caller.projectId }, context))
  const fitting = found.filter((ip) => (ip.port_id ?? null) === null && ways.some((way) => fits(ip, way)))
  if (fitting.length > 0) {
    return Promise.all(fitting.map(async (ip) => ({ ip, forwardings: await forwardingsOf(neutron, ip, context) })))
  }
  if (address !== null) throw unfit(address, found[0])
  return [await newAddress(work)]
}

function fits({ floating_network_id: network, router_id: router }: FloatingIp, way: WayIn): boolean {
  return network === way.outside && ((router ?? null) === null || router === way.routerId)
}

function unfit(address: string, ip: FloatingIp | undefined): Fault {
  if (!ip) return new Fault('network.not-found', { type: 'floating IP', ref: address })
  if ((ip.port_id ?? null) !== null) {
    const reason = 'it leads to a port as a whole'
    return new Fault('network.in-use', { type: 'floating IP', ref: address, reason })
  }
  const problem = `Floating IP ${address} does not belong to the router that leads to the container.`
  return new Fault('network.conflict', { problem })
}

async function newAddress({ neutron, context, caller, parts, ways }: Work): Promise<WithForwardings> {
  const [way] = ways
  if (!way) throw new Error('there is a way')
  if (!(await neutron.extensions(context)).has('floating-ip-port-forwarding')) {
    const reason = 'this cloud’s Neutron has no port forwarding (its service plugin port_forwarding); use a floating IP'
    throw new Fault('request.unsupported', { feature: 'Publishing a port', reason })
  }
  const { projectId } = caller
  const ip = await neutron.floatingIps.create(
    {
      floating_network_id: way.outside,
      description: publishedMark(parts),
      ...(caller.isAdmin && { project_id: projectId }),
    },
    context,
  )
  await parts.store.cloudPorts.insert(rowOf(parts, { id: ip.id, kind: 'address', projectId }))
  return { ip, forwardings: [] }
}

/** What has the public port goes, if it may. */
async function makeWay(work: Work, port: Publish, { ip, forwardings }: WithForwardings): Promise<void> {
  const { neutron, context, ways, request } = work
  const rival = forwardings.find(
    ({ protocol, external_port }) => protocol === port.protocol && external_port === port.publicPort,
  )
  if (!rival) return
  const isOwn = ways.some(({ portId }) => portId === rival.internal_port_id)
  const [holder] = isOwn ? [] : await allOf(neutron.ports.list({ id: rival.internal_port_id }, context))
  const device = holder?.device_id ?? ''
  const isFree = isOwn || (device !== '' && (await request.yields(device as ContainerId)))
  if (!isFree) throw allocated(work, port)
  await neutron.portForwardings(ip.id).remove(rival.id, context)
}

function allocated({ request }: Work, { protocol, publicPort, address }: Publish, cause?: Error): Fault {
  const details = { ref: request.name, port: publicPort ?? 0, protocol, address: address ?? '0.0.0.0' }
  return new Fault('port.allocated', details, cause)
}

/** Neutron has one code for everything that is wrong with a forwarding. */
function isTaken({ status, reason }: OpenStackError): boolean {
  return (status === 400 || status === 409) && /external_port/.test(reason)
}

function refusal(error: OpenStackError, work: Work, port: Publish): Error {
  if (isTaken(error)) return allocated(work, port, error)
  if (error.status !== 400 || !/internal_port_range/.test(error.reason)) return error
  const reason = `Neutron leads one public port to ${port.containerPort}/${port.protocol} of an address, and one does already`
  return new Fault('request.unsupported', { feature: 'Publishing a port of a container twice', reason }, error)
}

function freePort({ ip, forwardings }: WithForwardings, protocol: Publish['protocol']): number {
  const taken = new Set(forwardings.filter((each) => each.protocol === protocol).map((each) => each.external_port))
  for (let port = firstFree; port <= lastFree; port += 1) if (!taken.has(port)) return port
  throw new Fault('network.conflict', { problem: `No free port is left on floating IP ${ip.floating_ip_address}.` })
}
