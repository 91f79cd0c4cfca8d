import type { Nic } from '@gantry/model'
import { allOf, type Context, type NetworkService } from '@gantry/openstack'

/** How something outside reaches a container: the router that must translate, and to which address. */
export interface WayIn {
  readonly portId: string
  readonly address: string
  readonly routerId: string
  /** The external network. */
  readonly outside: string
}

/** Ports of routers, also of distributed and of highly available ones. */
const legOwners = [
  'network:router_interface',
  'network:router_interface_distributed',
  'network:ha_router_replicated_interface',
]

/** Over IPv4, by routers that the asker can see. */
export async function waysInto(neutron: NetworkService, context: Context, nics: readonly Nic[]): Promise<WayIn[]> {
  const found = await Promise.all(nics.map((nic) => waysOf(neutron, context, nic)))
  return found.flat()
}

async function waysOf(
  neutron: NetworkService,
  context: Context,
  { portId, networkId, addresses }: Nic,
): Promise<WayIn[]> {
  const legs = await allOf(neutron.ports.list({ network_id: networkId, device_owner: legOwners }, context))
  const ids = [...new Set(legs.flatMap(({ device_id }) => device_id ?? []))]
  const routers = ids.length === 0 ? [] : await allOf(neutron.routers.list({ id: ids }, context))
  return addresses.flatMap(({ address, version, subnetId, gateway }): WayIn[] => {
    if (version !== 4) return []
    const here = legs.flatMap((leg) => leg.fixed_ips.map((ip) => ({ ...ip, router: leg.device_id })))
    const fitting = here.filter(({ subnet_id }) => subnet_id === subnetId)
    // Answers leave by the subnet's gateway.
    const best = fitting.find(({ ip_address }) => ip_address === gateway) ?? fitting[0]
    const router = routers.find(({ id }) => id === best?.router)
    const outside = router?.external_gateway_info?.network_id
    return router && outside !== undefined ? [{ portId, address, routerId: router.id, outside }] : []
  })
}
