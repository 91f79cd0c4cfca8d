import { allOf, firstOf, isOpenStackError, type Port, type PortUpdate } from '@gantry/openstack'
import { turns } from '@gantry/kernel'
import type { Vif } from '@gantry/model'
import { PluginRefusal } from '../network/plugin-server.ts'
import { deviceOwner } from './names.ts'
import type { Site } from './site.ts'
import { vifOf } from './vif-of.ts'

/** How ports come to this machine: bound by Neutron's agent on it, or behind the port of the VM that it is. */
export interface Attachment {
  /** What a new port is told at its creation, or an existing one when it is taken. */
  readonly taken: PortUpdate
  /** What such a one is told when it is let go. */
  readonly free: PortUpdate
  /** Lets the port's traffic reach this machine; throws a sentence if it will not. May be repeated. */
  attach(port: Port): Promise<Vif>
  /** May be repeated, and for ports that never were attached or are gone. */
  detach(port: Pick<Port, 'id' | 'mac_address' | 'fixed_ips'>): Promise<void>
}

/** A machine that one of Neutron's agents looks after. */
export function hostAttachment({ host }: Pick<Site, 'host'>): Attachment {
  return {
    taken: { 'binding:host_id': host, device_owner: deviceOwner, admin_state_up: true },
    free: { 'binding:host_id': '', device_owner: '', device_id: '' },
    // eslint-disable-next-line @typescript-eslint/require-await -- the nested ones ask Neutron
    attach: async (port) => vifOf(port, host),
    detach: async () => undefined,
  }
}

export interface NestedOptions {
  readonly kind: 'vlan' | 'macvlan'
  /** The VM's own interface. */
  readonly link: string
  /** Its MAC address, by which its port is found. */
  readonly mac: string
}

/** A VM: `vlan` needs its port to be the parent of a trunk; `macvlan` puts the containers' addresses beside the VM's own. */
export function nestedAttachment(site: Site, nested: NestedOptions): Attachment {
  const { binding } = site
  const oneByOne = turns()

  const ownPort = async (): Promise<Port> => {
    const query = { mac_address: nested.mac, project_id: await site.project() }
    const port = await firstOf(binding.ports.list(query, site.context()))
    if (!port)
      throw new PluginRefusal(409, `No port of the project has the MAC address ${nested.mac} of ${nested.link}.`)
    return port
  }
  const ownTrunk = async () => {
    const { id } = await ownPort()
    const trunk = await firstOf(binding.trunks.list({ port_id: id }, site.context()))
    if (!trunk) throw new PluginRefusal(409, `Port ${id} of this machine is the parent of no trunk.`)
    return trunk
  }

  const subPort = async (port: Port): Promise<Vif> => {
    const trunk = await ownTrunk()
    const present = trunk.sub_ports ?? []
    const before = present.find(({ port_id }) => port_id === port.id)?.segmentation_id
    const used = new Set(present.map(({ segmentation_id }) => segmentation_id))
    const vlan = before ?? Array.from({ length: 4094 }, (_, at) => at + 1).find((id) => !used.has(id))
    if (vlan === undefined) throw new PluginRefusal(409, `Trunk ${trunk.id} has no VLAN left.`)
    if (before === undefined) {
      const wish = { port_id: port.id, segmentation_type: 'vlan', segmentation_id: vlan }
      await binding.addSubPorts(trunk.id, [wish], site.context())
    }
    return { kind: 'vlan', parent: nested.link, vlan }
  }

  const pairsOf = ({ mac_address, fixed_ips }: Pick<Port, 'mac_address' | 'fixed_ips'>) =>
    fixed_ips.map(({ ip_address }) => ({ ip_address, mac_address }))

  const behind = async (port: Port): Promise<Vif> => {
    const own = await ownPort()
    if (own.network_id !== port.network_id) {
      throw new PluginRefusal(
        409,
        `Containers of this machine can be on its own network ${own.network_id} only; create the Docker network with -o neutron.net.uuid=${own.network_id}.`,
      )
    }
    const others = (own.allowed_address_pairs ?? []).filter((pair) => pair.mac_address !== port.mac_address)
    await binding.ports.update(own.id, { allowed_address_pairs: [...others, ...pairsOf(port)] }, site.context())
    return { kind: 'macvlan', parent: nested.link }
  }

  const without = async (port: Pick<Port, 'id' | 'mac_address' | 'fixed_ips'>) => {
    if (nested.kind === 'vlan') {
      const { id, sub_ports = [] } = await ownTrunk()
      if (!sub_ports.some(({ port_id }) => port_id === port.id)) return
      await binding.removeSubPorts(id, [port.id], site.context())
      return
    }
    const own = await ownPort()
    const before = own.allowed_address_pairs ?? []
    const rest = before.filter((pair) => pair.mac_address !== port.mac_address)
    if (rest.length === before.length) return
    await binding.ports.update(own.id, { allowed_address_pairs: rest }, site.context())
  }

  // Both are read, changed and written: one after another, and again if another machine was quicker.
  const alone = <T>(work: () => Promise<T>): Promise<T> =>
    oneByOne.take('vm', async () => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await work()
        } catch (error) {
          if (!isOpenStackError(error, 409) || attempt === 3) throw error
        }
      }
    })

  return {
    taken: { device_owner: deviceOwner, admin_state_up: true },
    free: { device_owner: '', device_id: '' },
    attach: (port) => alone(() => (nested.kind === 'vlan' ? subPort(port) : behind(port))),
    detach: (port) => alone(() => without(port)),
  }
}

/** All ports of the project that a Docker endpoint of this host may have. */
export async function portsOfHost(site: Site): Promise<Port[]> {
  const query = { project_id: await site.project(), description: site.marks.port }
  return allOf(site.binding.ports.list(query, site.context()))
}
