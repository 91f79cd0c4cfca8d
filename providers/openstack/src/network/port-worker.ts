import type { CloudPort } from '@gantry/control'
import type { Turns } from '@gantry/kernel'
import type { Container } from '@gantry/model'
import { type DueWorker, dueWorker } from '../due-worker.ts'
import { bind } from './bind-port.ts'
import { giveBack } from './give-back.ts'
import { ownNeutron, type Parts } from './parts.ts'
import type { ExpectedVifs } from './vif-of.ts'

export interface WorkerParts extends Parts {
  readonly expected: ExpectedVifs
  /** A container's nics were written anew. */
  readonly announce: (container: Container) => void
  /** By project: publishing, and giving back what nothing is published by any more, exclude each other. */
  readonly publishing: Turns
  /** By MAC address of a VM: what its port carries is read, changed and written. */
  readonly carrying: Turns
}

/** Rows of `cloud_ports`, by id. */
export type PortWorker = DueWorker<string>

/** Tries of a bind before its container is told: an agent that was just started is not known to Neutron yet. */
const quietBinds = 3

/** Carries out at Neutron what the rows of `cloud_ports` say. */
export function portWorker(parts: WorkerParts): PortWorker {
  const { store, log, clock } = parts

  const besides = async ({ kind, containerId, projectId }: CloudPort): Promise<CloudPort[]> => {
    if (kind === 'group' && containerId !== null) return store.cloudPorts.ofContainer(containerId)
    return kind === 'address' ? store.cloudPorts.endingOf(projectId) : []
  }
  const worker: PortWorker = dueWorker<string>({
    width: 6,
    log,
    clock,
    service: 'Neutron',
    ...(parts.servers && { servers: parts.servers }),
    // Transactions exclude each other, so this one begins after the one that wrote what is due.
    async due() {
      const rows = await store.transaction((tables) => tables.cloudPorts.due())
      return rows.filter((row) => isReady(row, rows)).map(({ id }) => id)
    },
    async work(id, before) {
      // As it is by now: it may be leaving since it was listed.
      const row = await store.cloudPorts.get(id)
      if (!row || !isReady(row, await besides(row))) return
      const neutron = ownNeutron(parts)
      if (!row.leaving) return bind(parts, neutron, row, (before?.times ?? 0) >= quietBinds)
      await giveBack(parts, neutron, row)
      // What is in it, or leads to it, may go now.
      if (row.kind !== 'address') worker.wake()
    },
  })
  return worker
}

/** Groups go after the ports that are in them, addresses after those that are published by them. */
function isReady(row: CloudPort, others: readonly CloudPort[]): boolean {
  if (row.kind === 'port') return true
  const isBefore = (other: CloudPort) =>
    row.kind === 'group' ? other.containerId === row.containerId : other.projectId === row.projectId
  return !others.some((other) => other.kind === 'port' && other.leaving && isBefore(other))
}
