import { allOf, firstOf, isOpenStackError, type Subnet, type SubnetPool } from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'
import { contains, parseBlock, sameBlock } from './cidr.ts'
import type { RequestPool } from './messages.ts'
import { isPoolForDocker, poolIdOf, poolRefOf, tags } from './names.ts'
import type { NetBook } from './net-book.ts'
import { type NeutronOptions, neutronOptions } from './neutron-options.ts'
import { findNamed, type Site, unlessThere } from './site.ts'
import type { Releases } from './releases.ts'

/** What Docker asked for when it asked for a pool; it says it again to nobody, but its network will need it. */
export interface PoolAsked {
  readonly poolId: string
  /** `--ip-range`; null: none. */
  readonly range: string | null
}

export interface Pools {
  request(body: RequestPool): Promise<object>
  release(poolId: string): Promise<object>
  /**
   * The pool that Docker got for the network with this block that it is about to make; null: it asked another IPAM driver. Docker does
   * not say which one it is.
   */
  of(cidr: string, options: NeutronOptions): Promise<PoolAsked | null>
  /** The network is made, or will not be: the next one with the same addresses may come. */
  settled(cidr: string): void
}

/** How long a pool waits for its network before another one with the same addresses may be asked for, milliseconds. */
const betweenMs = 10_000

/** Docker's address pools as Neutron's subnet pools. */
export function pools(site: Site, book: NetBook, releases: Releases): Pools {
  const { neutron } = site
  const asked = new Map<string, PoolAsked>()
  /** By block: resolves when its network has been made. */
  const making = new Map<string, { readonly done: () => void; readonly over: Promise<void> }>()

  /** One network with the same addresses at a time, or Docker's pools could not be told apart. */
  const takeTurn = async (cidr: string) => {
    while (making.has(cidr)) await making.get(cidr)?.over
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, betweenMs)
    making.set(cidr, { done: resolve, over })
    void over.then(() => {
      clearTimeout(timer)
      making.delete(cidr)
    })
  }

  const make = async (cidr: string): Promise<SubnetPool> => {
    const block = parseBlock(cidr)
    if (!block) throw new PluginRefusal(400, `"${cidr}" is no block of addresses.`)
    const body = {
      // Two networks with the same addresses must not share a pool; later ones sort behind.
      name: `${site.poolPrefix}-${cidr}-${site.clock.now().toString(36)}`,
      description: site.marks.pool,
      prefixes: [cidr],
      default_prefixlen: block.prefix,
      project_id: await site.project(),
    }
    return neutron.subnetPools.create(body, site.context())
  }

  const existing = async (wish: NonNullable<NeutronOptions['pool']>): Promise<SubnetPool> => {
    const pool = await findNamed(site, 'subnet pool', neutron.subnetPools, wish)
    if (!isPoolForDocker(pool.description))
      await neutron.addTag('subnetpools', pool.id, tags.existingPool, site.context())
    return pool
  }

  const forSubnet = async (subnet: Subnet, cidr: string): Promise<string> => {
    if (cidr !== '' && !sameBlock(cidr, subnet.cidr))
      throw new PluginRefusal(409, `Subnet ${subnet.id} has the addresses ${subnet.cidr}, not ${cidr}.`)
    // A pool of its own, whatever the subnet is from: others may stand on it, and each must be able to leave.
    const poolId = (await make(subnet.cidr)).id
    await neutron.addTag('subnets', subnet.id, poolId, site.context())
    book.forget()
    return poolId
  }

  const choose = async ({ Pool, V6 = false }: RequestPool, wish: NeutronOptions) => {
    if (wish.subnet) {
      const subnet = await findNamed(site, 'subnet', neutron.subnets, wish.subnet)
      return { poolId: await forSubnet(subnet, Pool), cidr: subnet.cidr }
    }
    if (wish.network && Pool !== '') {
      const network = await findNamed(site, 'network', neutron.networks, wish.network)
      const all = await allOf(neutron.subnets.list({ network_id: network.id }, site.context()))
      const subnet = all.find(({ cidr }) => sameBlock(cidr, Pool))
      if (subnet) return { poolId: await forSubnet(subnet, Pool), cidr: subnet.cidr }
    }
    if (wish.pool || Pool === '') {
      const pool = await existing(wish.pool ?? { name: V6 ? 'kuryr6' : 'kuryr' })
      const cidr = Pool === '' ? pool.prefixes[0] : Pool
      if (cidr === undefined) throw new PluginRefusal(409, `Subnet pool ${pool.id} has no addresses.`)
      if (pool.prefixes.some((prefix) => contains(prefix, cidr))) return { poolId: pool.id, cidr }
    }
    await takeTurn(Pool)
    try {
      return { poolId: (await make(Pool)).id, cidr: Pool }
    } catch (error) {
      making.get(Pool)?.done()
      throw error
    }
  }

  return {
    request: async (body) => {
      const version = body.V6 === true ? 6 : 4
      const { poolId, cidr } = await choose(body, neutronOptions(body.Options ?? {}, version))
      asked.set(cidr, { poolId, range: body.SubPool === undefined || body.SubPool === '' ? null : body.SubPool })
      return { PoolID: poolIdOf({ poolId, cidr }), Pool: cidr, Data: {} }
    },

    release: async (text) => {
      const ref = poolRefOf(text)
      book.forget()
      await releases.finished()
      const query = { tags: ref.poolId, project_id: await site.project() }
      for (const subnet of await allOf(neutron.subnets.list(query, site.context()))) {
        if (ref.cidr !== null && !sameBlock(subnet.cidr, ref.cidr)) continue
        await letGo(site, subnet, ref.poolId)
      }
      if (ref.cidr !== null) {
        asked.delete(ref.cidr)
        making.get(ref.cidr)?.done()
      }
      await removePool(site, ref.poolId)
      return {}
    },

    of: async (cidr, { pool }) => {
      const known = asked.get(cidr)
      if (known) return known
      // Another process was asked for it.
      if (pool) return { poolId: (await existing(pool)).id, range: null }
      const query = { description: site.marks.pool, project_id: await site.project() }
      const all = await allOf(neutron.subnetPools.list(query, site.context()))
      const fitting = all.filter(({ prefixes }) => prefixes.some((prefix) => sameBlock(prefix, cidr)))
      const [newest] = fitting.sort((one, other) => ((one.name ?? '') < (other.name ?? '') ? 1 : -1))
      return newest ? { poolId: newest.id, range: null } : null
    },
    settled: (cidr) => {
      asked.delete(cidr)
      making.get(cidr)?.done()
    },
  }
}

/** A subnet without this pool: gone if it was made for it alone and nothing uses it. */
async function letGo(site: Site, { id, name = '', tags: present = [] }: Subnet, poolId: string): Promise<void> {
  const others = present.filter((tag) => tag !== poolId)
  try {
    if (others.length === 0 && name.startsWith('kuryr-subnet-')) await site.neutron.subnets.remove(id, site.context())
    else await site.neutron.removeTag('subnets', id, poolId, site.context())
  } catch (error) {
    if (!isOpenStackError(error, 409)) throw error
    // Its network is still to be removed, and tells the user.
    site.log.info({ subnet: id, reason: error.reason }, 'subnet is in use')
  }
}

const isUuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/

/** What is left of the pools that a subnet was made from or was assigned to, when no Docker network stands on it any more. */
export async function removePools(site: Site, subnet: Subnet): Promise<void> {
  const { id, subnetpool_id, tags: present = [] } = subnet
  const assigned = present.filter((tag) => isUuid.test(tag))
  for (const poolId of new Set([...(subnetpool_id ? [subnetpool_id] : []), ...assigned])) {
    const removed = await removePool(site, poolId)
    if (removed && assigned.includes(poolId)) await site.neutron.removeTag('subnets', id, poolId, site.context())
  }
}

/** Removes a pool that was made for Docker, or takes our tag off another one, unless a subnet still stands on it. */
export async function removePool(site: Site, poolId: string): Promise<boolean> {
  const { neutron } = site
  const owned = { project_id: await site.project() }
  const pool = await firstOf(neutron.subnetPools.list({ ...owned, id: poolId }, site.context()))
  if (!pool) return false
  if (isPoolForDocker(pool.description)) {
    await unlessThere(neutron.subnetPools.remove(poolId, site.context()), 409)
    return true
  }
  if (pool.tags?.includes(tags.existingPool) !== true) return false
  const user = await firstOf(neutron.subnets.list({ ...owned, tags: poolId }, site.context()))
  if (!user) await neutron.removeTag('subnetpools', poolId, tags.existingPool, site.context())
  return false
}
