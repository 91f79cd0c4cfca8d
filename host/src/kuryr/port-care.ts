import { BoundedMap } from '@gantry/kernel'
import { firstOf, isOpenStackError, type Port, type Subnet } from '@gantry/openstack'
import type { Binder } from '../network/binding/binder.ts'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { Attachment } from './attachment.ts'
import { exposedGroup } from './exposed-ports.ts'
import type { ExposedPort } from './messages.ts'
import { deviceOwner, macBeforeOf, nameOf, pendingPort, tags } from './names.ts'
import type { PortBook } from './port-book.ts'
import type { Releases } from './releases.ts'
import type { Site } from './site.ts'

/** Makes ports for addresses, takes those that the user made before, and gives both back. */
export interface PortCare {
  /** A port that waits for its endpoint, with an address of the subnet. `address`, `mac`: those that it must have; null: any. */
  obtain(subnet: Subnet, address: string | null, mac: string | null): Promise<Port>
  readonly isOurs: (port: Port) => boolean
  /** Writes into Neutron which endpoint a port is of, and lets in what it exposes. Resolves when that is done. */
  adopt(port: Port, endpointId: string, exposed: readonly ExposedPort[]): Promise<void>
  /** Takes the link down and resolves; Neutron is told behind. */
  release(port: Port): Promise<void>
  /** Whether `release` was called for the port with that address; asked once. */
  wasReleased(networkId: string, address: string): boolean
}

export interface PortCareParts {
  readonly site: Site
  readonly attachment: Attachment
  readonly binder: Binder
  readonly releases: Releases
  readonly ports: PortBook
}

/** How often one that is in the way may be gone a moment later. */
const mostTries = 4

export function portCare({ site, attachment, binder, releases, ports: book }: PortCareParts): PortCare {
  const { binding } = site
  const released = new BoundedMap<string, true>(5000)
  const adoptions = new Map<string, Promise<void>>()
  /** Of ports that were released while they were adopted. */
  const newest = new Map<string, Port>()

  const isOurs = ({ description, device_owner, tags: present = [], 'binding:host_id': host }: Port) =>
    description === site.marks.port ||
    (present.includes(tags.existingPort) && device_owner === deviceOwner && (host === site.host || !host))
  const isPending = ({ device_id = '' }: Port) => device_id === ''

  const kept = (port: Port): Port => {
    book.keep(port)
    return port
  }

  /** Its MAC address becomes the one that Docker has chosen, until it is given back. */
  const take = async (port: Port, mac: string | null): Promise<Port> => {
    const changes = mac !== null && mac.toLowerCase() !== port.mac_address
    await binding.addTag('ports', port.id, tags.existingPort, site.context())
    if (changes) await binding.addTag('ports', port.id, tags.macBefore(port.mac_address), site.context())
    const update = { ...attachment.taken, ...(changes && { mac_address: mac }) }
    return binding.ports.update(port.id, update, site.context())
  }

  const reuse = async (port: Port, subnet: Subnet, address: string | null, mac: string | null): Promise<Port> => {
    const mine = isOurs(port) && isPending(port) && (mac === null || port.mac_address === mac.toLowerCase())
    if (mine) {
      const present = port.fixed_ips.find(({ subnet_id }) => subnet_id === subnet.id)
      if (present && (address === null || present.ip_address === address)) return port
      const fixed_ips = [...port.fixed_ips, { subnet_id: subnet.id, ...(address !== null && { ip_address: address }) }]
      return binding.ports.update(port.id, { fixed_ips }, site.context())
    }
    const inUse =
      port.device_id || port.device_owner || port['binding:host_id'] || port.network_id !== subnet.network_id
    const of = address === null ? `MAC address ${mac}` : `Address ${address}`
    if (inUse || isOurs(port)) throw new PluginRefusal(409, `${of} is in use, by port ${port.id}.`)
    return take(port, mac)
  }

  /** The port that has what a new one was to have; null: it is gone by now. Throws what has another reason. */
  const inTheWay = (error: unknown, subnet: Subnet, address: string | null, mac: string | null) => {
    const { code } = isOpenStackError(error, 409) ? error : { code: null }
    if (code === 'MacAddressInUse' && mac !== null) return book.ofMac(subnet.network_id, mac)
    if (code === 'IpAddressAlreadyAllocated' && address !== null) return book.ofAddress(subnet.network_id, address)
    throw error
  }

  const obtain: PortCare['obtain'] = async (subnet, address, mac) => {
    // The other family's address of the same endpoint came first.
    if (subnet.ip_version === 6 && mac !== null) {
      const first = await book.ofMac(subnet.network_id, mac)
      if (first) return kept(await reuse(first, subnet, address, mac))
    }
    const body = {
      ...attachment.taken,
      network_id: subnet.network_id,
      project_id: await site.project(),
      name: pendingPort,
      description: site.marks.port,
      fixed_ips: [{ subnet_id: subnet.id, ...(address !== null && { ip_address: address }) }],
      ...(mac !== null && { mac_address: mac }),
    }
    for (let attempt = 0; ; attempt += 1) {
      try {
        // Bound by the call that makes it: two calls would take almost twice as long.
        return kept(await binding.ports.create(body, site.context()))
      } catch (error) {
        const other = await inTheWay(error, subnet, address, mac)
        if (attempt === mostTries) throw error
        if (other && !releases.isUnderWay(other.id)) return kept(await reuse(other, subnet, address, mac))
        if (other) await releases.over(other.id)
      }
    }
  }

  const adopt = async (port: Port, endpointId: string, exposed: readonly ExposedPort[]) => {
    const opened = exposed.length > 0 && port.port_security_enabled !== false
    const group = opened ? await exposedGroup(site, port, exposed) : null
    const security_groups = [...new Set([...(port.security_groups ?? []), ...(group ? [group.id] : [])])]
    const update = {
      device_id: endpointId,
      ...(port.description === site.marks.port && { name: nameOf.endpoint(endpointId) }),
      ...(group && { security_groups }),
    }
    const updated = await binding.ports.update(port.id, update, site.context())
    if (book.known(port.id)) book.keep(updated)
    else newest.set(port.id, updated)
  }

  const groupOf = async (port: Port) => {
    if ((port.security_groups ?? []).length < 2) return null
    const query = { name: nameOf.group(port.id), project_id: await site.project() }
    return firstOf(binding.securityGroups.list(query, site.context()))
  }

  const giveBack = async (released: Port) => {
    await adoptions.get(released.id)?.catch(() => undefined)
    const port = newest.get(released.id) ?? released
    const group = await groupOf(port)
    await attachment.detach(port)
    const present = port.tags ?? []
    if (port.description === site.marks.port) await binding.ports.remove(port.id, site.context())
    else if (present.includes(tags.existingPort)) await free(port, group?.id)
    if (group) await binding.securityGroups.remove(group.id, site.context())
    newest.delete(port.id)
    adoptions.delete(port.id)
  }

  const free = async (port: Port, group: string | undefined) => {
    try {
      const security_groups = (port.security_groups ?? []).filter((id) => id !== group)
      await binding.ports.update(port.id, { ...attachment.free, security_groups }, site.context())
      // Only once it is bound no more.
      const mac = macBeforeOf(port.tags ?? [])
      if (mac !== null) await binding.ports.update(port.id, { mac_address: mac }, site.context())
      const rest = (port.tags ?? []).filter((tag) => !tag.startsWith('kuryr.port.'))
      await binding.replaceTags('ports', port.id, rest, site.context())
    } catch (error) {
      if (!isOpenStackError(error, 404)) throw error
    }
  }

  return {
    obtain,
    isOurs,
    adopt: (port, endpointId, exposed) => {
      const work = adopt(port, endpointId, exposed)
      adoptions.set(port.id, work)
      const over = () => {
        if (adoptions.get(port.id) === work) adoptions.delete(port.id)
      }
      work.then(over, () => undefined)
      return work
    },
    release: async (port) => {
      await binder.unplug({ portId: port.id })
      book.drop(port.id)
      for (const { ip_address } of port.fixed_ips) released.set(`${port.network_id} ${ip_address}`, true)
      releases.begin(port.id, () => giveBack(port))
    },
    wasReleased: (networkId, address) => {
      const key = `${networkId} ${address}`
      const was = released.get(key) === true
      released.delete(key)
      return was
    },
  }
}
