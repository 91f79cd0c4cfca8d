import type { CloudPort, Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { ContainerId, Nic, SecurityGroupId } from '@gantry/model'
import type { Parts } from './parts.ts'

type Sketch = Pick<CloudPort, 'id' | 'kind' | 'projectId'> & Partial<CloudPort>

/** A row for what was just made at Neutron, or is about to be taken. */
export function rowOf({ clock }: Pick<Parts, 'clock'>, sketch: Sketch): CloudPort {
  return {
    containerId: null,
    networkId: null,
    given: false,
    hostId: null,
    boundTo: null,
    leaving: false,
    createdAt: clock.now(),
    ...sketch,
  }
}

/** Throws `network.not-found` for ports that were given up since they were made: their request took too long. */
export async function requireKept(tables: Tables, nics: readonly Nic[]): Promise<void> {
  for (const { portId } of nics) {
    const row = await tables.cloudPorts.get(portId)
    if (!row || row.leaving) throw new Fault('network.not-found', { type: 'port', ref: portId })
  }
}

/** The group of a container's exposed ports; null: it has none. */
export async function exposedGroupOf(
  { cloudPorts }: Pick<Tables, 'cloudPorts'>,
  containerId: ContainerId,
): Promise<SecurityGroupId | null> {
  const rows = await cloudPorts.ofContainer(containerId)
  return (rows.find(({ kind, leaving }) => kind === 'group' && !leaving)?.id as SecurityGroupId | undefined) ?? null
}

/**
 * Gives back these rows, and has what their project publishes looked at: nothing may lead through its shared floating IPs any
 * more. Neutron hears of it from the worker, once the transaction has ended.
 */
export async function letGo(tables: Tables, rows: readonly CloudPort[]): Promise<void> {
  await tables.cloudPorts.leave(rows.map(({ id }) => id))
  for (const projectId of new Set(rows.map((row) => row.projectId))) {
    const ending = await tables.cloudPorts.endingOf(projectId)
    await tables.cloudPorts.leave(ending.filter(({ kind }) => kind === 'address').map(({ id }) => id))
  }
}
