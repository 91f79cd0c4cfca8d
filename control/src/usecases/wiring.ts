import { Fault } from '@gantry/kernel'
import type { Caller, Container, Nic, Port } from '@gantry/model'
import type { Containers, EndpointNames } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { NetRequest, NetworkVerbs } from '../ports/networks.ts'
import type { Tables } from '../ports/store.ts'
import { orDropped } from './ahead.ts'
import { changeWish } from './change-wish.ts'
import { findContainer, requireOwnLife, requireState } from './find-container.ts'
import { moved, vacate } from './give-way.ts'
import { isLive, publishAhead, publishPorts } from './publish.ts'

type WiringVerbs = Pick<Containers, 'attachNetwork' | 'detachNetwork' | 'addSecurityGroup' | 'removeSecurityGroup'>

const rewired = { rewired: true } as const

/** Verbs that change a container's interfaces and what may pass them. */
export function wiringVerbs(deps: Deps): WiringVerbs {
  const { networks } = deps
  const place = async (tables: Tables, { id, hostId }: Container) => {
    if (hostId !== null) await networks.place(tables, id, hostId)
  }
  const regroup = async (caller: Caller, ref: string, change: { add: string } | { remove: string }) => {
    const { remote } = networks
    const found = remote && (await findContainer(deps.store, caller, ref))
    const made =
      found && (await named(found.name, () => remote.regroup(inProjectOf(found, caller), found.nics, change)))
    return changeWish(
      deps,
      caller,
      ref,
      'rewire',
      async (container, tables) => ({
        action: 'add' in change ? 'add_security_group' : 'remove_security_group',
        task: 'add' in change ? 'sg_adding' : 'sg_removing',
        rest: { nics: await regrouped(deps, tables, caller, container, change, made ?? undefined) },
      }),
      rewired,
    )
  }
  return {
    async attachNetwork(caller, ref, net, names) {
      let others: readonly Container[] = []
      const write = (made?: Nic) =>
        changeWish(
          deps,
          caller,
          ref,
          'rewire',
          async (container, tables) => {
            const { id, name, nics } = container
            const owner = inProjectOf(container, caller)
            const vacated = await vacate(deps, tables, owner, [net])
            const nic = await named(name, () => networks.attach(tables, owner, id, nics, net, made))
            others = await moved(deps, tables, owner, vacated)
            await place(tables, container)
            const spec = withNames(container.spec, nic, names)
            const wired = await republished(deps, tables, caller, { ...container, spec, nics: [...nics, nic] }, made)
            return { action: 'network_attach', task: 'network_attaching', rest: { spec, nics: [...wired] } }
          },
          rewired,
        )
      const changed = networks.remote ? await attachAhead(deps, caller, ref, net, write) : await write()
      for (const other of others) deps.ring({ kind: 'wish', container: other, rewired: true })
      return changed
    },
    async detachNetwork(caller, ref, from) {
      // Not to be looked up within the transaction: names belong to the provider.
      const found = await findContainer(deps.store, caller, ref)
      const { id } = found
      const wanted = await matcher(deps, inProjectOf(found, caller), from)
      const changed = await changeWish(deps, caller, id, 'rewire', async (container, tables) => {
        const leaving = container.nics.filter(wanted)
        if (leaving.length === 0) {
          throw new Fault('network.not-attached', { ref: container.name, network: Object.values(from).join('') })
        }
        await networks.detach(tables, container.id, leaving)
        const spec = leaving.reduce((left, nic) => withNames(left, nic, undefined), container.spec)
        const nics = container.nics.filter((nic) => !wanted(nic))
        const wired = await republished(deps, tables, caller, { ...container, spec, nics })
        return { action: 'network_detach', task: 'network_detaching', rest: { spec, nics: [...wired] } }
      })
      return changed
    },
    addSecurityGroup: (caller, ref, group) => regroup(caller, ref, { add: group }),
    removeSecurityGroup: (caller, ref, group) => regroup(caller, ref, { remove: group }),
  }
}

/** With an interface that another service has made; it goes again if it cannot be written. */
async function attachAhead(
  deps: Deps,
  caller: Caller,
  ref: string,
  net: NetRequest,
  write: (made: Nic) => Promise<Container>,
): Promise<Container> {
  const found = await findContainer(deps.store, caller, ref)
  requireOwnLife(found)
  requireState(found, 'rewire')
  const { id, name, nics } = found
  const owner = inProjectOf(found, caller)
  const nic = await named(name, async () => deps.networks.remote?.makeOne(owner, id, nics, net))
  if (!nic) throw new Error('only where another service makes ports')
  return orDropped(deps, id, [nic], async () => {
    if (isLive(found)) await publishAhead(deps, caller, { ...found, nics: [...nics, nic] })
    return write(nic)
  })
}

/** What is published of one that runs follows its interfaces. */
async function republished(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  container: Container,
  made?: Nic,
): Promise<readonly Nic[]> {
  if (!isLive(container)) return container.nics
  return publishPorts(deps, tables, caller, container, made && container.nics)
}

/** With the names that go with this interface; undefined: without any. */
function withNames(spec: Container['spec'], { networkId }: Nic, names: EndpointNames | undefined): Container['spec'] {
  const { aliases: known = {}, links: before = [] } = spec.options ?? {}
  const { aliases = [], links = [] } = names ?? {}
  if (aliases.length === 0 && links.length === 0 && known[networkId] === undefined) return spec
  const { [networkId]: _left, ...others } = known
  const all = { ...others, ...(aliases.length > 0 && { [networkId]: [...aliases] }) }
  const further = links.filter(({ alias }) => !before.some((link) => link.alias === alias))
  return { ...spec, options: { ...spec.options, aliases: all, links: [...before, ...further] } }
}

async function regrouped(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  container: Container,
  change: { add: string } | { remove: string },
  made?: readonly Nic[],
): Promise<Nic[]> {
  const { name, nics } = container
  return named(name, () => deps.networks.regroup(tables, inProjectOf(container, caller), nics, change, made))
}

/** An administrator wires a tenant's container with what is the tenant's: names, ports and quota are those of its project. */
function inProjectOf({ projectId }: Container, caller: Caller): Caller {
  return { ...caller, projectId }
}

/** Says of which container a provider speaks: only here its name is known. */
async function named<T>(ref: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const ofContainer =
      error instanceof Fault && ['group.present', 'group.absent', 'network.attached'].includes(error.code)
    if (ofContainer) throw new Fault(error.code, { ...error.details, ref }, error)
    throw error
  }
}

async function matcher(
  { networks }: Deps,
  caller: Caller,
  from: { network: string } | { port: string },
): Promise<(nic: Nic) => boolean> {
  if ('port' in from) {
    const { id } = await networks.ports.get(caller, from.port)
    return ({ portId }) => portId === id
  }
  const { id } = await networks.networks.get(caller, from.network)
  return ({ networkId }) => networkId === id
}

/**
 * The network provider's verbs, as façades see them. A port that a container uses is part of that container too: what is
 * changed on the port is written there as well, and its host is told.
 */
export function networkVerbs(deps: Deps): NetworkVerbs {
  const { networks, subnets, ports, groups, routers, floatingIps } = deps.networks
  return {
    networks,
    subnets,
    groups,
    routers,
    floatingIps,
    publishedOf: (caller, containers) => deps.networks.publishedOf(caller, containers),
    ports: {
      ...ports,
      async update(caller, ref, change) {
        const port = await ports.update(caller, ref, change)
        await carryOver(deps, port)
        return port
      },
    },
  }
}

async function carryOver(deps: Deps, port: Port): Promise<void> {
  const { id, deviceId, deviceOwner } = port
  if (deviceId === null || deviceOwner !== 'compute:kuryr') return
  const changed = await deps.store.transaction(async (tables) => {
    const container = await tables.containers.get(deviceId as Container['id'])
    if (!container?.nics.some(({ portId }) => portId === id)) return null
    // Where the port is kept here, as it is by now: changes of it may overtake each other on their way to this line.
    const { groups, filtered } = (await tables.ports.get(id)) ?? port
    const nics = container.nics.map((nic) => (nic.portId === id ? { ...nic, groups: [...groups], filtered } : nic))
    await tables.containers.update(container.id, { nics })
    return { ...container, nics }
  })
  if (changed) deps.ring({ kind: 'wish', container: changed, rewired: true })
}
