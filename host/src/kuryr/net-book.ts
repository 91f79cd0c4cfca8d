import { BoundedMap } from '@gantry/kernel'
import { allOf, firstOf, isOpenStackError, type Network, type Subnet } from '@gantry/openstack'
import { nameOf, type PoolRef, tags } from './names.ts'
import { sameBlock } from './cidr.ts'
import type { Site } from './site.ts'

/** A Docker network in Neutron. */
export interface Net {
  readonly network: Network
  /** All that the network has, also those that Docker does not know. */
  readonly subnets: readonly Subnet[]
}

/**
 * Finds what Docker's ids stand for, in Neutron's tags. What hardly ever changes is remembered for a minute, so that starting a
 * container asks for nothing but its port.
 */
export interface NetBook {
  /** null: Neutron has no such network. */
  ofDocker(dockerId: string): Promise<Net | null>
  /** The subnet that was made from a pool, or assigned to it; null: not yet. */
  subnetOf(pool: PoolRef): Promise<Subnet | null>
  forget(): void
}

const goodForMs = 60_000
const most = 500

export function netBook(site: Site): NetBook {
  const nets = memory<Net>(site)
  const subnets = memory<Subnet>(site)

  return {
    ofDocker: (dockerId) =>
      nets.get(dockerId, async () => {
        const network = await taggedNetwork(site, dockerId)
        return network && { network, subnets: await subnetsIn(site, network.id) }
      }),
    subnetOf: (pool) =>
      subnets.get(`${pool.poolId} ${pool.cidr ?? ''}`, async () => {
        const query = { tags: pool.poolId, project_id: await site.project() }
        const found = await allOf(site.neutron.subnets.list(query, site.context()))
        const { cidr } = pool
        return (cidr === null ? found[0] : found.find((subnet) => sameBlock(subnet.cidr, cidr))) ?? null
      }),
    forget: () => {
      nets.clear()
      subnets.clear()
    },
  }
}

export async function taggedNetwork(site: Site, dockerId: string): Promise<Network | null> {
  const query = { tags: tags.network(dockerId).join(','), project_id: await site.project() }
  return firstOf(site.neutron.networks.list(query, site.context()))
}

/** What a plugin that was killed between making it and tagging it has left. */
export async function untaggedNetwork(site: Site, dockerId: string): Promise<Network | null> {
  const description = site.marks.network(dockerId)
  const query = { name: nameOf.network(dockerId), description, project_id: await site.project() }
  return firstOf(site.neutron.networks.list(query, site.context()))
}

export async function subnetsIn(site: Site, networkId: string): Promise<Subnet[]> {
  try {
    return await allOf(site.neutron.subnets.list({ network_id: networkId }, site.context()))
  } catch (error) {
    if (isOpenStackError(error, 404)) return []
    throw error
  }
}

/** Keeps what was found for a while; what was not there is asked for again. Those who ask at the same time share one answer. */
function memory<T>({ clock }: Pick<Site, 'clock'>) {
  const kept = new BoundedMap<string, { readonly until: number; readonly value: Promise<T | null> }>(most)
  return {
    get: (key: string, load: () => Promise<T | null>): Promise<T | null> => {
      const before = kept.get(key)
      if (before && before.until > clock.now()) return before.value
      const value = load()
      const entry = { until: clock.now() + goodForMs, value }
      kept.set(key, entry)
      const drop = () => {
        if (kept.get(key) === entry) kept.delete(key)
      }
      value.then((found) => found ?? drop(), drop)
      return value
    },
    clear: () => kept.clear(),
  }
}
