import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, reasonOf } from '@gantry/kernel'
import { allOf, isOpenStackError, type Network, type Port } from '@gantry/openstack'
import type { Parts } from './parts.ts'
import type { Sight } from './sight.ts'
import { interfaceOwners } from './translate.ts'
import { attempt } from './verb-faults.ts'
import { holdersOf, ownNetworkBy, removeNetwork, usesOf } from './verbs-networks.ts'

/** With its subnets and the interfaces of routers there; see `NetworkVerbs.networks.deleteWhole`. */
export async function removeDocker(parts: Parts, sight: Sight, ref: string): Promise<void> {
  const { cloudNetworks } = parts.store
  const network = await ownNetworkBy(sight, ref, 'Deleting this network')
  const name = network.name ?? network.id
  const notes = await cloudNetworks.ofNetworks([network.id])
  if (notes.some(({ usual, projectId }) => usual && projectId === network.project_id)) {
    const reason = 'it is the usual network of the project'
    throw new Fault('policy.forbidden', { action: `Removing network ${name}`, reason })
  }
  const about = { type: 'network', ref: name }
  await attempt(about, async () => {
    const { used, legs } = await portsOf(parts, sight, network)
    if (used.length > 0) throw new Fault('network.in-use', { ...about, reason: usesOf(used) })
    await withoutLegs(parts, sight, legs, () => removeNetwork(sight, network))
  })
  for (const { id } of notes) await cloudNetworks.remove(id)
}

/** How often it is looked whether ports of containers that are gone are gone too, and how long. Milliseconds. */
const lookEveryMs = 300
const patienceMs = 8000

interface Ports {
  readonly used: readonly Port[]
  /** Interfaces of routers. */
  readonly legs: readonly Port[]
}

/** Ports that are on their way out are waited for: who removes a container and then its network has done all that is needed. */
async function portsOf({ store, clock }: Parts, sight: Sight, { id }: Network): Promise<Ports> {
  const end = clock.now() + patienceMs
  for (;;) {
    const ports = holdersOf(await allOf(sight.neutron.ports.list({ network_id: id }, sight.context)))
    const [legs, used] = [ports.filter(isLeg), ports.filter((port) => !isLeg(port))]
    const rows = await Promise.all(used.map((port) => store.cloudPorts.get(port.id)))
    const areLeaving = rows.every((row) => row?.leaving === true && !row.given)
    if (used.length === 0 || !areLeaving || clock.now() > end) return { used, legs }
    await sleep(lookEveryMs)
  }
}

function isLeg({ device_owner = '' }: Port): boolean {
  return interfaceOwners.includes(device_owner)
}

/** The interfaces come back if the network does not go after all. */
async function withoutLegs(
  { log }: Parts,
  sight: Sight,
  legs: readonly Port[],
  remove: () => Promise<void>,
): Promise<void> {
  const { neutron } = sight
  const gone: Port[] = []
  try {
    for (const leg of legs) {
      if (leg.device_id === undefined) continue
      await neutron.removeInterface(leg.device_id, { port_id: leg.id }, sight.context)
      gone.push(leg)
    }
    await remove()
  } catch (error) {
    for (const { device_id, fixed_ips } of gone) {
      for (const { subnet_id } of fixed_ips) {
        const back = neutron.addInterface(device_id ?? '', { subnet_id }, sight.context)
        await back.catch((failure: unknown) => {
          if (!isOpenStackError(failure)) throw failure
          log.warn(
            { router: device_id, subnet: subnet_id, reason: reasonOf(failure) },
            'a router has lost an interface',
          )
        })
      }
    }
    throw error
  }
}
