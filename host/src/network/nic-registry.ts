import type { ContainerId, Nic, ProjectId } from '@gantry/model'

export interface OwnedNic {
  readonly nic: Nic
  readonly container: ContainerId
  readonly projectId: ProjectId
  /** Place among the interfaces of its container; 0 is the primary one. */
  readonly index: number
}

/** The ports of this host's containers, as their assignments name them. */
export interface NicRegistry {
  /** Replaces what was known of the container; answers with the networks and groups whose rules that may change. */
  set(container: ContainerId, projectId: ProjectId, nics: readonly Nic[]): Touched
  forget(container: ContainerId): Touched
  of(portId: string): OwnedNic | undefined
  onNetwork(networkId: string): Nic[]
  members(groupId: string, version: 4 | 6): Iterable<string>
  /** Resolves when the port is known, and is as `isFit` wants it; rejects when the signal is aborted. */
  wait(portId: string, signal: AbortSignal, isFit?: (nic: Nic) => boolean): Promise<OwnedNic>
  /** Also those that have no port at present. */
  containers(): Iterable<ContainerId>
  ofContainer(id: ContainerId): Nic[]
  /** Whether a container of the project has, or is to have, an interface on the network. */
  isUsed(networkId: string, projectId: ProjectId): boolean
}

export interface Touched {
  readonly networks: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

export function nicRegistry(): NicRegistry {
  const byContainer = new Map<ContainerId, readonly OwnedNic[]>()
  const byPort = new Map<string, OwnedNic>()
  const byNetwork = new Map<string, Map<string, Nic>>()
  const byGroup = new Map<string, Map<string, Nic>>()
  const waiting = new Map<string, Set<(nic: OwnedNic) => boolean>>()

  const add = (owned: OwnedNic) => {
    const { nic } = owned
    byPort.set(nic.portId, owned)
    inner(byNetwork, nic.networkId).set(nic.portId, nic)
    for (const group of nic.groups) inner(byGroup, group).set(nic.portId, nic)
    const queue = waiting.get(nic.portId) ?? new Set()
    for (const resume of queue) if (resume(owned)) queue.delete(resume)
    if (queue.size === 0) waiting.delete(nic.portId)
  }
  const remove = ({ nic, container }: OwnedNic) => {
    // A port that another container has got meanwhile is that one's.
    if (byPort.get(nic.portId)?.container !== container) return
    byPort.delete(nic.portId)
    drop(byNetwork, nic.networkId, nic.portId)
    for (const group of nic.groups) drop(byGroup, group, nic.portId)
  }
  const set = (container: ContainerId, projectId: ProjectId, nics: readonly Nic[]): Touched => {
    const before = byContainer.get(container) ?? []
    byContainer.set(container, before)
    const touched = { networks: new Set<string>(), groups: new Set<string>() }
    if (JSON.stringify(before.map(({ nic }) => nic)) === JSON.stringify(nics)) return touched
    for (const owned of before) remove(owned)
    const after = nics.map((nic, index): OwnedNic => ({ nic, container, projectId, index }))
    for (const owned of after) add(owned)
    byContainer.set(container, after)
    for (const { nic } of [...before, ...after]) {
      touched.networks.add(nic.networkId)
      for (const group of nic.groups) touched.groups.add(group)
    }
    return touched
  }

  return {
    set,
    forget: (container) => {
      const touched = set(container, '' as ProjectId, [])
      byContainer.delete(container)
      return touched
    },
    of: (portId) => byPort.get(portId),
    onNetwork: (networkId) => [...(byNetwork.get(networkId)?.values() ?? [])],
    members: function* (groupId, version) {
      for (const { addresses } of byGroup.get(groupId)?.values() ?? []) {
        for (const each of addresses) if (each.version === version) yield each.address
      }
    },
    wait: (portId, signal, isFit = () => true) => {
      const known = byPort.get(portId)
      if (known && isFit(known.nic)) return Promise.resolve(known)
      const { promise, resolve, reject } = Promise.withResolvers<OwnedNic>()
      const queue = waiting.get(portId) ?? new Set()
      const resume = (owned: OwnedNic) => {
        if (!isFit(owned.nic)) return false
        resolve(owned)
        return true
      }
      waiting.set(portId, queue.add(resume))
      const leave = () => {
        queue.delete(resume)
        if (queue.size === 0 && waiting.get(portId) === queue) waiting.delete(portId)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave()
      return promise.finally(() => signal.removeEventListener('abort', leave))
    },
    containers: () => byContainer.keys(),
    ofContainer: (id) => (byContainer.get(id) ?? []).map(({ nic }) => nic),
    isUsed: (networkId, projectId) => {
      const ports = byNetwork.get(networkId)?.keys() ?? []
      return [...ports].some((portId) => byPort.get(portId)?.projectId === projectId)
    },
  }
}

function inner(outer: Map<string, Map<string, Nic>>, key: string): Map<string, Nic> {
  const found = outer.get(key) ?? new Map<string, Nic>()
  outer.set(key, found)
  return found
}

function drop(outer: Map<string, Map<string, Nic>>, key: string, portId: string): void {
  const found = outer.get(key)
  found?.delete(portId)
  if (found?.size === 0) outer.delete(key)
}
