import { join as joinPath } from 'node:path'
import { reasonOf } from '@gantry/kernel'
import type { Nic } from '@gantry/model'
import Type, { type Static } from 'typebox'
import type { HostLog } from '../agent/host-log.ts'
import type { Fabric } from './fabric.ts'
import { addFurther, addressesForDocker } from './further-addresses.ts'
import { linkNames } from './names.ts'
import type { OwnedNic } from './nic-registry.ts'
import { gatewayOf, type NicRoute, routesOf } from './nic-routes.ts'
import { checked, pluginServer } from './plugin-server.ts'
import type { NetTools } from './run-in.ts'

/** The option of an endpoint that names its port. */
export const portOption = 'gantry.port'

export function dockerDriverName(tag: string): string {
  return `gantry-${tag}`
}

export interface DockerDriverOptions {
  readonly tag: string
  readonly folder: string
  readonly fabric: Fabric
  readonly tools: NetTools
  readonly log: HostLog
}

type PluggedNic = Pick<Nic, 'portId' | 'networkId'>

export interface DockerDriver {
  /** Learns which port an endpoint is of, as an inspect of the port's container tells; an agent before us may have made it. */
  learn(endpointId: string, nic: PluggedNic): void
  /** Whether Docker has taken the endpoint down again; after a connection that failed it still shows it. */
  isGone(endpointId: string): boolean
  close(): Promise<void>
}

/** Docker waits half a minute for an answer. A new agent must first be told what its containers are. */
const patienceMs = 25_000
/** Endpoints remembered after their end. */
const mostGone = 1000

const Endpoint = Type.Object({ EndpointID: Type.String() })
const Joining = Type.Object({ EndpointID: Type.String(), SandboxKey: Type.Optional(Type.String()) })
const NewEndpoint = Type.Object({
  EndpointID: Type.String(),
  Options: Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.Unknown())])),
})

/**
 * Serves Docker's remote network driver protocol (libnetwork, docs/remote.md): Docker asks for an endpoint, we have a veth
 * pair ready, and Docker moves its end into the container. Addresses are ours, so its networks use the `null` IPAM driver.
 */
export async function dockerDriver({ tag, folder, fabric, tools, log }: DockerDriverOptions): Promise<DockerDriver> {
  const endpoints = new Map<string, PluggedNic>()
  /** The endpoint that each port was made for last: an earlier one, which ends late, must not take it away again. */
  const newest = new Map<string, string>()
  const gone = new Set<string>()
  const closing = new AbortController()

  const createEndpoint = async ({ EndpointID, Options }: Static<typeof NewEndpoint>): Promise<object> => {
    const portId = Options?.[portOption]
    if (typeof portId !== 'string') throw new Error('This network is for containers that Gantry makes.')
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(patienceMs)])
    const owned = await fabric.nics.wait(portId, signal).catch(() => {
      throw new Error(`Port ${portId} is of no container of this host.`)
    })
    newest.set(portId, EndpointID)
    try {
      await fabric.plug(owned.nic)
    } catch (error) {
      if (newest.get(portId) === EndpointID) newest.delete(portId)
      throw error
    }
    endpoints.set(EndpointID, owned.nic)
    return { Interface: interfaceOf(owned) }
  }

  const join = ({ EndpointID, SandboxKey }: Static<typeof Joining>): object => {
    const owned = fabric.nics.of(endpoints.get(EndpointID)?.portId ?? '')
    if (!owned) throw new Error(`Endpoint ${EndpointID} is not known; start the container again.`)
    const { nic, container } = owned
    fabric.taken(nic.portId)
    if (SandboxKey !== undefined && SandboxKey !== '') {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(patienceMs)])
      addFurther(tools, SandboxKey, nic, signal).catch((error: unknown) => {
        log.warn({ port: nic.portId, reason: reasonOf(error) }, 'port has not all its addresses')
      })
    }
    return joined(owned, fabric.nics.ofContainer(container))
  }

  const deleteEndpoint = ({ EndpointID }: Static<typeof Endpoint>): object => {
    const nic = endpoints.get(EndpointID)
    endpoints.delete(EndpointID)
    gone.add(EndpointID)
    const [oldest] = gone
    if (gone.size > mostGone && oldest !== undefined) gone.delete(oldest)
    if (!nic || newest.get(nic.portId) !== EndpointID) return {}
    newest.delete(nic.portId)
    // Docker has put the other end back: as long as the container has the port, Neutron's agent need not take it up anew.
    if (fabric.nics.of(nic.portId)?.nic.binding) return {}
    // Not waited for: whoever needs the port next waits for its turn.
    fabric
      .unplug(nic)
      .catch((error: unknown) => log.warn({ port: nic.portId, reason: reasonOf(error) }, 'port not unplugged'))
    return {}
  }

  const methods: Readonly<Record<string, (body: unknown) => Promise<object> | object>> = {
    'Plugin.Activate': () => ({ Implements: ['NetworkDriver'] }),
    'NetworkDriver.GetCapabilities': () => ({ Scope: 'local', ConnectivityScope: 'local' }),
    'NetworkDriver.CreateEndpoint': (body) => createEndpoint(checked(NewEndpoint, body)),
    'NetworkDriver.Join': (body) => join(checked(Joining, body)),
    'NetworkDriver.DeleteEndpoint': (body) => deleteEndpoint(checked(Endpoint, body)),
    'NetworkDriver.EndpointOperInfo': () => ({ Value: {} }),
  }
  // Its networks are only names to us, and what is published is none of the engine's business.
  const idle = ['CreateNetwork', 'DeleteNetwork', 'AllocateNetwork', 'FreeNetwork', 'Leave']
  const more = ['DiscoverNew', 'DiscoverDelete', 'ProgramExternalConnectivity', 'RevokeExternalConnectivity']
  const nothingToDo = new Set([...idle, ...more].map((name) => `NetworkDriver.${name}`))

  const server = await pluginServer({
    socket: joinPath(folder, `${dockerDriverName(tag)}.sock`),
    answer: (name, body) => {
      if (nothingToDo.has(name)) return {}
      const method = methods[name]
      if (!method) throw new Error(`There is no method ${name}.`)
      return method(body)
    },
    isOurs: (name) => /^gantry-.*\.sock$/.test(name),
    log,
  })
  return {
    learn: (endpointId, nic) => {
      if (endpointId === '' || gone.has(endpointId) || endpoints.has(endpointId)) return
      endpoints.set(endpointId, nic)
      if (!newest.has(nic.portId)) newest.set(nic.portId, endpointId)
    },
    isGone: (endpointId) => gone.has(endpointId),
    close: async () => {
      closing.abort(new Error('the agent is closing'))
      await server.close()
    },
  }
}

function interfaceOf({ nic }: OwnedNic): object {
  const { v4, v6 } = addressesForDocker(nic)
  return {
    MacAddress: nic.mac,
    ...(v4 && { Address: `${v4.address}/${v4.prefix}` }),
    ...(v6 && { AddressIPv6: `${v6.address}/${v6.prefix}` }),
  }
}

/** `RouteType` 0: by a next hop, 1: on the network itself. */
function staticRoute({ destination, nextHop }: NicRoute): object {
  if (nextHop === null) return { Destination: destination, RouteType: 1 }
  return { Destination: destination, RouteType: 0, NextHop: nextHop }
}

/**
 * Docker joins a container's networks in any order and numbers the interfaces of one prefix as they come. So the primary one
 * is `eth`, which becomes eth0, the next `eth1`, which becomes eth10, and so on. The default route is by the first interface
 * whose network has a gateway.
 */
function joined({ nic, index }: OwnedNic, all: readonly Nic[]): object {
  const gateway = (version: 4 | 6) =>
    all.slice(0, index).some((before) => gatewayOf(before, version) !== null) ? null : gatewayOf(nic, version)
  const [v4, v6] = [gateway(4), gateway(6)]
  return {
    InterfaceName: { SrcName: linkNames.container(nic.portId), DstPrefix: index === 0 ? 'eth' : `eth${index}` },
    ...(v4 !== null && { Gateway: v4 }),
    ...(v6 !== null && { GatewayIPv6: v6 }),
    ...(nic.binding && { StaticRoutes: routesOf(nic).map(staticRoute) }),
    DisableGatewayService: true,
  }
}
