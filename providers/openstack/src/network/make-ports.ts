import type { NetRequest, PortsRequest } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId, NetworkId, Nic, SecurityGroupId } from '@gantry/model'
import type { Port, PortCreate } from '@gantry/openstack'
import { makeExposedGroup, openFurther } from './exposed-group.ts'
import { findGivenPort, takeGivenPort } from './given-port.ts'
import type { Ground, Lookups } from './lookups.ts'
import type { Making } from '../making.ts'
import { asking } from './neutron-faults.ts'
import { nicOf } from './nic-of.ts'
import { containerOwner, markOf, neutronOf, type Parts, portName } from './parts.ts'
import { exposedGroupOf, letGo, rowOf } from './port-rows.ts'
import type { Spares } from './spares.ts'
import type { ExpectedVifs } from './vif-of.ts'

export interface MakerParts extends Parts {
  readonly lookups: Lookups
  readonly expected: ExpectedVifs
  /** The project's usual network, made if there is none. */
  readonly ensureUsual: (caller: Caller) => Promise<{ readonly id: NetworkId }>
  readonly making: Making
  readonly spares: Spares
  /** Something is to be given back. */
  readonly wake: () => void
}

/** What a request means: a port to be made on a network, or a given one. */
type Plug =
  | { readonly ground: Ground; readonly addresses: readonly string[]; readonly mac?: string }
  | { readonly ground: Ground; readonly port: Port }

/** Makes the ports of a new container, all at once; none is left if one cannot be made. */
export async function makePorts(parts: MakerParts, caller: Caller, request: PortsRequest): Promise<Nic[]> {
  try {
    return await makeOnce(parts, caller, request)
  } catch (error) {
    const isStale = request.nets.length === 0 && error instanceof Fault && error.code === 'network.not-found'
    if (!isStale) throw error
    // The network that was the usual one a moment ago is gone.
    parts.lookups.forgetUsual(caller)
    return makeOnce(parts, caller, request)
  }
}

async function makeOnce(parts: MakerParts, caller: Caller, request: PortsRequest): Promise<Nic[]> {
  const { containerId, nets, groups, unplugged = false } = request
  const [plugs, own] = await Promise.all([
    unplugged ? [] : plugsOf(parts, caller, nets),
    groups === null ? null : parts.lookups.groups(caller, groups),
  ])
  for (const [index, { ground }] of plugs.entries()) {
    if (plugs.findIndex((other) => other.ground.network.id === ground.network.id) < index) {
      const problem = `Network ${nameOf(ground)} is asked for twice; a container is connected to a network once.`
      throw new Fault('request.invalid', { problem })
    }
  }
  try {
    return await parts.making.during(containerId, () => madeAll(parts, caller, request, plugs, own))
  } catch (error) {
    await dropPorts(parts, containerId, [])
    throw error
  }
}

async function madeAll(
  parts: MakerParts,
  caller: Caller,
  { containerId, exposedPorts }: PortsRequest,
  plugs: readonly Plug[],
  own: readonly SecurityGroupId[] | null,
): Promise<Nic[]> {
  const [exposed, base] = await everyOne([
    exposedPorts.length === 0 ? null : makeExposedGroup(parts, caller, containerId),
    own ?? (exposedPorts.length === 0 ? undefined : parts.lookups.groups(caller, ['default'])),
  ])
  const groups = withExposed(base, exposed?.id ?? null)
  const [nics] = await everyOne([
    everyOne(plugs.map((plug) => plugIn(parts, caller, containerId, plug, groups, exposed?.id ?? null))),
    exposed && openFurther(parts, caller, exposed, exposedPorts),
  ])
  return nics
}

/** One more, in the groups of those that were made with the container. */
export async function makeOnePort(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  nics: readonly Nic[],
  net: NetRequest,
): Promise<Nic> {
  const plug = await plugOf(parts, caller, net)
  const { id, name } = plug.ground.network
  if (nics.some(({ networkId }) => networkId === id)) {
    throw new Fault('network.attached', { ref: containerId, network: name ?? id })
  }
  const exposed = await exposedGroupOf(parts.store, containerId)
  const model = nics.find(({ preserve, filtered }) => filtered && !preserve)
  const base = model?.groups ?? (exposed === null ? undefined : await parts.lookups.groups(caller, ['default']))
  const groups = withExposed(base, exposed)
  try {
    return await parts.making.during(containerId, () => plugIn(parts, caller, containerId, plug, groups, exposed))
  } catch (error) {
    if ('port' in plug) await dropIds(parts, containerId, [plug.port.id])
    throw error
  }
}

/**
 * Takes back what was made for a container. What it has, if it was written after all, stays; of one that was not, everything
 * goes, whatever `nics` name.
 */
export async function dropPorts(parts: MakerParts, containerId: ContainerId, nics: readonly Nic[]): Promise<void> {
  await dropIds(
    parts,
    containerId,
    nics.map(({ portId }) => portId),
  )
}

async function dropIds({ store, wake }: MakerParts, containerId: ContainerId, ids: readonly string[]): Promise<void> {
  await store.transaction(async (tables) => {
    const container = await tables.containers.get(containerId)
    const rows = await tables.cloudPorts.ofContainer(containerId)
    const isMeant = (id: string) => !container || (ids.includes(id) && !container.nics.some((nic) => nic.portId === id))
    await letGo(
      tables,
      rows.filter(({ id }) => isMeant(id)),
    )
  })
  wake()
}

async function plugsOf(parts: MakerParts, caller: Caller, nets: readonly NetRequest[]): Promise<Plug[]> {
  if (nets.length > 0) return Promise.all(nets.map((net) => plugOf(parts, caller, net)))
  const usual = await parts.lookups.usual(caller)
  if (usual) return [{ ground: usual, addresses: [] }]
  const { id } = await parts.ensureUsual(caller)
  return [{ ground: await parts.lookups.ground(caller, id), addresses: [] }]
}

async function plugOf(parts: MakerParts, caller: Caller, net: NetRequest): Promise<Plug> {
  if ('port' in net) {
    const port = await findGivenPort(parts, caller, net.port)
    return { ground: await parts.lookups.ground(caller, port.network_id), port }
  }
  const ground = await parts.lookups.ground(caller, net.network)
  const name = nameOf(ground)
  if (ground.network['router:external'] === true && ground.network.shared !== true && !caller.isAdmin) {
    const action = `Connecting a container to external network ${name}`
    throw new Fault('policy.forbidden', { action, reason: 'it needs the role admin' })
  }
  if (ground.subnets.length === 0) {
    const problem = `Network ${name} has no subnet, so a container gets no address there; add one first.`
    throw new Fault('network.conflict', { problem })
  }
  return { ground, addresses: net.addresses, ...(net.mac !== undefined && { mac: net.mac }) }
}

function nameOf({ network: { id, name } }: Ground): string {
  return name === undefined || name === '' ? id : name
}

/** undefined: Neutron's own choice, the project's group `default`. */
function withExposed(
  base: readonly SecurityGroupId[] | undefined,
  exposed: SecurityGroupId | null,
): readonly SecurityGroupId[] | undefined {
  if (!base || exposed === null || base.includes(exposed)) return base
  return [...base, exposed]
}

async function plugIn(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  plug: Plug,
  groups: readonly SecurityGroupId[] | undefined,
  exposed: SecurityGroupId | null,
): Promise<Nic> {
  const { ground } = plug
  const [port, expected] = await everyOne([
    'port' in plug
      ? takeGivenPort(parts, caller, containerId, plug.port, exposed)
      : portOnNetwork(parts, caller, containerId, plug, groups, exposed),
    parts.expected.of(ground.network.id),
  ])
  const isKnown = port.fixed_ips.every(({ subnet_id }) => ground.subnets.some(({ id }) => id === subnet_id))
  const whole = isKnown ? ground : await parts.lookups.groundAnew(caller, ground.network.id)
  return nicOf(port, whole, 'port' in plug, expected)
}

/** One that is ready, where any will do; else one that is made now. */
async function portOnNetwork(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  plug: Exclude<Plug, { port: Port }>,
  groups: readonly SecurityGroupId[] | undefined,
  exposed: SecurityGroupId | null,
): Promise<Port> {
  const { ground, addresses, mac } = plug
  const wish = { networkId: ground.network.id as NetworkId, groups }
  const isAny = addresses.length === 0 && mac === undefined && exposed === null
  const port =
    (isAny ? await parts.spares.take(caller, containerId, wish) : null) ??
    (await orWithoutSpares(parts, caller, wish.networkId, () => makePort(parts, caller, containerId, plug, groups)))
  if (isAny) parts.spares.refill(caller, wish)
  return port
}

/** Runs `make`; when there is no room for what it makes, those that only wait must go first. */
async function orWithoutSpares<T>(
  { spares }: MakerParts,
  { projectId }: Caller,
  networkId: NetworkId,
  make: () => Promise<T>,
): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (error.code === 'service.over-quota') await spares.drop(projectId)
    else if (error.code === 'address.none-left' || error.code === 'address.in-use')
      await spares.drop(projectId, networkId)
    else throw error
    return make()
  }
}

async function makePort(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  { ground, addresses, mac }: Exclude<Plug, { port: Port }>,
  groups: readonly SecurityGroupId[] | undefined,
): Promise<Port> {
  const { projectId } = caller
  const networkId = ground.network.id as NetworkId
  const body: PortCreate = {
    network_id: networkId,
    name: portName(containerId),
    description: markOf(parts),
    device_owner: containerOwner,
    device_id: containerId,
    ...(groups && { security_groups: [...groups] }),
    ...(addresses.length > 0 && { fixed_ips: addresses.map((ip_address) => ({ ip_address })) }),
    ...(mac !== undefined && { mac_address: mac }),
    // An administrator makes it for the container's project.
    ...(caller.isAdmin && { project_id: projectId }),
  }
  const about = {
    type: 'network',
    ref: nameOf(ground),
    ...(addresses.length > 0 && { address: addresses.join(', ') }),
    ...(mac !== undefined && { mac }),
  }
  const port = await asking(about, () => neutronOf(parts, caller).ports.create(body, parts.access.contextOf(caller)))
  await parts.store.cloudPorts.insert(rowOf(parts, { id: port.id, kind: 'port', projectId, containerId, networkId }))
  return port
}

/** As `Promise.all`, but nothing is under way any more when it rejects. */
async function everyOne<T extends readonly unknown[] | []>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work)
  return Promise.all(work)
}
