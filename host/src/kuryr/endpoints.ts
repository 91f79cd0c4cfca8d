import { BoundedMap, reasonOf } from '@gantry/kernel'
import type { Port, Subnet } from '@gantry/openstack'
import type { TSchema } from 'typebox'
import { type Binder, containerEnd } from '../network/binding/binder.ts'
import { checked, PluginRefusal } from '../network/plugin-server.ts'
import type { Attachment } from './attachment.ts'
import { addressOf, isAddressIn } from './cidr.ts'
import { type CreateEndpoint, ExposedPorts, endpointOptions, type OfEndpoint, PublishedPorts } from './messages.ts'
import type { Net, NetBook } from './net-book.ts'
import type { PortBook } from './port-book.ts'
import type { PortCare } from './port-care.ts'
import type { Publishing } from './published-ports.ts'
import type { Site } from './site.ts'
import { isFiltered } from './vif-of.ts'

export interface Endpoints {
  create(body: CreateEndpoint): Promise<object>
  join(body: OfEndpoint): Promise<object>
  publish(body: OfEndpoint): Promise<object>
  revoke(body: OfEndpoint): Promise<object>
  show(body: OfEndpoint): Promise<object>
  remove(body: OfEndpoint): Promise<object>
}

export interface EndpointsParts {
  readonly site: Site
  readonly book: NetBook
  readonly ports: PortBook
  readonly care: PortCare
  readonly attachment: Attachment
  readonly binder: Binder
  readonly publishing: Publishing
  readonly wait: PortWait
}

/** How long a container's start waits for Neutron's agent to let its traffic pass. */
export interface PortWait {
  /** 0: not at all; until then the container runs, but nothing reaches it. */
  readonly ms: number
  /** What takes longer fails the start. */
  readonly fatal: boolean
}

/** Docker asks how an endpoint is twice while it starts a container, and waits for the answers. Milliseconds. */
const newForMs = 15_000

/** Docker's endpoints: each is a port of Neutron's, bound to this host and plugged. */
export function endpoints(parts: EndpointsParts): Endpoints {
  const { site, book, ports, care, attachment, binder, publishing, wait } = parts
  const madeAt = new BoundedMap<string, number>(1000)

  const netOf = async (dockerId: string): Promise<Net> => {
    const net = await book.ofDocker(dockerId)
    if (net) return net
    throw new PluginRefusal(404, `Neutron has no network of Docker network ${dockerId.slice(0, 12)} any more.`)
  }

  /** The port that was made for the address, or, with another IPAM driver than ours, a new one. */
  const portFor = async (net: Net, addresses: readonly string[], mac: string | null): Promise<Port> => {
    const [address = ''] = addresses
    const present = await ports.ofAddress(net.network.id, address)
    if (present) return present
    const subnet = net.subnets.find(({ cidr }) => isAddressIn(cidr, address))
    if (!subnet) throw new PluginRefusal(409, `Network ${net.network.id} has no subnet with the address ${address}.`)
    return care.obtain(subnet, address, mac)
  }

  const create: Endpoints['create'] = async ({ NetworkID, EndpointID, Interface, Options }) => {
    const { Address = '', AddressIPv6 = '', MacAddress = '' } = Interface ?? {}
    const addresses = [Address, AddressIPv6].filter((text) => text !== '').map(addressOf)
    if (addresses.length === 0) throw new PluginRefusal(400, 'Interface address v4 or v6 not provided.')
    const exposed = valueAt(ExposedPorts, Options, endpointOptions.exposed) ?? []
    const net = await netOf(NetworkID)
    const port = await portFor(net, addresses, MacAddress === '' ? null : MacAddress)
    const { device_id = '' } = port
    if (!care.isOurs(port) || (device_id !== '' && device_id !== EndpointID)) {
      throw new PluginRefusal(409, `Address ${addresses[0]} is in use, by port ${port.id}.`)
    }
    const vif = await attachment.attach(port)
    madeAt.set(EndpointID, site.clock.now())
    ports.keep({ ...port, device_id: EndpointID })
    const adoption = device_id === EndpointID ? null : care.adopt(port, EndpointID, exposed)
    // Docker need not wait for it: until it is written, the address tells whose the port is.
    adoption?.catch((error: unknown) =>
      site.log.warn({ port: port.id, reason: reasonOf(error) }, 'endpoint not written'),
    )
    // But its security groups must not change when Neutron's agent has taken it up: ebtables 1.8 then stops the agent.
    if (exposed.length > 0) await adoption
    await binder.plug({
      portId: port.id,
      networkId: port.network_id,
      mac: port.mac_address,
      mtu: net.network.mtu ?? 1500,
      vif,
      filtered: isFiltered(port),
    })
    return { Interface: MacAddress === '' ? { MacAddress: port.mac_address } : {} }
  }

  const ready = async (portId: string) => {
    if (wait.ms === 0) return
    try {
      await binder.whenReady(portId, AbortSignal.timeout(wait.ms))
    } catch (error) {
      site.log.warn({ port: portId, reason: reasonOf(error) }, 'port is not ready yet')
      if (wait.fatal) throw new PluginRefusal(504, `Neutron's agent has not taken up port ${portId} in time.`, error)
    }
  }

  const portOf = async ({ EndpointID }: OfEndpoint): Promise<Port> => {
    const port = await ports.ofEndpoint(EndpointID)
    if (port) return port
    throw new PluginRefusal(404, `Neutron has no port of endpoint ${EndpointID.slice(0, 12)}.`)
  }

  /** Endpoints that publish nothing. */
  const plain = new Set<string>()
  const publishedOf = ({ Options }: OfEndpoint) => valueAt(PublishedPorts, Options, endpointOptions.published) ?? []

  const join: Endpoints['join'] = async (body) => {
    const [port, net] = await Promise.all([portOf(body), netOf(body.NetworkID)])
    await ready(port.id)
    const byEngine = publishedOf(body).length > 0 && (await publishing.wayFor(port.network_id)) === 'engine'
    const mine = new Set(port.fixed_ips.map(({ subnet_id }) => subnet_id))
    const subnets = net.subnets.filter(({ id }) => mine.has(id))
    return {
      InterfaceName: { SrcName: containerEnd(port.id), DstPrefix: 'eth' },
      ...(!byEngine && gatewaysOf(subnets)),
      StaticRoutes: routesOf(subnets),
      DisableGatewayService: !byEngine,
    }
  }

  return {
    create,
    join,
    publish: async (body) => {
      const published = publishedOf(body)
      if (published.length === 0) {
        plain.add(body.EndpointID)
        return {}
      }
      const port = await portOf(body)
      if ((await publishing.wayFor(port.network_id)) === 'floating') await publishing.publish(port, published)
      return {}
    },
    revoke: async ({ EndpointID }) => {
      // Docker does not say again what was published. Of endpoints of an earlier process only Neutron knows.
      if (plain.delete(EndpointID)) return {}
      const port = await ports.ofEndpoint(EndpointID)
      if (port) await publishing.revoke(port)
      return {}
    },
    show: async ({ EndpointID }) => {
      const port = await ports.ofEndpoint(EndpointID)
      if (!port) return { Value: {} }
      const isNew = site.clock.now() - (madeAt.get(EndpointID) ?? 0) < newForMs
      const { status } = isNew ? port : await site.binding.ports.show(port.id, site.context())
      return { Value: { status, port: port.id } }
    },
    remove: async ({ EndpointID }) => {
      const port = await ports.ofEndpoint(EndpointID)
      if (port && care.isOurs(port)) await care.release(port)
      return {}
    },
  }
}

/** The default routes; a gateway outside its subnet would be refused by the kernel. */
function gatewaysOf(subnets: readonly Subnet[]): object {
  const of = (version: 4 | 6) =>
    subnets.find(
      ({ ip_version, gateway_ip, cidr }) => ip_version === version && gateway_ip && isAddressIn(cidr, gateway_ip),
    )?.gateway_ip
  const [v4, v6] = [of(4), of(6)]
  return { ...(v4 && { Gateway: v4 }), ...(v6 && { GatewayIPv6: v6 }) }
}

/** `RouteType` 0: by a next hop. */
function routesOf(subnets: readonly Subnet[]): object[] {
  return subnets.flatMap(({ host_routes = [] }) =>
    host_routes.map(({ destination, nexthop }) => ({ Destination: destination, RouteType: 0, NextHop: nexthop })),
  )
}

function valueAt<T extends TSchema>(schema: T, options: OfEndpoint['Options'], key: string) {
  const value = options?.[key]
  return value === undefined || value === null ? null : checked(schema, value)
}
