import { blockOf, isForInterfaces, overlap, parseAddress, type Store } from '@gantry/control'
import type { FloatingIp, Network, Port, ProjectId, Router, SecurityGroup, Subnet } from '@gantry/model'

/** Everything that the provider keeps. */
export interface WholeState {
  readonly networks: readonly Network[]
  readonly subnets: readonly Subnet[]
  readonly ports: readonly Port[]
  readonly groups: readonly SecurityGroup[]
  readonly routers: readonly Router[]
  readonly floatingIps: readonly FloatingIp[]
}

export async function wholeState(store: Store): Promise<WholeState> {
  const networks = await store.networks.visible(null)
  return {
    networks,
    subnets: await store.subnets.ofNetworks(networks.map(({ id }) => id)),
    ports: await store.ports.list(null),
    groups: await store.groups.list(null),
    routers: await store.routers.list(null),
    floatingIps: await store.floatingIps.list(null),
  }
}

/** What projects other than these own. */
export function ofOthers(state: WholeState, projects: readonly ProjectId[]): object {
  const isTheirs = ({ projectId }: { readonly projectId: ProjectId }) => !projects.includes(projectId)
  return Object.fromEntries(Object.entries(state).map(([kind, rows]) => [kind, rows.filter(isTheirs)]))
}

/** Sentences about references that lead nowhere and about addresses given twice or outside their subnet. */
export function defectsOf(state: WholeState, containerIds: ReadonlySet<string>): string[] {
  return [...portDefects(state, containerIds), ...groupDefects(state), ...routerDefects(state), ...ipDefects(state)]
}

function portDefects(
  { networks, subnets, ports, groups, routers, floatingIps }: WholeState,
  containers: ReadonlySet<string>,
) {
  const holders = new Set([...containers, ...[...routers, ...floatingIps].map(({ id }) => id as string)])
  const claims = ports.flatMap(({ fixedIps }) => fixedIps.map(({ subnetId, address }) => `${subnetId} ${address}`))
  return [
    ...(new Set(claims).size < claims.length ? ['an address is given twice'] : []),
    ...(new Set(ports.map(({ mac }) => mac)).size < ports.length ? ['a MAC address is given twice'] : []),
    ...subnets.filter(({ networkId }) => !has(networks, networkId)).map(({ id }) => `subnet ${id} has no network`),
    ...ports.flatMap((port) => {
      const where = `port ${port.id}`
      const misplaced = port.fixedIps.filter(({ subnetId, address }) => {
        const subnet = subnets.find(({ id }) => id === subnetId)
        const parsed = parseAddress(address)
        return !(subnet?.networkId === port.networkId && parsed && isForInterfaces(parsed, blockOf(subnet.cidr)))
      })
      return [
        ...(has(networks, port.networkId) ? [] : [`${where} has no network`]),
        ...misplaced.map(({ address }) => `${where} has the misplaced address ${address}`),
        ...port.groups
          .filter(
            (id) =>
              !has(
                groups.filter(({ projectId }) => projectId === port.projectId),
                id,
              ),
          )
          .map((id) => `${where} is in the lost or foreign group ${id}`),
        ...(port.deviceId === null || holders.has(port.deviceId)
          ? []
          : [`${where} is held by the lost ${port.deviceId}`]),
        ...((port.deviceId === null) === (port.deviceOwner === '') ? [] : [`${where} is half held`]),
      ]
    }),
  ]
}

function groupDefects({ groups }: WholeState): string[] {
  return groups.flatMap(({ id, projectId, rules }) => {
    const own = groups.filter((group) => group.projectId === projectId)
    return rules
      .filter(({ remoteGroupId }) => remoteGroupId !== null && !has(own, remoteGroupId))
      .map(({ remoteGroupId }) => `group ${id} lets in the lost or foreign group ${remoteGroupId}`)
  })
}

function routerDefects({ routers, ports, subnets, networks }: WholeState): string[] {
  return routers.flatMap(({ id, interfaces, gateway }) => {
    const inside = interfaces.flatMap(({ subnetId }) => subnets.find((subnet) => subnet.id === subnetId) ?? [])
    const blocks = inside.map(({ cidr }) => blockOf(cidr))
    const clash = blocks.some((one, at) => blocks.slice(at + 1).some((other) => overlap(one, other)))
    const held = [...interfaces, ...(gateway ? [gateway] : [])]
    const outside = gateway && networks.find((network) => network.id === gateway.networkId)
    return [
      ...(inside.length < interfaces.length ? [`router ${id} is on a lost subnet`] : []),
      ...(clash ? [`router ${id} has overlapping subnets`] : []),
      ...(gateway && !outside?.external ? [`router ${id} leads out to what is not outside`] : []),
      ...held
        .filter(({ portId }) => ports.find((port) => port.id === portId)?.deviceId !== id)
        .map(({ portId }) => `router ${id} does not hold its port ${portId}`),
    ]
  })
}

function ipDefects({ floatingIps, ports, routers }: WholeState): string[] {
  const direct = floatingIps.filter(({ portId }) => portId !== null)
  const targets = direct.map(({ portId, fixedAddress }) => `${portId} ${fixedAddress}`)
  return [
    ...(new Set(targets).size < targets.length ? ['two floating IPs lead to one address'] : []),
    ...floatingIps.flatMap(({ id, projectId, networkId, portId, fixedAddress, routerId, forwardings }) => {
      const leads = [
        ...(portId === null ? [] : [{ portId, address: fixedAddress }]),
        ...forwardings.map(({ portId: to, address }) => ({ portId: to, address })),
      ]
      const router = routers.find((one) => one.id === routerId)
      const lost = leads.filter(({ portId: to, address }) => {
        const own = ports.find((port) => port.id === to && port.projectId === projectId)
        const fixed = own?.fixedIps.find((one) => one.address === address)
        return !router?.interfaces.some(({ subnetId }) => subnetId === fixed?.subnetId)
      })
      return [
        ...(ports.filter(({ deviceId }) => deviceId === id).length === 1 ? [] : [`floating IP ${id} has no port`]),
        ...(leads.length > 0 === (routerId !== null) ? [] : [`floating IP ${id} is wrong about its router`]),
        ...(portId !== null && forwardings.length > 0 ? [`floating IP ${id} leads to two places`] : []),
        ...(router && router.gateway?.networkId !== networkId ? [`floating IP ${id} is not outside its router`] : []),
        ...lost.map(({ address }) => `floating IP ${id} leads to the unreachable ${address}`),
      ]
    }),
  ]
}

function has(rows: readonly { readonly id: string }[], id: string): boolean {
  return rows.some((row) => row.id === id)
}
