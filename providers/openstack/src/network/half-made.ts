import type { CloudNetwork } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'
import { allOf, type Context, type Network, type NetworkService } from '@gantry/openstack'
import { markOf, ownNeutron, type Parts } from './parts.ts'
import { interfaceOwners } from './translate.ts'

/** The description of a network that was made here: names its row, from before it is made. */
export function networkMark(parts: Pick<Parts, 'deployment'>, rowId: string): string {
  return `${markOf(parts)}: network ${rowId}`
}

/**
 * Takes back what was made of a network. Its row goes only after that, so that the sweep does what is left to do when Neutron does
 * not answer. Rejects with nothing.
 */
export async function takeBack(parts: Parts, row: CloudNetwork): Promise<void> {
  try {
    const neutron = ownNeutron(parts)
    const context = parts.access.ownContext()
    for (const network of await madeFor(parts, neutron, row, context)) await removeWhole(parts, neutron, network.id)
    await parts.store.cloudNetworks.remove(row.id)
  } catch (error) {
    parts.log.warn({ row: row.id, reason: reasonOf(error) }, 'half a network is left at Neutron; tried again later')
  }
}

function madeFor(parts: Parts, neutron: NetworkService, row: CloudNetwork, context: Context): Promise<Network[]> {
  return allOf(neutron.networks.list({ description: networkMark(parts, row.id) }, context))
}

/** A network, its subnets and the interfaces of routers on it. */
async function removeWhole({ access }: Parts, neutron: NetworkService, id: string): Promise<void> {
  const legs = await allOf(neutron.ports.list({ network_id: id, device_owner: interfaceOwners }, access.ownContext()))
  for (const { id: port_id, device_id } of legs) {
    if (device_id !== undefined) await neutron.removeInterface(device_id, { port_id }, access.ownContext())
  }
  await neutron.networks.remove(id, access.ownContext())
}

/** What is younger is being made. Milliseconds. */
const graceMs = 5 * 60_000

/** `isFirst`: no other process is at work, so that whatever is not finished was left by a dead one. */
export async function sweepNetworks(parts: Parts, isFirst: boolean): Promise<void> {
  const { store, access, clock } = parts
  const neutron = ownNeutron(parts)
  const rows = await store.cloudNetworks.list()
  if (rows.length === 0) return
  const isOld = ({ createdAt }: CloudNetwork) => createdAt < clock.now() - graceMs
  for (const row of rows) {
    if (row.networkId !== null) continue
    // A call that was under way when its server died may come to its end only now, so the young row stays.
    if (isOld(row)) await takeBack(parts, row)
    else if (isFirst) {
      const context = access.ownContext()
      for (const { id } of await madeFor(parts, neutron, row, context)) await removeWhole(parts, neutron, id)
    }
  }
  const there = new Set((await allOf(neutron.networks.list({}, access.ownContext()))).map(({ id }) => id))
  const gone = rows.filter((row) => row.networkId !== null && !there.has(row.networkId) && isOld(row))
  for (const { id } of gone) await store.cloudNetworks.remove(id)
}
