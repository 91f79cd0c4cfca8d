import type {
  ContainerView,
  FloatingIpView,
  NetworkView,
  PortView,
  RouterView,
  SubnetView,
} from '@gantry/facade-native/views'

/** A network, drawn as a line from top to bottom. */
export interface Lane {
  readonly id: string
  readonly name: string
  readonly cidrs: readonly string[]
  readonly isExternal: boolean
}

/** Where a row touches a lane. */
export interface Touch {
  readonly lane: number
  readonly label: string
  /** A floating IP: it is reached there, but not plugged in. */
  readonly isFloating: boolean
}

export interface Row {
  readonly kind: 'router' | 'container' | 'group'
  readonly id: string
  readonly name: string
  /** Of a container. */
  readonly status: string | null
  readonly touches: readonly Touch[]
}

export interface Topology {
  readonly lanes: readonly Lane[]
  readonly rows: readonly Row[]
}

export interface Parts {
  readonly networks: readonly NetworkView[]
  readonly subnets: readonly SubnetView[]
  readonly routers: readonly RouterView[]
  readonly floatingIps: readonly FloatingIpView[]
  readonly ports: readonly PortView[]
  readonly containers: readonly ContainerView[]
}

/** More are a crowd in which nobody is found. */
export const mostContainers = 50

/**
 * Networks as lanes, the way out last; routers first, then containers, each a row that touches its lanes. Containers beyond the
 * first are told together, by the networks they are in. Pure.
 */
export function layout({ networks, subnets, routers, floatingIps, ports, containers }: Parts): Topology {
  const plugged = containers.filter(({ addresses }) => addresses.length > 0)
  const used = usedNetworks({ routers, floatingIps, ports, containers: plugged })
  const lanes = networks
    .filter(({ id, external, shared }) => used.has(id) || (!external && !shared))
    .toSorted((a, b) => Number(a.external) - Number(b.external) || a.createdAt.localeCompare(b.createdAt))
    .map(({ id, name, external }) => ({
      id,
      name: name === '' ? id.slice(0, 8) : name,
      cidrs: subnets.filter(({ networkId }) => networkId === id).map(({ cidr }) => cidr),
      isExternal: external,
    }))
  const laneOf = new Map(lanes.map(({ id }, index) => [id, index]))
  const rows = plugged
    .map((container) => containerRow(container, laneOf, floatingIps))
    .toSorted((a, b) => lanesOf(a).localeCompare(lanesOf(b)) || a.name.localeCompare(b.name, 'en', { numeric: true }))
  return {
    lanes,
    rows: [
      ...routers.map((router) => routerRow(router, laneOf)),
      ...rows.slice(0, mostContainers),
      ...grouped(rows.slice(mostContainers)),
    ],
  }
}

function usedNetworks({
  routers,
  floatingIps,
  ports,
  containers,
}: Pick<Parts, 'routers' | 'floatingIps' | 'ports' | 'containers'>): ReadonlySet<string> {
  return new Set([
    ...routers.flatMap(({ gateway, interfaces }) => [gateway, ...interfaces].map((one) => one?.networkId ?? '')),
    ...floatingIps.map(({ networkId }) => networkId),
    ...ports.map(({ networkId }) => networkId),
    ...containers.flatMap(({ addresses }) => addresses.map(({ network }) => network)),
  ])
}

type LaneOf = ReadonlyMap<string, number>

function touching(laneOf: LaneOf, network: string, label: string, isFloating = false): Touch[] {
  const lane = laneOf.get(network)
  return lane === undefined ? [] : [{ lane, label, isFloating }]
}

function routerRow({ id, name, gateway, interfaces }: RouterView, laneOf: LaneOf): Row {
  return {
    kind: 'router',
    id,
    name: name === '' ? `router ${id.slice(0, 8)}` : name,
    status: null,
    touches: inOrder([
      ...(gateway ? touching(laneOf, gateway.networkId, gateway.address) : []),
      ...interfaces.flatMap(({ networkId, address }) => touching(laneOf, networkId, address)),
    ]),
  }
}

function containerRow(container: ContainerView, laneOf: LaneOf, floatingIps: readonly FloatingIpView[]): Row {
  const { id, name, status, addresses } = container
  const own = new Set(addresses.map(({ port }) => port))
  return {
    kind: 'container',
    id,
    name,
    status,
    touches: inOrder([
      ...addresses.flatMap(({ network, address }) => touching(laneOf, network, address)),
      ...floatingIps
        .filter(({ portId }) => portId !== null && own.has(portId))
        .flatMap(({ networkId, address }) => touching(laneOf, networkId, address, true)),
    ]),
  }
}

/** One dot a lane, however many addresses there are. */
function inOrder(touches: readonly Touch[]): Touch[] {
  const byLane = Map.groupBy(touches, ({ lane, isFloating }) => `${lane} ${String(isFloating)}`)
  return [...byLane.values()]
    .flatMap((same) => {
      const [first] = same
      return first ? [{ ...first, label: same.map(({ label }) => label).join(', ') }] : []
    })
    .toSorted((a, b) => a.lane - b.lane)
}

function lanesOf({ touches }: Row): string {
  return touches
    .filter(({ isFloating }) => !isFloating)
    .map(({ lane }) => String(lane).padStart(4, '0'))
    .join(' ')
}

function grouped(rows: readonly Row[]): Row[] {
  return [...Map.groupBy(rows, lanesOf)].map(([lanes, same]) => ({
    kind: 'group',
    id: `group ${lanes}`,
    name: `${same.length} more ${same.length === 1 ? 'container' : 'containers'}`,
    status: null,
    touches: (same[0]?.touches ?? []).filter(({ isFloating }) => !isFloating).map((touch) => ({ ...touch, label: '' })),
  }))
}
