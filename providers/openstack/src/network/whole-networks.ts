import {
  type AskedSubnet,
  type CloudNetwork,
  type NetworkVerbs,
  type NewWholeNetwork,
  plannedSubnets,
} from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { sharedTurns } from '../among-servers.ts'
import type { Caller, Network, NetworkId, ProjectId } from '@gantry/model'
import { allOf, type Network as Said, type Router, type SubnetCreate } from '@gantry/openstack'
import { remembered } from '../identity/remembered.ts'
import { networkMark, takeBack } from './half-made.ts'
import { ownNeutron } from './parts.ts'
import { removeDocker } from './remove-whole.ts'
import { type Sight, sightOf, visibleSubnets } from './sight.ts'
import { firstAddress, poolsWithin, roomyCidr } from './subnet-plan.ts'
import { networkOf, ownedBy } from './translate.ts'
import {
  type Estate,
  estateOf,
  oncePerProject,
  routerBeside,
  settle,
  settledUsual,
  type UsualParts,
  usualAmong,
} from './usual-network.ts'
import { attempt } from './verb-faults.ts'
import { oldestExternal } from './verbs-floating-ips.ts'

export type WholeNetworks = Pick<NetworkVerbs['networks'], 'ensureUsual' | 'createWhole' | 'deleteWhole'> & {
  /** The project's networks have changed by another verb. */
  readonly forget: (projectId: ProjectId) => void
}

/** A name and addresses that a network which is being made will have. */
interface Claim {
  readonly name: string
  readonly cidrs: readonly string[]
}

interface Plan {
  readonly name: string
  readonly subnets: readonly AskedSubnet[]
  readonly labels: CloudNetwork['labels']
  readonly usual: boolean
  readonly internal: boolean
}

/** Networks in the sense of Docker's users: one word makes all that a container needs to reach the outside. */
export function wholeNetworks(parts: UsualParts): WholeNetworks {
  const deciding = sharedTurns(parts, 'address ranges')
  const claims = new Map<ProjectId, Set<Claim>>()
  const routersMade = sharedTurns(parts, 'routers')
  const outsideCidrs = cidrsOutside(parts)

  /** Decides on a plan, one at a time in a project, and keeps its name and addresses for it until it is carried out. */
  async function planned<T>(caller: Caller, decide: Decide, carryOut: (plan: Plan) => Promise<T>): Promise<T> {
    const claimed = claims.get(caller.projectId) ?? new Set<Claim>()
    claims.set(caller.projectId, claimed)
    const { plan, claim } = await deciding.take(caller.projectId, async () => {
      // Before looking: what is finished while we look may be in neither.
      const before = [...claimed]
      const sight = sightOf(parts, caller)
      const [estate, visible, outside] = await Promise.all([
        estateOf(parts, sight),
        visibleSubnets(sight),
        outsideCidrs(),
      ])
      const taken = [...visible, ...estate.subnets].map(({ cidr }) => cidr)
      const decided = decide({
        names: [...estate.networks.map(({ name = '' }) => name), ...before.map(({ name }) => name)],
        taken: [...new Set([...taken, ...outside, ...before.flatMap(({ cidrs }) => cidrs)])],
      })
      const own: Claim = { name: decided.name, cidrs: decided.subnets.map(({ cidr }) => cidr) }
      claimed.add(own)
      return { plan: decided, claim: own }
    })
    try {
      return await carryOut(plan)
    } finally {
      claimed.delete(claim)
      if (claimed.size === 0) claims.delete(caller.projectId)
    }
  }

  async function findUsual(caller: Caller): Promise<Network> {
    const sight = sightOf(parts, caller)
    const settled = await settledUsual(parts, sight)
    if (settled) return settled
    const about = { type: 'network', ref: 'of the project' }
    return attempt(about, async () => {
      const estate = await estateOf(parts, sight)
      const found = usualAmong(parts, estate)
      if (found) return settle(parts, caller, found)
      return planned(caller, usualPlan, (plan) => make(parts, caller, plan, routerFor(caller, null)))
    })
  }
  const usual = oncePerProject(parts.clock, findUsual)

  /** The router of the usual network, so that containers of all networks share one way out; else another that leads out. */
  async function routerFor(caller: Caller, networkId: string | null): Promise<Router | null> {
    if (!(await parts.extensions()).has('router')) return null
    // One at a time, so that two networks that are made at once share one.
    return routersMade.take(caller.projectId, async () => {
      const sight = sightOf(parts, caller)
      const estate: Estate = await estateOf(parts, sight)
      return routerBeside(estate, networkId) ?? makeRouter(sight)
    })
  }

  return {
    ensureUsual: (caller) => usual.of(caller).catch(asForbidden),
    createWhole: (caller, input) =>
      attempt({ type: 'network', ref: input.name }, () =>
        planned(caller, dockerPlan(parts, input), (plan) => {
          const router = plan.internal ? null : usual.of(caller).then(({ id }) => routerFor(caller, id))
          return make(parts, caller, plan, router)
        }),
      ),
    async deleteWhole(caller, ref) {
      await removeDocker(parts, sightOf(parts, caller), ref)
      usual.forget(caller.projectId)
    },
    forget: (projectId) => usual.forget(projectId),
  }
}

type Decide = (there: { readonly names: readonly string[]; readonly taken: readonly string[] }) => Plan

const usualPlan: Decide = ({ taken }) => ({
  name: 'private',
  subnets: [{ cidr: roomyCidr(taken), reserved: [] }],
  labels: null,
  usual: true,
  internal: false,
})

function dockerPlan({ ids }: UsualParts, input: NewWholeNetwork): Decide {
  const { name, labels, internal } = input
  return ({ names, taken }) => {
    if (names.includes(name)) throw new Fault('network.name-taken', { name })
    const subnets = plannedSubnets(ids, input, taken)
    // What is wrong with them is said before anything is made.
    for (const subnet of subnets) poolsWithin(subnet)
    return { name, subnets, labels, usual: false, internal }
  }
}

/** All of it or nothing; `routing`: the router that all its subnets are to be connected to. */
async function make(
  parts: UsualParts,
  caller: Caller,
  plan: Plan,
  routing: Promise<Router | null> | null,
): Promise<Network> {
  const { store, ids, clock } = parts
  const { name, labels, usual } = plan
  const { projectId } = caller
  const row: CloudNetwork = { id: ids.uuid(), networkId: null, projectId, usual: false, labels, createdAt: clock.now() }
  // It is awaited further down; should something else fail before, that is the failure to be told of.
  routing?.catch(() => undefined)
  await store.cloudNetworks.insert(row)
  try {
    const sight = sightOf(parts, caller)
    const { neutron } = sight
    const body = { name, description: networkMark(parts, row.id), ...ownedBy(caller) }
    const network = await neutron.networks.create(body, sight.context)
    const made = await everyOne(
      plan.subnets.map((subnet) => neutron.subnets.create(subnetBody(caller, plan, network, subnet), sight.context)),
    )
    const router = await routing
    // One after the other: a router does one thing at a time.
    if (router) for (const { id } of made) await neutron.addInterface(router.id, { subnet_id: id }, sight.context)
    await store.cloudNetworks.finish(row.id, network.id as NetworkId, usual)
    return networkOf(network, { ...row, networkId: network.id as NetworkId, usual })
  } catch (error) {
    await Promise.allSettled([routing])
    await takeBack(parts, row)
    throw error
  }
}

function subnetBody(caller: Caller, plan: Plan, network: Said, subnet: AskedSubnet): SubnetCreate {
  const { cidr, gateway = firstAddress(cidr) } = subnet
  const pools = poolsWithin(subnet)
  return {
    network_id: network.id,
    name: plan.name,
    cidr,
    ip_version: cidr.includes(':') ? 6 : 4,
    // Of Docker's networks all addresses are for containers, which need no DHCP: its server would take one that somebody may ask for.
    enable_dhcp: plan.usual,
    ...(plan.internal ? { gateway_ip: null } : gateway !== undefined && { gateway_ip: gateway }),
    ...(pools && { allocation_pools: pools.map(({ start, end }) => ({ start, end })) }),
    ...ownedBy(caller),
  }
}

/** A router to the outside, where there is one. */
async function makeRouter(sight: Sight): Promise<Router> {
  const { caller, neutron } = sight
  const outside = await oldestExternal(sight)
  const gateway = outside === null ? {} : { external_gateway_info: { network_id: outside } }
  return neutron.routers.create({ name: 'router', ...gateway, ...ownedBy(caller) }, sight.context)
}

/** Addresses of the external networks, which users are not shown and no router can connect to others that overlap. */
function cidrsOutside(parts: UsualParts): () => Promise<readonly string[]> {
  const known = remembered({ clock: parts.clock, keptMs: 60_000, most: 1 }, async () => {
    const neutron = ownNeutron(parts)
    const context = parts.access.ownContext()
    const external = await allOf(neutron.networks.list({ 'router:external': true }, context))
    if (external.length === 0) return []
    const subnets = await allOf(neutron.subnets.list({ network_id: external.map(({ id }) => id) }, context))
    return subnets.map(({ cidr }) => cidr)
  })
  return () => known('')
}

/** Who may not make networks is shown those that are there; see `knownNetworks` of the Docker façade. */
function asForbidden(error: unknown): never {
  if (!(error instanceof Fault) || error.code !== 'service.forbidden') throw error
  const action = 'Making the usual network of the project'
  throw new Fault('policy.forbidden', { action, reason: String(error.details['reason']) }, error)
}

/** As `Promise.all`, but nothing is under way any more when it rejects. */
async function everyOne<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}
