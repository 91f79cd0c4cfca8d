import type { Caller, ContainerId, NetworkId, ProjectId, SecurityGroupId } from '@gantry/model'
import type { Port, PortCreate } from '@gantry/openstack'
import type { Making } from '../making.ts'
import { containerOwner, markOf, neutronOf, type Parts } from './parts.ts'
import { letGo, rowOf } from './port-rows.ts'
import { sparePorts } from './spare-ports.ts'

/** Ports at Neutron that wait for the next container of their project on their network. */
export interface Spares {
  /** One that is the container's from now on, with a row that says so; null: make one. */
  take(caller: Caller, containerId: ContainerId, wish: SpareWish): Promise<Port | null>
  /** A port was made for a container, or taken: the next one may find another ready. Returns at once. */
  refill(caller: Caller, wish: SpareWish): void
  /** Takes away a project's, on one network or on all. */
  drop(projectId: ProjectId, networkId?: NetworkId): Promise<void>
  close(): Promise<void>
}

/** What the ports of one kind have in common. */
export interface SpareWish {
  readonly networkId: NetworkId
  /** undefined: Neutron's own choice, the project's group `default`. */
  readonly groups: readonly SecurityGroupId[] | undefined
}

export interface SparesParts extends Parts {
  readonly making: Making
  readonly wake: () => void
}

/** Their name at Neutron until they have a container. */
export const spareName = 'gantry-spare'

/** How long they wait for the next container, and how long Neutron is left alone with the last one's. Milliseconds. */
const idleMs = 60_000
const restMs = 1500

type Maker = SpareWish & { readonly caller: Caller }

/** `most`: of one project, network and set of groups; 0: none are kept. */
export function spares(parts: SparesParts, most: number): Spares {
  const { store, log, clock } = parts
  const release = async (id: string) => {
    await store.transaction(async (tables) => {
      const row = await tables.cloudPorts.get(id)
      if (row) await letGo(tables, [row])
    })
    parts.wake()
  }
  const pool = sparePorts<Port, Maker>({
    make: (_key, maker) => makeSpare(parts, maker),
    discard: ({ id }) => release(id),
    clock,
    log,
    most,
    idleMs,
    restMs,
  })
  return {
    async take(caller, containerId, wish) {
      for (;;) {
        const port = pool.take(keyOf(caller.projectId, wish))
        if (port === null) return null
        // A sweep may have let go of it.
        if (await store.cloudPorts.assign(port.id, containerId)) return port
      }
    },
    refill: (caller, wish) => pool.refill(keyOf(caller.projectId, wish), { ...wish, caller }),
    drop: (projectId, networkId) =>
      pool.drop((key) => key.startsWith(networkId === undefined ? `${projectId} ` : `${projectId} ${networkId} `)),
    close: () => pool.close(),
  }
}

function keyOf(projectId: ProjectId, { networkId, groups }: SpareWish): string {
  return `${projectId} ${networkId} ${groups ? [...groups].sort().join(',') : 'default'}`
}

/** For a container that there is not: so it goes with the next sweep if this process dies. */
async function makeSpare(parts: SparesParts, { caller, networkId, groups }: Maker): Promise<Port> {
  const nobody = parts.ids.uuid() as ContainerId
  const { projectId } = caller
  const body: PortCreate = {
    network_id: networkId,
    name: spareName,
    description: markOf(parts),
    device_owner: containerOwner,
    device_id: nobody,
    ...(groups && { security_groups: [...groups] }),
    ...(caller.isAdmin && { project_id: projectId }),
  }
  return parts.making.during(nobody, async () => {
    const port = await neutronOf(parts, caller).ports.create(body, parts.access.ownContext())
    await parts.store.cloudPorts.insert(
      rowOf(parts, { id: port.id, kind: 'port', projectId, containerId: nobody, networkId }),
    )
    return port
  })
}
