import type { EndpointNames, NetRequest } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Network, RunOptions } from '@gantry/model'
import Type, { type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { canonicalBody } from './canonical-body.ts'
import type { DockerContext } from './context.ts'
import { Refusal } from './errors.ts'
import { bridgeName, findNetwork, nameOfNetwork } from './known-networks.ts'
import type { HostConfigBody } from './schemas-create.ts'

export { networkNames } from './known-networks.ts'

const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

/** How a container is connected to one network: the parts that are acted upon. */
const EndpointBody = Type.Object({
  IPAMConfig: maybe(
    Type.Object({
      IPv4Address: maybe(Type.String()),
      IPv6Address: maybe(Type.String()),
      LinkLocalIPs: maybe(Type.Array(Type.String())),
    }),
  ),
  Aliases: maybe(Type.Array(Type.String())),
  Links: maybe(Type.Array(Type.String())),
  MacAddress: maybe(Type.String()),
})
const checkEndpoint = Compile(EndpointBody)

export interface AskedNets {
  readonly host: HostConfigBody
  readonly networking: Readonly<Record<string, unknown>>
  /** Minor version of the client. */
  readonly minor: number
}

/** From this minor version on a create may name several networks. */
const several = 44

/** The networks of a new container, with its names there. Throws `network.not-found`, and refuses what does not go together. */
export async function netsOf(
  docker: DockerContext,
  caller: Caller,
  { host, networking, minor }: AskedNets,
): Promise<{ nets: NetRequest[]; unplugged: boolean; options: RunOptions }> {
  const mode = modeOf(host)
  const asked = endpointsIn(networking)
  if (mode === 'none') {
    if ([...asked.keys()].some((name) => name !== 'none')) {
      throw new Refusal(
        400,
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      )
    }
    return { nets: [], unplugged: true, options: {} }
  }
  const names = [...new Set([mode, ...[...asked.keys()].map((name) => (name === 'default' ? bridgeName : name))])]
  // What a client names beside the mode is all that it wants, unless it said the mode too.
  const wanted = isUnsaid(host) && asked.size > 0 ? names.slice(asked.has(mode) ? 0 : 1) : names
  if (minor < several && wanted.length > 1) {
    throw new Refusal(400, `Container cannot be connected to network endpoints: ${wanted.join(', ')}`)
  }
  const nets: NetRequest[] = []
  const aliases: Record<string, string[]> = {}
  const links = [...(await linksOf(docker, caller, host.Links ?? []))]
  const networks = new Map<string, Network>()
  for (const name of wanted) {
    const network = await findNetwork(docker.control, caller, name).catch(notFoundNow)
    if (networks.has(network.id)) continue
    networks.set(network.id, network)
    const endpoint = asked.get(name) ?? asked.get(nameOfNetwork(network)) ?? asked.get('default') ?? {}
    const { net, names: given } = await endpointOf(docker, caller, network, endpoint)
    nets.push(net)
    if (given.aliases.length > 0) aliases[network.id] = [...given.aliases]
    links.push(...given.links)
  }
  const options: RunOptions = {
    ...(Object.keys(aliases).length > 0 && { aliases }),
    ...(links.length > 0 && { links }),
  }
  return { nets, unplugged: false, options }
}

/** Not 404: of a create that says to clients that the image is missing, and they go and pull it. */
function notFoundNow(error: unknown): never {
  if (!(error instanceof Fault) || error.code !== 'network.not-found') throw error
  throw new Refusal(400, `network ${String(error.details['ref'])} not found`)
}

function isUnsaid({ NetworkMode }: HostConfigBody): boolean {
  return ['', 'default'].includes(NetworkMode ?? '')
}

function modeOf(host: HostConfigBody): string {
  const mode = isUnsaid(host) ? bridgeName : (host.NetworkMode ?? '')
  if (mode === 'host' || mode.startsWith('container:')) {
    throw new Fault('policy.field', { field: `NetworkMode ${mode}`, reason: "only the project's own networks" })
  }
  return mode
}

function endpointsIn(networking: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const { EndpointsConfig } = networking
  return new Map(Object.entries(canonicalBody(EndpointsConfig, [])))
}

/** One connection to a network, as `EndpointConfig` asks for it. Throws `request.invalid`. */
export async function endpointOf(
  docker: DockerContext,
  caller: Caller,
  { id }: Network,
  asked: unknown,
): Promise<{ net: NetRequest; names: EndpointNames }> {
  const { IPAMConfig, Aliases, Links, MacAddress } = checked(asked)
  const addresses = [IPAMConfig?.IPv4Address, IPAMConfig?.IPv6Address].filter((address) => typeof address === 'string')
  if (IPAMConfig?.LinkLocalIPs?.length) {
    throw new Fault('policy.field', { field: 'LinkLocalIPs', reason: 'interfaces have the addresses of their network' })
  }
  return {
    net: {
      network: id,
      addresses: addresses.filter((address) => address !== ''),
      ...(MacAddress && { mac: MacAddress }),
    },
    names: { aliases: [...new Set(Aliases ?? [])], links: await linksOf(docker, caller, Links ?? []) },
  }
}

function checked(asked: unknown): Static<typeof EndpointBody> {
  const endpoint = canonicalBody(asked, Object.keys(EndpointBody.properties))
  const config = canonicalBody(endpoint['IPAMConfig'], ['IPv4Address', 'IPv6Address', 'LinkLocalIPs'])
  const whole = { ...endpoint, IPAMConfig: config }
  if (checkEndpoint.Check(whole)) return whole
  const [first] = checkEndpoint.Errors(whole)
  throw new Fault('request.invalid', { problem: `EndpointConfig${first?.instancePath ?? ''}: ${first?.message ?? ''}` })
}

/** `container:alias`, or `container` alone, which is then its alias too. */
async function linksOf(docker: DockerContext, caller: Caller, links: readonly string[]) {
  return Promise.all(
    links.map(async (link) => {
      const [ref = '', alias = ref] = link.replace(/^\//, '').split(':')
      const { id } = await docker.find(caller, ref).catch((error: unknown) => {
        if (!(error instanceof Fault) || error.code !== 'container.not-found') throw error
        throw new Refusal(400, `could not get container for ${ref}: No such container: ${ref}`)
      })
      return { containerId: id, alias: alias.replace(/^\//, '').split('/').at(-1) ?? alias }
    }),
  )
}
