import type { Vif } from '@gantry/model'
import type { Port } from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'

/** How a bound port is to be plugged, by what Neutron says of its binding. Throws a sentence if it is not bound. Pure. */
export function vifOf(port: Port, host: string): Vif {
  const type = port['binding:vif_type'] ?? null
  const details = port['binding:vif_details'] ?? {}
  const text = (key: string) => (typeof details[key] === 'string' && details[key] !== '' ? details[key] : null)
  switch (type) {
    case 'bridge':
      return {
        kind: 'bridge',
        bridge: text('bridge_name') ?? `brq${port.network_id.slice(0, 11)}`,
        filters: details['port_filter'] === true,
      }
    case 'ovs':
      return { kind: 'ovs', bridge: text('bridge_name') ?? 'br-int', hybrid: details['ovs_hybrid_plug'] === true }
    case 'tap':
      return { kind: 'tap' }
    case null:
      throw new PluginRefusal(
        403,
        'Neutron does not tell this plugin’s user how ports are bound: it lacks the right to.',
      )
    case 'unbound':
    case 'binding_failed':
      throw new PluginRefusal(
        503,
        `Neutron could not bind port ${port.id} to host ${host}: no agent of that name is alive (openstack network agent list).`,
      )
    default:
      throw new PluginRefusal(501, `Ports of the kind "${type}" cannot be plugged on this host.`)
  }
}

/** Whether Neutron's agent filters what passes. */
export function isFiltered({ port_security_enabled }: Port): boolean {
  return port_security_enabled !== false
}
