import { Fault } from '@gantry/kernel'
import type { Caller, Network } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { canonicalBody } from '../canonical-body.ts'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { everyContainer } from '../every-container.ts'
import { type Filters, filtersOf, isTrue, matchesAny, matchesLabels, matchesName } from '../filters.ts'
import { dockerId } from '../ids.ts'
import { findNetwork, knownNetworks, nameOfNetwork, predefined } from '../known-networks.ts'
import { momentOf } from '../moments.ts'
import { endpointsOf, networkView, noneId, noneView } from '../network-views.ts'
import { checkNetwork, checkPlug, NetworkBody, PlugBody } from '../schemas-network.ts'
import { settled } from '../settle.ts'
import { endpointOf } from '../translate-networks.ts'

interface Asked {
  readonly Params: { readonly id: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

const filterKeys = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']
const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** Networks of the project: its usual one is `bridge`; the others have a router to the outside unless they are internal. */
export function networkRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { control } = docker
  app.get<Asked>('/networks', async (request) => {
    const caller = docker.callerOf(request)
    const filters = filtersOf(request.query['filters'], filterKeys)
    const networks = await knownNetworks(control, caller)
    const subnets = Map.groupBy(await control.network.subnets.list(caller), ({ networkId }) => networkId)
    const used = filters.has('dangling') ? await networksInUse(docker, caller) : new Set<string>()
    const views = networks
      .filter((network) => matchesAny(filters, 'dangling', (value) => isTrue(value) === isDangling(network, used)))
      .map((network) => networkView(network, subnets.get(network.id) ?? []))
    return [...views, ...(filters.has('dangling') ? [] : [noneView])].filter((view) => passes(view, filters))
  })
  app.get<Asked>('/networks/:id', async (request) => {
    const { id } = request.params
    if (id === 'none' || noneId === id) return noneView
    const caller = docker.callerOf(request)
    const network = await findNetwork(control, caller, id)
    const [subnets, containers] = await Promise.all([
      control.network.subnets.list(caller, { network: network.id }),
      everyContainer(control, caller),
    ])
    return { ...networkView(network, subnets), Containers: endpointsOf(network, containers) }
  })
  app.post('/networks/create', async (request, reply) => {
    const caller = docker.callerOf(request)
    const { id } = await create(docker, caller, request.body)
    return reply.code(201).send({ Id: dockerId(id), Warning: '' })
  })
  app.delete<Asked>('/networks/:id', async (request, reply) => {
    await remove(docker, docker.callerOf(request), request.params.id)
    return reply.code(204).send()
  })
  app.post<Asked>('/networks/:id/connect', async (request, reply) => {
    await connect(docker, docker.callerOf(request), request.params.id, request.body)
    return reply.code(200).send()
  })
  app.post<Asked>('/networks/:id/disconnect', async (request, reply) => {
    await disconnect(docker, docker.callerOf(request), request.params.id, request.body)
    return reply.code(200).send()
  })
  app.post<Asked>('/networks/prune', async (request) => {
    const caller = docker.callerOf(request)
    const filters = filtersOf(request.query['filters'], ['label', 'label!', 'until'])
    const until = momentOf(filters.get('until')?.[0], docker.clock.now())
    return { NetworksDeleted: await prune(docker, caller, filters, until) }
  })
}

function passes(view: Record<string, unknown>, filters: Filters): boolean {
  const [name, id, driver] = [String(view['Name']), String(view['Id']), String(view['Driver'])]
  const type = predefined.includes(name) ? 'builtin' : 'custom'
  for (const value of filters.get('type') ?? []) {
    if (value !== 'builtin' && value !== 'custom') throw new Refusal(400, `Invalid filter: 'type'='${value}'`)
  }
  return (
    matchesAny(filters, 'name', (value) => matchesName(value, name)) &&
    matchesAny(filters, 'id', (value) => id.startsWith(value)) &&
    matchesAny(filters, 'driver', (value) => driver === value) &&
    matchesAny(filters, 'scope', (value) => value === 'local') &&
    matchesAny(filters, 'type', (value) => value === type) &&
    matchesLabels(filters, view['Labels'] as Record<string, string>)
  )
}

async function networksInUse({ control }: DockerContext, caller: Caller): Promise<Set<string>> {
  const containers = await everyContainer(control, caller)
  return new Set(containers.flatMap(({ nics }) => nics.map(({ networkId }) => networkId)))
}

function isDangling(network: Network, used: ReadonlySet<string>): boolean {
  return network.usual !== true && !used.has(network.id)
}

async function create({ control }: DockerContext, caller: Caller, body: unknown): Promise<Network> {
  const known = [...Object.keys(NetworkBody.properties), 'Driver', 'Options', 'ConfigFrom', 'ConfigOnly', 'Scope']
  const asked = canonicalBody(body, known)
  control.policy.judge(caller, { kind: 'network', body: asked })
  const ipam = canonicalBody(asked['IPAM'], ['Driver', 'Options', 'Config'])
  const list = Array.isArray(ipam['Config']) ? (ipam['Config'] as unknown[]) : []
  const pools = ['Subnet', 'IPRange', 'Gateway', 'AuxiliaryAddresses']
  const Config = list.map((pool) => canonicalBody(pool, pools))
  const whole = { ...asked, IPAM: { Config } }
  if (!checkNetwork.Check(whole)) {
    const [first] = checkNetwork.Errors(whole)
    throw new Fault('request.invalid', { problem: `network${first?.instancePath ?? ''}: ${first?.message ?? ''}` })
  }
  const { Name, Internal, EnableIPv6, IPAM, Labels } = whole
  if (!validName.test(Name)) throw new Refusal(400, `invalid network name: ${Name}`)
  if (predefined.includes(Name)) throw new Refusal(403, `operation is not permitted on predefined ${Name} network`)
  // Names of the project's other networks are Docker's names too.
  if ((await knownNetworks(control, caller)).some((network) => nameOfNetwork(network) === Name)) {
    throw new Fault('network.name-taken', { name: Name })
  }
  const subnets = (IPAM?.Config ?? []).filter((pool) =>
    Object.values(pool).some((value) => value !== null && value !== ''),
  )
  const made = await control.network.networks.createWhole(caller, {
    name: Name,
    labels: Object.fromEntries(Object.entries(Labels ?? {}).map(([name, value]) => [name, value ?? ''])),
    internal: Internal === true,
    ipv6: EnableIPv6 === true,
    subnets: subnets.map(subnetOf),
  })
  note(control, caller, made, 'create')
  return made
}

type PoolBody = NonNullable<NonNullable<NonNullable<NetworkBody['IPAM']>['Config']>[number]>

function subnetOf({ Subnet, IPRange, Gateway, AuxiliaryAddresses }: PoolBody) {
  if (!Subnet) throw new Refusal(400, 'every ip-range or gateway must have a corresponding subnet')
  return {
    cidr: Subnet,
    reserved: Object.values(AuxiliaryAddresses ?? {}),
    ...(Gateway && { gateway: Gateway }),
    ...(IPRange && { range: IPRange }),
  }
}

async function remove(docker: DockerContext, caller: Caller, ref: string): Promise<void> {
  const { control } = docker
  if (ref === 'none' || ref === noneId) throw predefinedRefusal('none')
  const network = await findNetwork(control, caller, ref)
  if (network.usual === true) throw predefinedRefusal(nameOfNetwork(network))
  try {
    await control.network.networks.deleteWhole(caller, network.id)
    note(control, caller, network, 'destroy')
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'network.in-use') throw error
    const id = dockerId(network.id)
    throw new Refusal(
      403,
      `error while removing network: network ${network.name} id ${id} has active endpoints (${error.details['reason']})`,
    )
  }
}

function predefinedRefusal(name: string): Refusal {
  return new Refusal(403, `${name} is a pre-defined network and cannot be removed`)
}

function plugBody(body: unknown) {
  const asked = canonicalBody(body, Object.keys(PlugBody.properties))
  if (checkPlug.Check(asked)) return asked
  throw new Fault('request.invalid', { problem: 'invalid container: value is empty' })
}

async function connect(docker: DockerContext, caller: Caller, ref: string, body: unknown): Promise<void> {
  const { control } = docker
  const { Container, EndpointConfig } = plugBody(body)
  if (ref === 'none' || ref === 'host') throw new Refusal(403, `container cannot be connected to network ${ref}`)
  const network = await findNetwork(control, caller, ref)
  const container = await docker.find(caller, Container)
  const networking = { EndpointsConfig: { [nameOfNetwork(network)]: EndpointConfig ?? {} } }
  control.policy.judge(caller, { kind: 'container', config: {}, hostConfig: {}, networking })
  if (container.nics.some(({ networkId }) => networkId === network.id)) {
    const name = nameOfNetwork(network)
    throw new Refusal(403, `endpoint with name ${container.name} already exists in network ${name}`)
  }
  const { net, names } = await endpointOf(docker, caller, network, EndpointConfig)
  await settled(docker, caller, await control.containers.attachNetwork(caller, container.id, net, names))
  note(control, caller, network, 'connect', { container: dockerId(container.id) })
}

async function disconnect(docker: DockerContext, caller: Caller, ref: string, body: unknown): Promise<void> {
  const { control } = docker
  const { Container, Force } = plugBody(body)
  const network = await findNetwork(control, caller, ref)
  const container = await docker.find(caller, Container)
  if (!container.nics.some(({ networkId }) => networkId === network.id)) {
    if (Force === true) return
    const [name, id] = [nameOfNetwork(network), dockerId(container.id)]
    throw new Refusal(403, `container ${id} is not connected to network ${name}`)
  }
  const from = { network: network.id }
  await settled(docker, caller, await control.containers.detachNetwork(caller, container.id, from))
  note(control, caller, network, 'disconnect', { container: dockerId(container.id) })
}

/** For `docker events`. */
function note(
  { activity }: DockerContext['control'],
  { projectId }: Caller,
  network: Network,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  const attributes = { ...more, name: nameOfNetwork(network), type: 'bridge' }
  activity.note({ type: 'network', action, id: network.id, projectId, attributes })
}

/** Only what Docker clients made: a network of another API may wait for what it is meant for. */
async function prune(docker: DockerContext, caller: Caller, filters: Filters, until: number | null): Promise<string[]> {
  const { networks } = docker.control.network
  const used = await networksInUse(docker, caller)
  const pruned: string[] = []
  for (const network of await networks.list(caller)) {
    const { id, name, labels, createdAt, projectId } = network
    if (labels === undefined || projectId !== caller.projectId || used.has(id)) continue
    if (!matchesLabels(filters, labels) || (until !== null && createdAt / 1000 >= until)) continue
    const isGone = await networks.deleteWhole(caller, id).then(() => true, unlessInUse)
    if (!isGone) continue
    note(docker.control, caller, network, 'destroy')
    pruned.push(name)
  }
  return pruned
}

function unlessInUse(error: unknown): false {
  if (error instanceof Fault && ['network.in-use', 'network.not-found'].includes(error.code)) return false
  throw error
}
