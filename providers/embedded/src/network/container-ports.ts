import type { AskedIp, ContainerPorts, NetRequest, PortsRequest } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId, Network, Nic, Port, SecurityGroupId } from '@gantry/model'
import { chooseAddresses } from './allocate.ts'
import { exposedGroup, openFurther, removeExposedGroup } from './exposed-ports.ts'
import { defaultGroup, groupIdFor, groupIdsFor, groupOf } from './groups.ts'
import { insertPort } from './insert-port.ts'
import { nicOf } from './nic-of.ts'
import { conflict, invalid, type Parts, requireAdmin, type Work, within, withinAndTell } from './parts.ts'
import { requireFree, requireGatewayRight } from './ports.ts'
import { givePortBack } from './release-port.ts'
import { networkBy, portBy, requireSameProject } from './sight.ts'
import { publish } from './published-ports.ts'
import { usualNetwork } from './topology.ts'

/** Ports of containers, within the transactions that write the containers. */
export function containerPorts(parts: Parts): ContainerPorts {
  return {
    reserve: (tables, caller, request) => within(parts, tables, (work) => reserve(work, caller, request)),
    attach: (tables, caller, containerId, nics, net) =>
      within(parts, tables, async (work) => {
        const plug = await resolve(work, caller, net)
        if (nics.some(({ networkId }) => networkId === plug.network.id)) {
          throw new Fault('network.attached', { ref: containerId, network: plug.network.name })
        }
        const exposed = await knownExposedGroup(work, containerId)
        return plugIn(work, caller, containerId, plug, await groupsBeside(work, caller, nics, exposed), exposed)
      }),
    detach: (tables, containerId, nics) =>
      withinAndTell(parts, tables, async (work) => {
        const leaving = new Set<string>(nics.map(({ portId }) => portId))
        for (const port of await portsOf(work, containerId)) if (leaving.has(port.id)) await giveBack(work, port)
      }),
    publish: (tables, caller, request) => withinAndTell(parts, tables, (work) => publish(work, caller, request)),
    expose: (tables, caller, containerId, nics, ports) =>
      within(parts, tables, (work) => expose(work, caller, containerId, nics, ports)),
    place: (tables, containerId, hostId) => tables.ports.place(containerId, hostId),
    release: (tables, containerId) => withinAndTell(parts, tables, (work) => release(work, containerId)),
    regroup: (tables, caller, nics, change) => within(parts, tables, (work) => regroup(work, caller, nics, change)),
  }
}

async function reserve(work: Work, caller: Caller, request: PortsRequest): Promise<Nic[]> {
  const { containerId, nets, groups, unplugged = false } = request
  if (unplugged) {
    // There for networks that it is connected to later.
    await exposedGroup(work, caller.projectId, containerId, request.exposedPorts)
    return []
  }
  const plugs: Plug[] = []
  for (const net of nets) plugs.push(await resolve(work, caller, net))
  if (nets.length === 0) plugs.push({ network: await usualNetwork(work, caller), addresses: [] })
  for (const [index, { network }] of plugs.entries()) {
    if (plugs.findIndex((other) => other.network.id === network.id) < index) {
      throw invalid(`Network ${network.name} is asked for twice; a container is connected to a network once.`)
    }
  }
  const exposed = await exposedGroup(work, caller.projectId, containerId, request.exposedPorts)
  const own =
    groups === null
      ? [(await defaultGroup(work, caller.projectId)).id]
      : await groupIdsFor(work, caller, caller, groups)
  const nics: Nic[] = []
  for (const plug of plugs) nics.push(await plugIn(work, caller, containerId, plug, withGroup(own, exposed), exposed))
  return nics
}

/** What a request means: a port to be made on a network, or a given one. */
type Plug =
  | { readonly network: Network; readonly addresses: readonly string[]; readonly mac?: string }
  | { readonly network: Network; readonly port: Port }

async function resolve(work: Work, caller: Caller, net: NetRequest): Promise<Plug> {
  const { tables } = work
  if ('port' in net) {
    const port = await portBy(tables, caller, net.port)
    requireSameProject(port, caller, 'A container and the ports given to it')
    requireFree(port, net.port)
    if (port.fixedIps.length === 0) throw conflict(`Port ${net.port} has no address, so no container can use it.`)
    return { network: await networkBy(tables, caller, port.networkId), port }
  }
  const network = await networkBy(tables, caller, net.network)
  if (network.external) requireAdmin(caller, `Connecting a container to external network ${network.name}`)
  return { network, addresses: net.addresses, ...(net.mac !== undefined && { mac: net.mac }) }
}

async function plugIn(
  work: Work,
  caller: Caller,
  containerId: ContainerId,
  plug: Plug,
  groups: readonly SecurityGroupId[],
  exposed: SecurityGroupId | null,
): Promise<Nic> {
  if ('port' in plug) {
    const { port } = plug
    const change = {
      deviceId: containerId,
      deviceOwner: 'compute:kuryr',
      groups: port.filtered ? withGroup(port.groups, exposed) : port.groups,
    } as const
    await work.tables.ports.update(port.id, change)
    return nicOf(work.tables, { ...port, ...change })
  }
  const { network, addresses } = plug
  const asked: AskedIp[] | undefined = addresses.length === 0 ? undefined : addresses.map((address) => ({ address }))
  const fixedIps = await chooseAddresses(work, network, asked)
  if (fixedIps.length === 0) {
    throw conflict(`Network ${network.name} has no subnet, so a container gets no address there; add one first.`)
  }
  await requireGatewayRight(work, caller, network, fixedIps)
  const port = await insertPort(work, {
    projectId: caller.projectId,
    networkId: network.id,
    name: '',
    fixedIps,
    groups,
    filtered: true,
    deviceId: containerId,
    deviceOwner: 'compute:kuryr',
    preserve: false,
    ...(plug.mac !== undefined && { mac: plug.mac }),
  })
  return nicOf(work.tables, port)
}

/** A further port is in the groups of those that were made with the container. */
async function groupsBeside(
  work: Work,
  caller: Caller,
  nics: readonly Nic[],
  exposed: SecurityGroupId | null,
): Promise<readonly SecurityGroupId[]> {
  const model = nics.find(({ preserve, filtered }) => filtered && !preserve)
  if (model) return model.groups
  return withGroup([(await defaultGroup(work, caller.projectId)).id], exposed)
}

async function expose(
  work: Work,
  caller: Caller,
  containerId: ContainerId,
  nics: readonly Nic[],
  ports: readonly string[],
): Promise<Nic[]> {
  const known = await knownExposedGroup(work, containerId)
  if (known) await openFurther(work, known, ports)
  const exposed = known ?? (await exposedGroup(work, caller.projectId, containerId, ports))
  const next: Nic[] = []
  for (const nic of nics) {
    const groups = nic.filtered ? [...withGroup(nic.groups, exposed)] : nic.groups
    if (groups.length !== nic.groups.length) await work.tables.ports.update(nic.portId, { groups })
    next.push({ ...nic, groups })
  }
  return next
}

function withGroup(groups: readonly SecurityGroupId[], added: SecurityGroupId | null): readonly SecurityGroupId[] {
  return added === null || groups.includes(added) ? groups : [...groups, added]
}

async function knownExposedGroup({ tables }: Work, containerId: ContainerId): Promise<SecurityGroupId | null> {
  return (await tables.groups.get(groupIdFor('exposed', containerId)))?.id ?? null
}

async function portsOf({ tables }: Work, containerId: string): Promise<Port[]> {
  return (await tables.ports.ofDevice(containerId)).filter(({ deviceOwner }) => deviceOwner === 'compute:kuryr')
}

/** The group of the container's exposed ports stays behind with neither kind of port. */
async function giveBack(work: Work, port: Port): Promise<void> {
  const exposed = port.deviceId === null ? null : groupIdFor('exposed', port.deviceId)
  if (port.preserve && port.groups.some((id) => id === exposed)) {
    await work.tables.ports.update(port.id, { groups: port.groups.filter((id) => id !== exposed) })
  }
  await givePortBack(work, port)
}

/** Everything a container held. */
export async function release(work: Work, containerId: ContainerId): Promise<void> {
  for (const port of await portsOf(work, containerId)) await giveBack(work, port)
  await removeExposedGroup(work, containerId)
}

async function regroup(
  work: Work,
  caller: Caller,
  before: readonly Nic[],
  change: { add: string } | { remove: string },
): Promise<Nic[]> {
  const group = await groupOf(work, caller, 'add' in change ? change.add : change.remove)
  const ports = new Map<string, Port>()
  for (const port of await work.tables.ports.getMany(before.map(({ portId }) => portId))) {
    requireSameProject(group, port, 'A container and its security groups')
    ports.set(port.id, port)
  }
  // The port's user may have changed it a moment ago; the container hears of that later.
  const nics = before.map((nic) => ({ ...nic, groups: [...(ports.get(nic.portId)?.groups ?? nic.groups)] }))
  const concerned = nics.filter(({ filtered, groups }) => filtered && groups.includes(group.id) === 'remove' in change)
  if (concerned.length === 0) {
    const code = 'add' in change ? 'group.present' : 'group.absent'
    throw new Fault(code, { ref: await deviceOf(work, nics), group: group.name })
  }
  const next = nics.map((nic) =>
    concerned.includes(nic) ? { ...nic, groups: regrouped(nic.groups, group.id, change) } : nic,
  )
  for (const { portId, groups } of next.filter((nic) => !nics.includes(nic))) {
    await work.tables.ports.update(portId, { groups })
  }
  return next
}

function regrouped(groups: SecurityGroupId[], id: SecurityGroupId, change: { add: string } | { remove: string }) {
  return 'add' in change ? [...groups, id] : groups.filter((one) => one !== id)
}

async function deviceOf({ tables }: Work, [nic]: readonly Nic[]): Promise<string> {
  return (nic && (await tables.ports.get(nic.portId))?.deviceId) ?? ''
}
