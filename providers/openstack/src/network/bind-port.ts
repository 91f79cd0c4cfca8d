import type { CloudPort } from '@gantry/control'
import type { Container, ContainerId, Host, HostId, Nic } from '@gantry/model'
import { type Context, isOpenStackError, type NetworkService } from '@gantry/openstack'
import { nestedBinding } from './nested-binding.ts'
import { containerOwner, portName } from './parts.ts'
import type { WorkerParts } from './port-worker.ts'
import { vifOf } from './vif-of.ts'

type Binding = NonNullable<Nic['binding']>
type Outcome = ReturnType<typeof vifOf>

/**
 * Has Neutron bind the port to its container's host, and tells the container how it is plugged there. If Neutron will not, it
 * throws; the container hears why once that is no passing matter (`isLasting`), and the row stays due: an agent may yet come.
 */
export async function bind(
  parts: WorkerParts,
  neutron: NetworkService,
  row: CloudPort,
  isLasting: boolean,
): Promise<void> {
  const { store, access, expected, carrying } = parts
  const { hostId, containerId, networkId } = row
  const host = hostId === null ? undefined : await store.hosts.get(hostId)
  if (!host || containerId === null) return
  const context = access.ownContext()
  const { nested } = host.facts
  const vif = await orRefused(row, () =>
    nested
      ? carrying.take(nested.mac, () => nestedBinding(neutron, row, nested, context))
      : bound(neutron, row, containerId, host, context),
  )
  if (vif === null) return lost(parts, row)
  const isBound = !('problem' in vif)
  if (isBound && networkId !== null && !nested) expected.learn(networkId, vif)
  if (isBound || isLasting) {
    await write(parts, row, host.id, (binding) => bindingWith(binding, vif), isBound)
  }
  if (!isBound) throw new Error(vif.problem)
}

/** What Neutron refuses is no passing matter, as its being away is. */
async function orRefused({ id }: CloudPort, work: () => Promise<Outcome | null>): Promise<Outcome | null> {
  try {
    return await work()
  } catch (error) {
    if (!isOpenStackError(error) || ![400, 403, 409].includes(error.status ?? 0)) throw error
    return { problem: `Neutron did not bind port ${id}: ${error.reason}` }
  }
}

/** null: the port is gone. */
async function bound(
  neutron: NetworkService,
  { id, given }: CloudPort,
  containerId: ContainerId,
  { facts }: Host,
  context: Context,
): Promise<Outcome | null> {
  const name = facts.neutronHost ?? facts.hostname
  try {
    const change = {
      'binding:host_id': name,
      device_id: containerId,
      device_owner: containerOwner,
      // It may have waited under another name.
      ...(!given && { name: portName(containerId) }),
    }
    return vifOf(await neutron.ports.update(id, change, context), name)
  } catch (error) {
    if (isOpenStackError(error, 404)) return null
    throw error
  }
}

function bindingWith(binding: Binding, vif: Outcome): Binding {
  const { problem: _, ...rest } = binding
  return 'problem' in vif ? { ...rest, vif: null, problem: vif.problem } : { ...rest, vif }
}

/** Its user deleted it. */
export async function lost(parts: WorkerParts, row: CloudPort): Promise<void> {
  const { id, containerId, hostId } = row
  parts.log.warn({ port: id, container: containerId }, 'a port of a container is gone from Neutron')
  const problem = `Port ${id} was deleted at Neutron; detach its network and attach it again.`
  await write(parts, row, hostId, (binding) => ({ ...binding, vif: null, problem }), true)
}

/** Writes what is known of the port into its container; the container's host hears of what differs. */
async function write(
  parts: WorkerParts,
  { id, containerId }: CloudPort,
  hostId: HostId | null,
  change: (binding: Binding) => Binding,
  isSettled: boolean,
): Promise<void> {
  const changed = await parts.store.transaction(async (tables): Promise<Container | null> => {
    const now = await tables.cloudPorts.get(id)
    // It moved on, or is leaving: what was found out is of no use any more.
    if (!now || now.leaving || now.hostId !== hostId || containerId === null) return null
    if (hostId !== null && isSettled) await tables.cloudPorts.bound(id, hostId)
    const container = await tables.containers.get(containerId)
    if (!container) return null
    const nics = container.nics.map((nic) =>
      nic.portId === id && nic.binding ? { ...nic, binding: change(nic.binding) } : nic,
    )
    if (JSON.stringify(nics) === JSON.stringify(container.nics)) return null
    await tables.containers.update(containerId, { nics })
    return { ...container, nics }
  })
  if (changed) parts.announce(changed)
}
