import type { FabricChange, NetworkProvider, Store } from '@gantry/control'
import type { Clock, Ids } from '@gantry/kernel'
import type { Container, ContainerId, Network, Port, ProjectId } from '@gantry/model'
import { containerPorts, release } from './container-ports.ts'
import { fabric } from './fabric.ts'
import { floatingIps } from './floating-ips.ts'
import { groups } from './groups.ts'
import { defaultLimits, type NetworkLimits } from './limits.ts'
import { networks } from './networks.ts'
import { type Parts, transact, type Work } from './parts.ts'
import { ports } from './ports.ts'
import { publishedOf } from './published-ports.ts'
import { routers } from './routers.ts'
import { subnets } from './subnets.ts'
import { ensurePublic } from './topology.ts'
import { wholeNetworks } from './whole-networks.ts'

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
  /** Frees ports whose container does not exist, and tells the others to theirs. Called at each start, before requests are taken. */
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
    networks: { ...networks(parts), ...wholeNetworks(parts) },
    subnets: subnets(parts),
    ports: ports(parts),
    groups: groups(parts),
    routers: routers(parts),
    floatingIps: floatingIps(parts),
    publishedOf: (caller, containers) => publishedOf({ tables: store }, caller, containers),
    ...containerPorts(parts),
    remote: null,
    fabric: fabric(store, (listener) => void listeners.push(listener)),
    ensurePublic: (ownerProject) => ensurePublic(parts, publicCidr, ownerProject),
    sweep: () => sweep(parts),
  }
}

function sweep(parts: Parts): Promise<void> {
  return transact(parts, async (work) => {
    const held = (await work.tables.ports.list(null)).filter(({ deviceOwner }) => deviceOwner === 'compute:kuryr')
    const devices = Map.groupBy(held, ({ deviceId }) => deviceId ?? '')
    for (const [device, ports] of devices) {
      const container = await work.tables.containers.get(device as ContainerId)
      if (container) await agree(work, container, ports)
      else await release(work, device as ContainerId)
    }
  })
}

/** A change of a port is written into its container a moment later; a server that died between the two left it out. */
async function agree({ tables }: Work, { id, nics }: Container, ports: readonly Port[]): Promise<void> {
  const known = new Map<string, Port>(ports.map((port) => [port.id, port]))
  const next = nics.map((nic) => {
    const { groups, filtered } = known.get(nic.portId) ?? nic
    return { ...nic, groups: [...groups], filtered }
  })
  if (JSON.stringify(next) !== JSON.stringify(nics)) await tables.containers.update(id, { nics: next })
}
