import type { Assignment, Nic } from '@gantry/model'
import { engineName } from '../agent/labels.ts'
import type { ContainerApi } from '../engine/containers.ts'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import type { ContainerInspect, EndpointConfig } from '../engine/engine-types.ts'
import type { NetworkApi } from '../engine/networks.ts'
import type { DockerDriver } from './docker-driver.ts'
import { portOption } from './docker-driver.ts'
import type { DockerNetworkKey, DockerNetworks } from './docker-networks.ts'
import type { Fabric } from './fabric.ts'
import type { Wiring } from './wiring.ts'

export interface DockerWiringOptions {
  readonly containers: ContainerApi
  readonly api: NetworkApi
  readonly networks: DockerNetworks
  readonly fabric: Fabric
  /** null: it could not be opened; the host has said why. */
  readonly driver: () => DockerDriver | null
  /** See `HostNetworkOptions`. */
  readonly portWaitMs: number
}

/** Docker plugs by itself, asking our network driver; what we do ahead costs nothing when it asks. */
export function dockerWiring({ containers, api, networks, fabric, driver, portWaitMs }: DockerWiringOptions): Wiring {
  const keyOf = ({ projectId }: Assignment, { networkId }: Nic): DockerNetworkKey => ({ networkId, projectId, slot: 0 })
  const endpoint = (assignment: Assignment, nic: Nic): EndpointConfig => ({
    Aliases: namesOf(assignment, nic),
    ...linksOf(assignment),
    DriverOpts: { [portOption]: nic.portId },
  })
  const ahead = async (assignment: Assignment) => {
    await Promise.all(assignment.nics.map((nic) => fabric.prepare(nic)))
  }
  /** The Docker networks that a container is in, and which of them its port is in. */
  const networksOf = async (assignment: Assignment, portId: string, signal: AbortSignal) => {
    const inspect = await containers.inspect(engineName(assignment.id), signal)
    const all = Object.entries(inspect.NetworkSettings.Networks ?? {})
    const [name, endpoint] = all.find(([, { DriverOpts }]) => DriverOpts?.[portOption] === portId) ?? []
    return { name, whole: endpoint !== undefined && isWhole(inspect, endpoint), all: all.map(([each]) => each) }
  }

  /** Whether it is really plugged: a running container has an endpoint for it, another will get one when it is started. */
  const isWhole = ({ State }: ContainerInspect, { EndpointID = '' }: Endpoint) =>
    State.Running || State.Paused ? EndpointID !== '' && driver()?.isGone(EndpointID) !== true : true

  return {
    prepare: async (assignment, signal) => {
      const [primary] = assignment.nics
      const dns = [...new Set(assignment.nics.flatMap((nic) => dnsOf(fabric, nic)))]
      if (!primary) return { mode: 'none', endpoints: {}, dns, plugged: [] }
      const name = await networks.ensure(keyOf(assignment, primary), signal)
      // Not waited for: the engine takes as long to create as we do, and `ready` waits before the start.
      void ahead(assignment).catch(() => undefined)
      return { mode: name, endpoints: { [name]: endpoint(assignment, primary) }, dns, plugged: [primary.portId] }
    },
    ready: async (assignment, signal) => {
      await ahead(assignment)
      await untilPassing(fabric, assignment, portWaitMs, signal)
    },
    connect: async (assignment, nic, signal) => {
      checkSubnets(assignment, nic)
      await fabric.prepare(nic)
      const container = engineName(assignment.id)
      const there = await networksOf(assignment, nic.portId, signal)
      if (there.whole) return
      const { networkId } = nic
      const { projectId } = assignment
      let slot = 0
      while (there.all.includes(networks.name({ networkId, projectId, slot }))) slot += 1
      const name = await networks.ensure({ networkId, projectId, slot }, signal)
      // Docker refuses any other network beside the one that stands for none.
      if (there.all.includes('none')) await api.disconnect('none', container, signal)
      await api.connect(name, container, endpoint(assignment, nic), signal)
    },
    disconnect: async (assignment, portId, signal) => {
      const container = engineName(assignment.id)
      const { name, all } = await networksOf(assignment, portId, signal)
      if (name === undefined) return
      await api.disconnect(name, container, signal)
      // A container in no network at all would be put into its first one again by its next start.
      if (all.length === 1) await api.connect('none', container, {}, signal)
    },
    look: async () => undefined,
    nicsOf: (id, inspect) =>
      Object.values(inspect.NetworkSettings.Networks ?? {}).flatMap((endpoint) => {
        const portId = endpoint.DriverOpts?.[portOption]
        if (portId === undefined || !isWhole(inspect, endpoint)) return []
        const owned = fabric.nics.of(portId)
        if (owned?.container === id) driver()?.learn(endpoint.EndpointID ?? '', owned.nic)
        return [portId]
      }),
    release: async (id) => {
      const nics = [...fabric.nics.ofContainer(id)]
      fabric.forgetNics(id)
      // A port may be another container's by now.
      const free = nics.filter(({ portId }) => fabric.nics.of(portId) === undefined)
      await Promise.all(free.map((nic) => fabric.unplug(nic)))
    },
    repair: async (assignment, error, signal) => {
      if (!isStatus(error, 404, 500) || !/network .*not found|unable to find network/i.test(error.message)) return false
      networks.forget()
      for (const nic of assignment.nics) await networks.ensure(keyOf(assignment, nic), signal)
      return true
    },
    sweep: (mayRemove, signal) => {
      const inUse = ({ networkId, projectId }: DockerNetworkKey) => fabric.nics.isUsed(networkId, projectId)
      return networks.sweep(mayRemove ? inUse : null, signal)
    },
  }
}

/** Under which names others on the network find it: the short id is one, as with Docker itself. */
function namesOf({ id, name, spec }: Assignment, { networkId }: Nic): string[] {
  const given = spec.options?.aliases?.[networkId] ?? []
  return [...new Set([name, id.replaceAll('-', '').slice(0, 12), ...given])]
}

/** Further names for others, valid for this container alone. */
function linksOf({ spec }: Assignment): EndpointConfig {
  const { links = [] } = spec.options ?? {}
  if (links.length === 0) return {}
  return { Links: links.map(({ containerId, alias }) => `${engineName(containerId)}:${alias}`) }
}

/** Docker refuses it too, but from then on says that it is plugged. */
function checkSubnets({ nics }: Assignment, nic: Nic): void {
  const mine = new Set(nic.addresses.map(({ subnetId }) => subnetId))
  for (const { portId, addresses } of nics) {
    const shared = addresses.find(({ subnetId }) => mine.has(subnetId))
    if (portId !== nic.portId && shared) {
      throw new EngineError(
        409,
        `Port ${nic.portId} is of subnet ${shared.subnetId}, as another interface of the container.`,
      )
    }
  }
}

type Endpoint = NonNullable<ContainerInspect['NetworkSettings']['Networks']>[string]

export function dnsOf(fabric: Fabric, nic: Nic): string[] {
  if (nic.binding) return [...nic.binding.dnsServers]
  return (fabric.network(nic.networkId)?.subnets ?? []).flatMap(({ dnsServers }) => dnsServers)
}

/** Waits until the container's traffic may pass, at most `ms`. */
export async function untilPassing(
  fabric: Fabric,
  { nics }: Assignment,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  if (ms === 0) return
  await fabric.passing(nics, AbortSignal.any([signal, AbortSignal.timeout(ms)]))
  signal.throwIfAborted()
}
