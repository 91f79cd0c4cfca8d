import type { CloudPort } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'
import type { ProjectId } from '@gantry/model'
import { allOf, type Context, type FloatingIp, type NetworkService } from '@gantry/openstack'
import { lost } from './bind-port.ts'
import { exposedPrefix } from './exposed-group.ts'
import { forwardingsOf } from './forwardings.ts'
import type { Making } from '../making.ts'
import { containerOwner, markOf, ownNeutron } from './parts.ts'
import { letGo, rowOf } from './port-rows.ts'
import type { WorkerParts } from './port-worker.ts'
import { publishedMark } from './published-ports.ts'

/** Rows that are younger may be of a container that is being written. Milliseconds. */
const graceMs = 5 * 60_000

export interface SweepParts extends WorkerParts {
  readonly making: Making
  /** Something is to be given back. */
  readonly wake: () => void
  /** When this process began; containers that its predecessor was writing will not be written. */
  readonly startedAt: number
}

/** How many rows were given up, and how many things at Neutron removed. */
export interface Swept {
  readonly released: number
  readonly removed: number
}

/**
 * Finds what somebody who died left half done: rows of containers that were never written, and, at Neutron, what was made for
 * this cloud and is in no row. Notes ports that are gone from Neutron though a container has them.
 */
export async function sweepPorts(parts: SweepParts): Promise<Swept> {
  const neutron = ownNeutron(parts)
  const context = parts.access.ownContext()
  const marked = { description: markOf(parts) }
  const released = await releaseUnwritten(parts)
  parts.wake()
  // First what is at Neutron, then what is being made, then the rows: what is in none of the later ones belongs to nobody.
  const [ports, groups, addresses] = await Promise.all([
    allOf(neutron.ports.list({ device_owner: containerOwner }, context)),
    allOf(neutron.securityGroups.list(marked, context)),
    allOf(neutron.floatingIps.list({ description: publishedMark(parts) }, context)),
  ])
  const making = await parts.making.now()
  const rows = await parts.store.cloudPorts.list()
  const known = new Set(rows.map(({ id }) => id))
  const remove = remover(parts)
  for (const { id, description, device_id: device = '' } of ports) {
    if (description !== marked.description || known.has(id) || making.has(device)) continue
    await remove('port', id, () => neutron.ports.remove(id, context))
  }
  for (const { id, name } of groups) {
    if (known.has(id) || making.has(name.replace(exposedPrefix, ''))) continue
    await remove('group', id, () => neutron.securityGroups.remove(id, context))
  }
  for (const ip of addresses) {
    if (!known.has(ip.id))
      await parts.publishing.take(ip.project_id ?? '', () => strayAddress(parts, neutron, ip, remove))
  }
  await noteLost(parts, neutron, rows, new Set(ports.map(({ id }) => id)), context)
  return { released, removed: remove.count() }
}

/** Unless it has its row by now. With something published by it, it is looked after again. */
async function strayAddress(
  parts: SweepParts,
  neutron: NetworkService,
  ip: FloatingIp,
  remove: ReturnType<typeof remover>,
): Promise<void> {
  const { id, project_id: project } = ip
  if (project === undefined || (await parts.store.cloudPorts.get(id))) return
  const context = parts.access.ownContext()
  if ((await forwardingsOf(neutron, ip, context)).length === 0) {
    return remove('address', id, () => neutron.floatingIps.remove(id, context))
  }
  await parts.store.cloudPorts.insert(rowOf(parts, { id, kind: 'address', projectId: project as ProjectId }))
}

/** Rows of containers that were never written, and addresses by which nothing may be published any more. */
async function releaseUnwritten({ store, clock, startedAt }: SweepParts): Promise<number> {
  return store.transaction(async (tables) => {
    const before = Math.max(startedAt, clock.now() - graceMs)
    const old = (await tables.cloudPorts.list()).filter(({ createdAt }) => createdAt < before)
    const unwritten: CloudPort[] = []
    for (const row of old) {
      const { containerId, leaving } = row
      if (containerId !== null && !leaving && !(await tables.containers.get(containerId))) unwritten.push(row)
    }
    await letGo(tables, unwritten)
    await tables.cloudPorts.leave(old.filter(({ kind }) => kind === 'address').map(({ id }) => id))
    return unwritten.length
  })
}

/** Somebody deleted them at Neutron. */
async function noteLost(
  parts: WorkerParts,
  neutron: NetworkService,
  rows: readonly CloudPort[],
  there: ReadonlySet<string>,
  context: Context,
): Promise<void> {
  for (const row of rows) {
    if (row.kind !== 'port' || row.leaving || there.has(row.id)) continue
    // It may be younger than the list, or carried by a trunk, which then owns it.
    const [port] = await allOf(neutron.ports.list({ id: row.id }, context))
    if (!port && (await parts.store.cloudPorts.get(row.id))) await lost(parts, row)
  }
}

function remover({ log }: WorkerParts) {
  let removed = 0
  const remove = async (what: string, id: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
      removed += 1
      log.warn({ [what]: id }, 'removed from Neutron: it belonged to no container')
    } catch (error) {
      // A group that users have put ports of theirs into; what Neutron cannot do just now.
      log.info({ [what]: id, reason: reasonOf(error) }, 'it belongs to no container and stays at Neutron for now')
    }
  }
  return Object.assign(remove, { count: () => removed })
}
