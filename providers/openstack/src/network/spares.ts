import type { CloudPort } from '@gantry/control'
import type { Caller, ContainerId, NetworkId, ProjectId, SecurityGroupId } from '@gantry/model'
import type { Port, PortCreate } from '@gantry/openstack'
import type { Making } from '../making.ts'
import { containerOwner, markOf, neutronOf, type Parts } from './parts.ts'
import { rowOf } from './port-rows.ts'
import { sparePorts } from './spare-ports.ts'

/** Ports at Neutron that wait for the next container of their project on their network. */
export interface Spares {
  /** One that is the container's from now on, with a row that says so; null: make one. */
  take(caller: Caller, containerId: ContainerId, wish: SpareWish): Promise<Port | null>
  /** A port was made for a container, or taken: the next one may find another ready. Returns at once. */
  refill(caller: Caller, wish: SpareWish): void
  /** Takes away a project's, on one network or on all, also those that other servers keep. Resolves when Neutron has done it, or cannot. */
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
  /** Gives back what is to be given back of these. */
  readonly settle: (ids: readonly string[]) => Promise<void>
}

/** Their name at Neutron until they have a container. */
const spareName = 'gantry-spare'

/** In place of a container's id, so that every server knows from the row what it is. */
const nobody = 'spare-'

export function isSpare({ containerId }: Pick<CloudPort, 'containerId'>): boolean {
  return containerId?.startsWith(nobody) ?? false
}

/** How long they wait for the next container, and how long Neutron is left alone with the last one's. Milliseconds. */
const idleMs = 60_000
const restMs = 1500

type Maker = SpareWish & { readonly caller: Caller }

/** `most`: of one project, network and set of groups; 0: none are kept. */
export function spares(parts: SparesParts, most: number): Spares {
  const { store, log, clock } = parts
  const release = async (id: string, of: ContainerId) => {
    await store.cloudPorts.leaveOf(id, of)
    await parts.settle([id])
  }
  const pool = sparePorts<Port, Maker>({
    async make(_key, maker) {
      const port = await makeSpare(parts, maker)
      if (await isUsed(parts, maker)) return port
      await release(port.id, port.device_id as ContainerId)
      throw new Error('the last container left its network meanwhile')
    },
    discard: ({ id, device_id }) => release(id, device_id as ContainerId),
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
    async drop(projectId, networkId) {
      const prefix = networkId === undefined ? `${projectId} ` : `${projectId} ${networkId} `
      const waiting = (await store.cloudPorts.onNetwork(projectId, networkId)).filter(isSpare)
      await Promise.all(waiting.map(({ id, containerId }) => store.cloudPorts.leaveOf(id, containerId as ContainerId)))
      const settled = parts.settle(waiting.map(({ id }) => id))
      await Promise.all([pool.drop((key) => key.startsWith(prefix)), settled])
    },
    close: () => pool.close(),
  }
}

function keyOf(projectId: ProjectId, { networkId, groups }: SpareWish): string {
  return `${projectId} ${networkId} ${groups ? [...groups].sort().join(',') : 'default'}`
}

/** Whoever drops them knows those that have rows; one that is being made looks by itself, once it has its own. */
async function isUsed({ store }: Parts, { caller, networkId }: Maker): Promise<boolean> {
  const there = await store.cloudPorts.onNetwork(caller.projectId, networkId)
  return there.some((row) => !row.leaving && !isSpare(row))
}

/** For a container that there is not: so it goes with the next sweep if this process dies. */
async function makeSpare(parts: SparesParts, { caller, networkId, groups }: Maker): Promise<Port> {
  const forNobody = `${nobody}${parts.ids.uuid()}` as ContainerId
  const { projectId } = caller
  const body: PortCreate = {
    network_id: networkId,
    name: spareName,
    description: markOf(parts),
    device_owner: containerOwner,
    device_id: forNobody,
    ...(groups && { security_groups: [...groups] }),
    ...(caller.isAdmin && { project_id: projectId }),
  }
  return parts.making.during(forNobody, async () => {
    const port = await neutronOf(parts, caller).ports.create(body, parts.access.ownContext())
    await parts.store.cloudPorts.insert(
      rowOf(parts, { id: port.id, kind: 'port', projectId, containerId: forNobody, networkId }),
    )
    return port
  })
}
