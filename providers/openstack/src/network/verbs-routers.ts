import type { NetworkVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Router } from '@gantry/model'
import { allOf, type Port, type RouterLeg } from '@gantry/openstack'
import type { Parts } from './parts.ts'
import { byAge } from './parts.ts'
import {
  networkBy,
  portBy,
  requireAdmin,
  requireOwner,
  routerBy,
  type Sight,
  scopeOf,
  sightOf,
  subnetBy,
} from './sight.ts'
import { interfaceOwners, ownedBy, routerOf } from './translate.ts'
import { attempt, invalid } from './verb-faults.ts'

export function routers(parts: Parts): NetworkVerbs['routers'] {
  return {
    async create(caller, { name }) {
      const { neutron, context } = sightOf(parts, caller)
      const body = { name, ...ownedBy(caller) }
      return routerOf(await attempt({ type: 'router', ref: name }, () => neutron.routers.create(body, context)), [])
    },
    list: (caller, options) =>
      attempt({ type: 'router', ref: 'of the project' }, async () => {
        const sight = sightOf(parts, caller)
        const scope = scopeOf(caller, options)
        const [found, legs] = await Promise.all([
          allOf(sight.neutron.routers.list(scope, sight.context)),
          legsOf(sight, scope),
        ])
        return byAge(found).map((said) => routerOf(said, legs))
      }),
    async get(caller, ref) {
      const sight = sightOf(parts, caller)
      return withLegs(sight, await routerBy(sight, ref))
    },
    async delete(caller, ref) {
      const sight = sightOf(parts, caller)
      const { id, name } = await routerBy(sight, ref)
      await attempt({ type: 'router', ref: name }, () => sight.neutron.routers.remove(id, sight.context))
    },
    async setGateway(caller, ref, gateway) {
      if (gateway?.snat === false) requireAdmin(caller, 'Switching off the translation of addresses (SNAT)')
      const sight = sightOf(parts, caller)
      const [router, network] = await Promise.all([routerBy(sight, ref), gateway && networkBy(sight, gateway.network)])
      if (network && network['router:external'] !== true) {
        throw invalid(`Network ${network.name ?? network.id} is not external; a router's gateway must be.`)
      }
      const before = router.external_gateway_info?.enable_snat ?? true
      const info = network && {
        network_id: network.id,
        // Only administrators may so much as mention it.
        ...(gateway && gateway.snat !== before && { enable_snat: gateway.snat }),
      }
      const updated = await attempt({ type: 'router', ref }, () =>
        sight.neutron.routers.update(router.id, { external_gateway_info: info }, sight.context),
      )
      return withLegs(sight, updated)
    },
    async addInterface(caller, ref, to) {
      const sight = sightOf(parts, caller)
      const [{ id }, leg] = await Promise.all([routerBy(sight, ref), legTo(sight, to)])
      await attempt({ type: 'router', ref }, () => sight.neutron.addInterface(id, leg, sight.context))
      return anew(sight, id)
    },
    async removeInterface(caller, ref, from) {
      const sight = sightOf(parts, caller)
      const [router, leg] = await Promise.all([
        routerBy(sight, ref),
        'port' in from
          ? portBy(sight, from.port).then(({ id }) => ({ port_id: id }))
          : subnetBy(sight, from.subnet).then(({ id }) => ({ subnet_id: id })),
      ])
      const about = { type: 'router', ref }
      const wasThere = await attempt(about, () => sight.neutron.removeInterface(router.id, leg, sight.context))
      if (!wasThere) {
        const type = `interface of router ${router.name} to`
        throw new Fault('network.not-found', { type, ref: Object.values(from).join() })
      }
      return anew(sight, router.id)
    },
  }
}

async function legTo(sight: Sight, to: { subnet: string } | { port: string }): Promise<RouterLeg> {
  const { caller, neutron, context } = sight
  const place = 'port' in to ? await portBy(sight, to.port) : await subnetBy(sight, to.subnet)
  const network = await attempt({ type: 'network', ref: place.network_id }, () =>
    neutron.networks.show(place.network_id, context),
  )
  // A router's port is not filtered, so that only the network's owner may give it one.
  requireOwner(caller, network, 'Connecting a router to this network')
  if (network['router:external'] === true) {
    const name = network.name ?? network.id
    throw invalid(`Network ${name} is external; set it as the router's gateway instead of adding an interface.`)
  }
  return 'port' in to ? { port_id: place.id } : { subnet_id: place.id }
}

/** Ports that are interfaces of routers. */
export function legsOf(
  { neutron, context }: Sight,
  filters: Readonly<Record<string, string | readonly string[]>>,
): Promise<Port[]> {
  return allOf(neutron.ports.list({ ...filters, device_owner: interfaceOwners }, context))
}

async function withLegs(sight: Sight, said: Parameters<typeof routerOf>[0]): Promise<Router> {
  return attempt({ type: 'router', ref: said.name }, async () =>
    routerOf(said, await legsOf(sight, { device_id: said.id })),
  )
}

async function anew(sight: Sight, id: string): Promise<Router> {
  return attempt({ type: 'router', ref: id }, async () => {
    const [said, legs] = await Promise.all([
      sight.neutron.routers.show(id, sight.context),
      legsOf(sight, { device_id: id }),
    ])
    return routerOf(said, legs)
  })
}
