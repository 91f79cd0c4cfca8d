import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join as joinPath } from 'node:path'
import { reasonOf } from '@gantry/kernel'
import type { Nic } from '@gantry/model'
import Type, { type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { HostLog } from '../agent/host-log.ts'
import type { Fabric } from './fabric.ts'
import { linkNames } from './names.ts'
import type { OwnedNic } from './nic-registry.ts'

/** Where every Docker engine of a machine looks for plugins. */
export const dockerPluginFolder = '/run/docker/plugins'
/** The option of an endpoint that names its port. */
export const portOption = 'gantry.port'

export function dockerDriverName(tag: string): string {
  return `gantry-${tag}`
}

export interface DockerDriverOptions {
  readonly tag: string
  readonly folder: string
  readonly fabric: Fabric
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
const longestBody = 1 << 20
const answerType = 'application/vnd.docker.plugins.v1.2+json'

const Endpoint = Type.Object({ EndpointID: Type.String() })
const NewEndpoint = Type.Object({
  EndpointID: Type.String(),
  Options: Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.Unknown())])),
})

/**
 * Serves Docker's remote network driver protocol (libnetwork, docs/remote.md): Docker asks for an endpoint, we have a veth
 * pair ready, and Docker moves its end into the container. Addresses are ours, so its networks use the `null` IPAM driver.
 */
export async function dockerDriver({ tag, folder, fabric, log }: DockerDriverOptions): Promise<DockerDriver> {
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

  const join = ({ EndpointID }: Static<typeof Endpoint>): object => {
    const owned = fabric.nics.of(endpoints.get(EndpointID)?.portId ?? '')
    if (!owned) throw new Error(`Endpoint ${EndpointID} is not known; start the container again.`)
    fabric.taken(owned.nic.portId)
    return joined(owned, fabric.nics.ofContainer(owned.container))
  }

  const deleteEndpoint = ({ EndpointID }: Static<typeof Endpoint>): object => {
    const nic = endpoints.get(EndpointID)
    endpoints.delete(EndpointID)
    gone.add(EndpointID)
    const [oldest] = gone
    if (gone.size > mostGone && oldest !== undefined) gone.delete(oldest)
    if (!nic || newest.get(nic.portId) !== EndpointID) return {}
    newest.delete(nic.portId)
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
    'NetworkDriver.Join': (body) => join(checked(Endpoint, body)),
    'NetworkDriver.DeleteEndpoint': (body) => deleteEndpoint(checked(Endpoint, body)),
    'NetworkDriver.EndpointOperInfo': () => ({ Value: {} }),
  }
  // Its networks are only names to us, and what is published is none of the engine's business.
  const idle = ['CreateNetwork', 'DeleteNetwork', 'AllocateNetwork', 'FreeNetwork', 'Leave']
  const more = ['DiscoverNew', 'DiscoverDelete', 'ProgramExternalConnectivity', 'RevokeExternalConnectivity']
  const nothingToDo = new Set([...idle, ...more].map((name) => `NetworkDriver.${name}`))

  const answer = async (request: IncomingMessage): Promise<object> => {
    const name = (request.url ?? '').slice(1)
    const body = await bodyOf(request)
    if (nothingToDo.has(name)) return {}
    const method = methods[name]
    if (!method) throw new Error(`There is no method ${name}.`)
    return method(body)
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (body) => send(response, 200, body),
      (error: unknown) => {
        log.warn({ method: request.url, reason: reasonOf(error) }, 'network driver refused')
        send(response, 500, { Err: reasonOf(error) })
      },
    )
  })
  const socket = joinPath(folder, `${dockerDriverName(tag)}.sock`)
  await mkdir(folder, { recursive: true })
  await removeDead(folder)
  await listen(server, socket)
  return {
    learn: (endpointId, nic) => {
      if (endpointId === '' || gone.has(endpointId) || endpoints.has(endpointId)) return
      endpoints.set(endpointId, nic)
      if (!newest.has(nic.portId)) newest.set(nic.portId, endpointId)
    },
    isGone: (endpointId) => gone.has(endpointId),
    close: async () => {
      closing.abort(new Error('the agent is closing'))
      await new Promise((done) => {
        server.close(done)
        server.closeAllConnections()
      })
      await rm(socket, { force: true })
    },
  }
}

function interfaceOf({ nic }: OwnedNic): object {
  const of = (version: number) => nic.addresses.find((address) => address.version === version)
  const [v4, v6] = [of(4), of(6)]
  return {
    MacAddress: nic.mac,
    ...(v4 && { Address: `${v4.address}/${v4.prefix}` }),
    ...(v6 && { AddressIPv6: `${v6.address}/${v6.prefix}` }),
  }
}

/**
 * Docker joins a container's networks in any order and numbers the interfaces of one prefix as they come. So the primary one
 * is `eth`, which becomes eth0, the next `eth1`, which becomes eth10, and so on. The default route is by the first interface
 * whose network has a gateway.
 */
function joined({ nic, index }: OwnedNic, all: readonly Nic[]): object {
  const gatewayOf = ({ addresses }: Nic, version: number) =>
    addresses.find((each) => each.version === version)?.gateway ?? null
  const gateway = (version: number) =>
    all.slice(0, index).some((before) => gatewayOf(before, version) !== null) ? null : gatewayOf(nic, version)
  const [v4, v6] = [gateway(4), gateway(6)]
  return {
    InterfaceName: { SrcName: linkNames.container(nic.portId), DstPrefix: index === 0 ? 'eth' : `eth${index}` },
    ...(v4 !== null && { Gateway: v4 }),
    ...(v6 !== null && { GatewayIPv6: v6 }),
    DisableGatewayService: true,
  }
}

function checked<T extends TSchema>(schema: T, body: unknown): Static<T> {
  if (!Value.Check(schema, body)) throw new Error('The request has not the form of the plugin protocol.')
  return body
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > longestBody) throw new Error('The request is too long.')
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  return text === '' ? {} : (JSON.parse(text) as unknown)
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': answerType })
  response.end(JSON.stringify(body))
}

async function listen(server: Server, socket: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, resolve)
  })
  await chmod(socket, 0o600)
}

/** A socket that nobody listens on makes each engine of the machine wait for it whenever it looks for any plugin. */
async function removeDead(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^gantry-.*\.sock$/.test(name)) continue
    const path = joinPath(folder, name)
    if (await isDead(path)) await rm(path, { force: true })
  }
}

function isDead(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path)
  socket.once('connect', () => {
    socket.destroy()
    resolve(false)
  })
  socket.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'))
  return promise
}
