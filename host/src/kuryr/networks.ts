import { isOpenStackError, type Network, type Subnet } from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'
import { addressOf, allocationRanges, isAddressIn, sameBlock } from './cidr.ts'
import { type AddressData, type CreateNetwork, networkOptions } from './messages.ts'
import { hasOtherNetwork, isMadeForDocker, nameOf, tags } from './names.ts'
import { type NetBook, subnetsIn, taggedNetwork, untaggedNetwork } from './net-book.ts'
import { type NeutronOptions, neutronOptions } from './neutron-options.ts'
import { type PoolAsked, type Pools, removePools } from './pools.ts'
import type { Releases } from './releases.ts'
import { findNamed, type Site, unlessThere } from './site.ts'

export interface Networks {
  create(body: CreateNetwork): Promise<object>
  /** Docker forgets the network whatever is answered; what stays behind is the sweep's. */
  remove(dockerId: string): Promise<object>
}

/** Docker's networks as Neutron's. */
export function networks(site: Site, book: NetBook, pools: Pools, releases: Releases): Networks {
  const { neutron } = site

  const existing = async (dockerId: string, wish: NonNullable<NeutronOptions['network']>, shared: boolean | null) => {
    const network = await findNamed(site, 'network', neutron.networks, wish)
    if (shared !== null && shared !== (network.shared ?? false)) {
      throw new PluginRefusal(409, `Network ${network.id} is ${network.shared ? '' : 'not '}shared.`)
    }
    for (const tag of [tags.existingNetwork(dockerId), ...tags.network(dockerId)]) {
      await neutron.addTag('networks', network.id, tag, site.context())
    }
    return network
  }

  const make = async (dockerId: string, shared: boolean | null) => {
    const body = {
      name: nameOf.network(dockerId),
      description: site.marks.network(dockerId),
      project_id: await site.project(),
      ...(shared === true && { shared }),
    }
    const network = await neutron.networks.create(body, site.context())
    await neutron.replaceTags('networks', network.id, tags.network(dockerId), site.context())
    return network
  }

  /** The call may come again, to another process, at any point of the first one. */
  const findOrMake = async (dockerId: string, { network: wish, shared }: NeutronOptions): Promise<Network> => {
    const tagged = await taggedNetwork(site, dockerId)
    if (tagged) return tagged
    if (wish) return existing(dockerId, wish, shared)
    const left = await untaggedNetwork(site, dockerId)
    if (!left) return make(dockerId, shared)
    await neutron.replaceTags('networks', left.id, tags.network(dockerId), site.context())
    return left
  }

  const ensureSubnet = async (network: Network, data: AddressData, wish: NeutronOptions, internal: boolean) => {
    const asked = await pools.of(data.Pool, wish)
    const all = await subnetsIn(site, network.id)
    const named = wish.subnet && (await findNamed(site, 'subnet', neutron.subnets, wish.subnet))
    const present = all.find(({ id, cidr }) => (named ? id === named.id : sameBlock(cidr, data.Pool)))
    if (named && !present) throw new PluginRefusal(409, `Subnet ${named.id} is not one of network ${network.id}.`)
    const gateway = gatewayOf(data)
    if (present) checkGateway(present, gateway)
    const subnet = present ?? (await makeSubnet(network, data, asked, internal ? null : gateway))
    if (asked && subnet.tags?.includes(asked.poolId) !== true) {
      await neutron.addTag('subnets', subnet.id, asked.poolId, site.context())
    }
  }

  const makeSubnet = async (
    network: Network,
    { Pool, AuxAddresses }: AddressData,
    asked: PoolAsked | null,
    gateway: string | null,
  ) => {
    const others = Object.values(AuxAddresses ?? {}).map(addressOf)
    const range = asked?.range ?? null
    const limited = range !== null || others.length > 0
    const except = gateway === null ? others : [...others, gateway]
    const body = {
      network_id: network.id,
      name: nameOf.subnet(Pool),
      project_id: await site.project(),
      ip_version: Pool.includes(':') ? (6 as const) : (4 as const),
      cidr: Pool,
      gateway_ip: gateway,
      enable_dhcp: site.dhcp,
      ...(asked && { subnetpool_id: asked.poolId }),
      ...(limited && { allocation_pools: allocationRanges(Pool, range, except) }),
    }
    return neutron.subnets.create(body, site.context())
  }

  const create: Networks['create'] = async ({ NetworkID, Options, IPv4Data, IPv6Data }) => {
    const generic = genericOf(Options)
    const internal = Options?.[networkOptions.internal] === true
    const blocks = [...(IPv4Data ?? []), ...(IPv6Data ?? [])].filter(({ Pool }) => Pool !== '')
    const wishOf = ({ Pool }: AddressData) => neutronOptions(generic, Pool.includes(':') ? 6 : 4)
    const network = await findOrMake(NetworkID, neutronOptions(generic, 4))
    try {
      for (const data of blocks) await ensureSubnet(network, data, wishOf(data), internal)
    } catch (error) {
      // Docker gives its addresses back by itself, but never speaks of this network again.
      await remove(NetworkID).catch(() => undefined)
      throw error
    } finally {
      for (const { Pool } of blocks) pools.settled(Pool)
      book.forget()
    }
    return {}
  }

  const untag = async (network: Network, dockerId: string) => {
    for (const tag of [...tags.network(dockerId), tags.existingNetwork(dockerId)]) {
      await neutron.removeTag('networks', network.id, tag, site.context())
    }
  }

  const remove: Networks['remove'] = async (dockerId) => {
    book.forget()
    const network = (await taggedNetwork(site, dockerId)) ?? (await untaggedNetwork(site, dockerId))
    if (!network) return {}
    await releases.finished()
    const present = network.tags ?? []
    const subnets = await subnetsIn(site, network.id)
    // Another engine's network stands on the same one: whoever leaves last puts out the light.
    if (hasOtherNetwork(present, dockerId)) {
      await untag(network, dockerId)
      return {}
    }
    if (isMadeForDocker(network.description)) {
      await removeWhole(network)
    } else {
      for (const { id, name = '' } of subnets) {
        if (name.startsWith('kuryr-subnet-')) await unlessThere(neutron.subnets.remove(id, site.context()), 409)
      }
      await untag(network, dockerId)
    }
    for (const subnet of subnets) await removePools(site, subnet)
    return {}
  }

  const removeWhole = async ({ id }: Network) => {
    try {
      await neutron.networks.remove(id, site.context())
    } catch (error) {
      if (!isOpenStackError(error, 409)) throw error
      throw new PluginRefusal(409, `Network ${id} is still in use in Neutron: ${error.reason}`, error)
    }
  }

  return { create, remove }
}

function genericOf(options: CreateNetwork['Options']): Readonly<Record<string, unknown>> {
  const generic: unknown = options?.[networkOptions.generic]
  return typeof generic === 'object' && generic !== null ? (generic as Record<string, unknown>) : {}
}

/** null: Docker was told that there is none. */
function gatewayOf({ Gateway = '', Pool }: AddressData): string | null {
  const address = addressOf(Gateway)
  return isAddressIn(Pool, address) ? address : null
}

function checkGateway({ id, gateway_ip }: Subnet, gateway: string | null): void {
  if (gateway === null || !gateway_ip || gateway_ip === gateway) return
  throw new PluginRefusal(
    409,
    `Subnet ${id} has the gateway ${gateway_ip}, not ${gateway}; create the network with --gateway ${gateway_ip}.`,
  )
}
