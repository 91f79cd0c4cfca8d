import type { CloudPort } from '@gantry/control'
import { allOf, type Context, isOpenStackError, type NetworkService } from '@gantry/openstack'
import { forwardingsOf, removeForwardings } from './forwardings.ts'
import { undoNested } from './nested-binding.ts'
import type { WorkerParts } from './port-worker.ts'

/** What was made goes; what the user gave is hers again. Repeated until Neutron has done it. */
export async function giveBack(parts: WorkerParts, neutron: NetworkService, row: CloudPort): Promise<void> {
  const context = parts.access.ownContext()
  switch (row.kind) {
    case 'group':
      await removeGroup(neutron, row, context)
      break
    case 'address':
      return parts.publishing.take(row.projectId, () => removeAddress(parts, neutron, row, context))
    case 'port':
      await undo(parts, neutron, row, context)
      if (row.given) await free(parts, neutron, row, context)
      else await neutron.ports.remove(row.id, context)
  }
  await parts.store.cloudPorts.remove(row.id)
}

/** One that a user has put ports of hers into stays as hers; the sweep has another look. */
async function removeGroup(neutron: NetworkService, { id }: CloudPort, context: Context): Promise<void> {
  try {
    await neutron.securityGroups.remove(id, context)
  } catch (error) {
    if (!isOpenStackError(error, 409)) throw error
  }
}

/** Unless something is published by it again. */
async function removeAddress(
  { store }: WorkerParts,
  neutron: NetworkService,
  { id }: CloudPort,
  context: Context,
): Promise<void> {
  const [ip] = await allOf(neutron.floatingIps.list({ id }, context))
  if (ip && (await forwardingsOf(neutron, ip, context)).length > 0) return store.cloudPorts.keep(id)
  if (ip) await neutron.floatingIps.remove(id, context)
  await store.cloudPorts.remove(id)
}

/** Nothing of it stays with the VM that it was carried by. */
async function undo(
  { store, carrying }: WorkerParts,
  neutron: NetworkService,
  { id, hostId, boundTo }: CloudPort,
  context: Context,
): Promise<void> {
  const where = boundTo ?? hostId
  const host = where === null ? undefined : await store.hosts.get(where)
  const nested = host?.facts.nested
  if (nested) await carrying.take(nested.mac, () => undoNested(neutron, id, nested, context))
}

async function free(
  { store }: WorkerParts,
  neutron: NetworkService,
  { id, containerId, projectId }: CloudPort,
  context: Context,
): Promise<void> {
  try {
    const port = await neutron.ports.show(id, context)
    // Somebody else has it by now, or it was never taken.
    if (port.device_id !== containerId) return
    await removeForwardings(neutron, projectId, id, context)
    const rows = containerId === null ? [] : await store.cloudPorts.ofContainer(containerId)
    const exposed = new Set(rows.filter(({ kind }) => kind === 'group').map((each) => each.id))
    const groups = (port.security_groups ?? []).filter((group) => !exposed.has(group))
    const freed = { device_id: '', device_owner: '', 'binding:host_id': '' }
    await neutron.ports.update(id, exposed.size === 0 ? freed : { ...freed, security_groups: groups }, context)
  } catch (error) {
    if (!isOpenStackError(error, 404)) throw error
  }
}
