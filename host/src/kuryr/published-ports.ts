import { turns } from '@gantry/kernel'
import { allOf, firstOf, isOpenStackError, type FloatingIp, type Port } from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { PublishedPort } from './messages.ts'
import type { Site } from './site.ts'

/**
 * How `-p` reaches a container. `floating`: one floating IP for each network and host, with a port forwarding for each published port.
 * `engine`: Docker adds its own `docker_gwbridge` to the container and publishes on the machine's addresses, as for its overlay networks.
 */
export type PublishWay = 'floating' | 'engine'

export interface Publishing {
  wayFor(networkId: string): Promise<PublishWay>
  /** By `floating`. May be repeated. */
  publish(port: Port, published: readonly PublishedPort[]): Promise<void>
  /** Does nothing for a port that has none. */
  revoke(port: Port): Promise<void>
}

const protocols: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp' }
const routerLegs = [
  'network:router_interface',
  'network:router_interface_distributed',
  'network:ha_router_replicated_interface',
]

export function publishing(site: Site): Publishing {
  const { neutron, marks } = site
  const oneByOne = turns()

  /** The external network that a router leads to from here; null: none does. */
  const wayOut = async (networkId: string): Promise<string | null> => {
    const query = { network_id: networkId, device_owner: routerLegs }
    for (const { device_id } of await allOf(neutron.ports.list(query, site.context()))) {
      if (!device_id) continue
      const router = await neutron.routers.show(device_id, site.context())
      if (router.external_gateway_info) return router.external_gateway_info.network_id
    }
    return null
  }

  const floatingIp = async (networkId: string): Promise<FloatingIp | null> => {
    const query = { description: marks.floatingIp(networkId), project_id: await site.project() }
    return firstOf(neutron.floatingIps.list(query, site.context()))
  }
  const makeFloatingIp = async (networkId: string): Promise<FloatingIp> => {
    const external = await wayOut(networkId)
    if (external === null) throw new PluginRefusal(409, `No router leads from network ${networkId} to the outside.`)
    const description = marks.floatingIp(networkId)
    const body = { floating_network_id: external, description, project_id: await site.project() }
    return neutron.floatingIps.create(body, site.context())
  }

  const forward = async (floating: FloatingIp, port: Port, address: string, wish: PublishedPort) => {
    const protocol = protocols[wish.Proto]
    if (protocol === undefined) throw new PluginRefusal(501, 'Only TCP and UDP ports can be published here.')
    const external = wish.HostPort === 0 ? wish.Port : wish.HostPort
    const body = {
      protocol,
      internal_port_id: port.id,
      internal_ip_address: address,
      internal_port: wish.Port,
      external_port: external,
    }
    try {
      await neutron.portForwardings(floating.id).create(body, site.context())
    } catch (error) {
      if (!isOpenStackError(error) || (error.status !== 409 && error.status !== 400)) throw error
      throw new PluginRefusal(
        409,
        `Port ${external}/${protocol} of ${floating.floating_ip_address} is taken: ${error.reason}`,
        error,
      )
    }
  }

  return {
    wayFor: async (networkId) => {
      const can = await neutron.extensions(site.context())
      if (!can.has('floating-ip-port-forwarding')) return 'engine'
      return (await wayOut(networkId)) === null ? 'engine' : 'floating'
    },
    publish: (port, published) =>
      oneByOne.take(port.network_id, async () => {
        const address = port.fixed_ips.find(({ ip_address }) => !ip_address.includes(':'))?.ip_address
        if (address === undefined)
          throw new PluginRefusal(501, 'Only IPv4 addresses can be published by a floating IP.')
        const floating = (await floatingIp(port.network_id)) ?? (await makeFloatingIp(port.network_id))
        const present = await allOf(neutron.portForwardings(floating.id).list({}, site.context()))
        for (const wish of published) {
          const same = present.some(
            (one) =>
              one.internal_port_id === port.id &&
              one.internal_port === wish.Port &&
              one.protocol === protocols[wish.Proto],
          )
          if (!same) await forward(floating, port, address, wish)
        }
        site.log.info({ port: port.id, address: floating.floating_ip_address }, 'ports published')
      }),
    revoke: (port) =>
      oneByOne.take(port.network_id, async () => {
        const floating = await floatingIp(port.network_id)
        if (!floating) return
        const forwardings = neutron.portForwardings(floating.id)
        const all = await allOf(forwardings.list({}, site.context()))
        const mine = all.filter(({ internal_port_id }) => internal_port_id === port.id)
        for (const { id } of mine) await forwardings.remove(id, site.context())
        if (mine.length === all.length) await neutron.floatingIps.remove(floating.id, site.context())
      }),
  }
}
