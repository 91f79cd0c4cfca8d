import type { FabricChange, FabricSource, Tables } from '@gantry/control'
import {
  emptyFabric,
  type FabricPlan,
  type HostId,
  type NetworkId,
  type Router,
  type RouterId,
  type SecurityGroup,
  type SecurityGroupId,
} from '@gantry/model'
import { groupPlan, networkPlans, routerPlans } from './plans.ts'

/** What a host holds: its containers' networks and groups, the routers on those, and all that the routers lead to. */
interface Extent {
  readonly networks: ReadonlySet<NetworkId>
  readonly groups: readonly SecurityGroup[]
  readonly routers: readonly Router[]
}

export function fabric(tables: Tables, onChange: FabricSource['onChange']): FabricSource {
  return {
    async ofHost(hostId) {
      const extent = await extentOfHost(tables, hostId)
      return inPieces(await planOf(tables, extent))
    },
    async ofNics(nics) {
      const networkIds = nics.map(({ networkId }) => networkId)
      const groupIds = nics.flatMap(({ groups }) => groups)
      return planOf(tables, await extentOf(tables, networkIds, groupIds))
    },
    onChange,
    ofChange: async (hostId, change) => changePlan(tables, await extentOfHost(tables, hostId), change),
    hostsOf: (change) => hostsOf(tables, change),
  }
}

async function extentOfHost(tables: Tables, hostId: HostId): Promise<Extent> {
  return extentOf(tables, await tables.ports.networksOnHost(hostId), await tables.ports.groupsOnHost(hostId))
}

async function extentOf(
  tables: Tables,
  networkIds: readonly NetworkId[],
  groupIds: readonly SecurityGroupId[],
): Promise<Extent> {
  const distinct = [...new Set(networkIds)]
  const routers = distinct.length === 0 ? [] : await tables.routers.onNetworks(distinct)
  return {
    networks: new Set([...distinct, ...routers.flatMap(networksOf)]),
    groups: await withRemotes(tables, groupIds),
    routers,
  }
}

function networksOf({ interfaces, gateway }: Router): NetworkId[] {
  return [...interfaces.map(({ networkId }) => networkId), ...(gateway ? [gateway.networkId] : [])]
}

/** These groups and all that their rules name, so that no rule on a host names a group that it does not know. */
async function withRemotes(tables: Tables, ids: readonly SecurityGroupId[]): Promise<SecurityGroup[]> {
  const known = new Map<SecurityGroupId, SecurityGroup>()
  let missing = [...new Set(ids)]
  while (missing.length > 0) {
    const found = await tables.groups.getMany(missing)
    for (const group of found) known.set(group.id, group)
    const named = found.flatMap(({ rules }) => rules.flatMap(({ remoteGroupId }) => remoteGroupId ?? []))
    missing = [...new Set(named)].filter((id) => !known.has(id))
  }
  return [...known.values()]
}

async function planOf(tables: Tables, { networks, groups, routers }: Extent): Promise<FabricPlan> {
  return {
    networks: await networkPlans(tables, [...networks]),
    groups: groups.map(groupPlan),
    routers: await routerPlans(tables, routers),
    gone: [],
  }
}

/** Whole objects of what was named and is on the host, with what the routers among it lead to; the rest is gone. */
async function changePlan(tables: Tables, extent: Extent, change: FabricChange): Promise<FabricPlan> {
  const routers = extent.routers.filter(({ id }) => change.routers.includes(id))
  const groups = extent.groups.filter(({ id }) => change.groups.includes(id))
  // A rule may name a group from now on that the host has not heard of.
  const remotes = new Set<string>(
    groups.flatMap(({ rules }) => rules.flatMap(({ remoteGroupId }) => remoteGroupId ?? [])),
  )
  const networks = new Set([...change.networks.filter((id) => extent.networks.has(id)), ...routers.flatMap(networksOf)])
  const plan = await planOf(tables, {
    networks,
    groups: extent.groups.filter((group) => groups.includes(group) || remotes.has(group.id)),
    routers,
  })
  const there = new Set<string>([...plan.networks, ...plan.groups, ...plan.routers].map(({ id }) => id))
  const named = [...change.networks, ...change.groups, ...change.routers]
  return { ...plan, gone: named.filter((id) => !there.has(id)) }
}

async function hostsOf(tables: Tables, change: FabricChange): Promise<HostId[]> {
  const routers: (Router | undefined)[] = []
  for (const id of change.routers) routers.push(await tables.routers.get(id as RouterId))
  const groups = await tables.groups.getMany(change.groups as readonly SecurityGroupId[])
  const networks = await Promise.all(change.networks.map((id) => tables.networks.get(id)))
  const isGone = groups.length < new Set(change.groups).size || [...routers, ...networks].includes(undefined)
  // Nobody knows any more who had it.
  if (isGone) return (await tables.hosts.list()).map(({ id }) => id)

  const external = networks.flatMap((network) => (network?.external ? [network.id] : []))
  const beside = [
    ...routers.flatMap((router) => router ?? []),
    ...(change.networks.length === 0 ? [] : await tables.routers.onNetworks(change.networks)),
    ...(external.length === 0 ? [] : await routersThrough(tables, external)),
  ]
  const around = new Set([...change.networks, ...beside.flatMap(networksOf)])
  const hosts = new Set(await tables.ports.hostsOfNetworks([...around]))
  for (const id of await tables.ports.hostsOfGroups(await namers(tables, change.groups))) hosts.add(id)
  return [...hosts]
}

async function routersThrough(tables: Tables, external: readonly NetworkId[]): Promise<Router[]> {
  const all = await tables.routers.list(null)
  return all.filter(({ gateway }) => gateway !== null && external.includes(gateway.networkId))
}

/** These groups, and all whose rules lead to them. */
async function namers(tables: Tables, ids: readonly string[]): Promise<SecurityGroupId[]> {
  const known = new Set(ids as readonly SecurityGroupId[])
  // A set goes on to what is added to it while it is walked through.
  for (const id of known) for (const naming of await tables.groups.naming(id)) known.add(naming)
  return [...known]
}

/** Characters of JSON: well below what one message may have, with room for what is not ASCII. */
const pieceSize = 256 * 1024

/** Plans whose JSON is of bounded size, networks first: routers stand on them. */
export function inPieces(plan: FabricPlan, size = pieceSize): FabricPlan[] {
  const items = [
    ...plan.networks.map((network) => ({ ...emptyFabric, networks: [network] })),
    ...plan.groups.map((group) => ({ ...emptyFabric, groups: [group] })),
    ...plan.routers.map((router) => ({ ...emptyFabric, routers: [router] })),
  ]
  const pieces: FabricPlan[][] = []
  let room = 0
  for (const item of items) {
    const { length } = JSON.stringify(item)
    if (length > room) {
      pieces.push([])
      room = size
    }
    room -= length
    pieces.at(-1)?.push(item)
  }
  return pieces.map((parts) => ({
    networks: parts.flatMap(({ networks }) => networks),
    groups: parts.flatMap(({ groups }) => groups),
    routers: parts.flatMap(({ routers }) => routers),
    gone: [],
  }))
}
