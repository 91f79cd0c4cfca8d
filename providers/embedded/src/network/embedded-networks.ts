import type { FabricChange, NetworkProvider, Store } from '@gantry/control'
import type { Clock, Ids } from '@gantry/kernel'
import type { ContainerId, Network, ProjectId } from '@gantry/model'
import { containerPorts, release } from './container-ports.ts'
import { fabric } from './fabric.ts'
import { floatingIps } from './floating-ips.ts'
import { groups } from './groups.ts'
import { defaultLimits, type NetworkLimits } from './limits.ts'
import { networks } from './networks.ts'
import { type Parts, transact } from './parts.ts'
import { ports } from './ports.ts'
import { routers } from './routers.ts'
import { subnets } from './subnets.ts'
import { ensurePublic } from './topology.ts'

export interface EmbeddedNetworksOptions {
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  /** IPv4 subnet of the external network `public`; its first address is the host's own. */
  readonly publicCidr: string
  /** What differs from Neutron's defaults. */
  readonly limits?: Partial<NetworkLimits>
}

export interface EmbeddedNetworks extends NetworkProvider {
  /** Makes the external network `public` unless there is an external one. Called at each start. */
  ensurePublic(ownerProject: ProjectId): Promise<Network>
  /** Frees ports whose container does not exist any more. Called at each start, before requests are taken. */
  sweep(): Promise<void>
}

/** Networks of our own, for clouds that have no Neutron: kept in the store, built by the hosts' agents. */
export function embeddedNetworks(options: EmbeddedNetworksOptions): EmbeddedNetworks {
  const { store, clock, ids, publicCidr } = options
  const listeners: ((change: FabricChange) => void)[] = []
  const parts: Parts = {
    store,
    clock,
    ids,
    limits: { ...defaultLimits, ...options.limits },
    announce(change) {
      for (const listener of listeners) listener(change)
    },
  }
  return {
    networks: networks(parts),
    subnets: subnets(parts),
    ports: ports(parts),
    groups: groups(parts),
    routers: routers(parts),
    floatingIps: floatingIps(parts),
    ...containerPorts(parts),
    fabric: fabric(store, (listener) => void listeners.push(listener)),
    ensurePublic: (ownerProject) => ensurePublic(parts, publicCidr, ownerProject),
    sweep: () => sweep(parts),
  }
}

function sweep(parts: Parts): Promise<void> {
  return transact(parts, async (work) => {
    const held = (await work.tables.ports.list(null)).filter(({ deviceOwner }) => deviceOwner === 'compute:kuryr')
    const devices = new Set(held.flatMap(({ deviceId }) => deviceId ?? []))
    for (const device of devices) {
      const id = device as ContainerId
      if (!(await work.tables.containers.get(id))) await release(work, id)
    }
  })
}
