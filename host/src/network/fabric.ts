import { backoff, reasonOf } from '@gantry/kernel'
import type { ContainerId, FabricPlan, GroupPlan, NetworkPlan, Nic, ProjectId, RouterPlan } from '@gantry/model'
import type { HostLog } from '../agent/host-log.ts'
import { EngineError } from '../engine/engine-error.ts'
import type { Binder } from './binding/binder.ts'
import { externalBridges } from './external-bridges.ts'
import { remoteGroups } from './group-rules.ts'
import { linkNames, namespaceIds } from './names.ts'
import { type NetworkSpace, networkSpace, removeNamespace } from './network-space.ts'
import { type NicRegistry, nicRegistry, type Touched } from './nic-registry.ts'
import { type RouterSpace, routerSpace } from './router-space.ts'
import type { NetTools } from './run-in.ts'

export interface FabricOptions {
  readonly tag: string
  readonly tools: NetTools
  readonly engineSpace: string
  readonly log: HostLog
  /** For the ports that Neutron has bound to this host. */
  readonly binder: Binder
}

/**
 * Every network, security group and router of this host in the kernel. It takes plans at once and carries them out in the
 * background; whoever needs something calls `plug`, which waits for it. All of it may be repeated, also by another process.
 */
export interface Fabric {
  readonly nics: NicRegistry
  take(plan: FabricPlan): void
  /** The ports of a container as its newest assignment names them. */
  setNics(container: ContainerId, projectId: ProjectId, nics: readonly Nic[]): void
  forgetNics(container: ContainerId): void
  network(id: string): NetworkPlan | undefined
  /** Makes a port ahead of its use, under its rules; leaves alone what is there. Rejects with an `EngineError`. */
  prepare(nic: Nic): Promise<void>
  /** Puts a port that nobody uses on its network, under its rules. Rejects with an `EngineError`. */
  plug(nic: Nic): Promise<void>
  taken(portId: string): void
  /** Resolves when traffic of these may pass, or that has taken too long. */
  passing(nics: readonly Nic[], signal: AbortSignal): Promise<void>
  unplug(nic: Pick<Nic, 'portId'> & Partial<Pick<Nic, 'networkId'>>): Promise<void>
  /** A session begins: what it names until `synced` is all there is, and the kernel is looked at anew. */
  begin(): void
  /** Takes down what the session did not name. */
  synced(): Promise<void>
  /** Tries nothing again any more; resolves when nothing is under way. */
  close(): Promise<void>
}

/** Half a minute, for what passes by itself: the kernel takes namespaces down in the background, slowly if there are many. */
const mostTries = 8
const pause = { baseMs: 200, maxMs: 15_000 }
/** How long Neutron's word on a port is waited for: Docker gives up after half a minute. Milliseconds. */
const bindingMs = 25_000

export function fabric({ tag, tools, engineSpace, log, binder }: FabricOptions): Fabric {
  const nics = nicRegistry()
  const networks = new Map<string, { plan: NetworkPlan; readonly space: NetworkSpace }>()
  const externals = new Map<string, NetworkPlan>()
  const groups = new Map<string, GroupPlan>()
  const routers = new Map<string, RouterSpace>()
  let named = new Set<string>()
  /** Plans of this session as they came. */
  const taken = new Map<string, string>()
  /** Of objects that may come back under the same id. */
  const removals = new Map<string, Promise<void>>()
  const underWay = new Set<Promise<unknown>>()

  /** Bound ports as they were plugged last, whose other end no engine has taken since. */
  const waiting = new Map<string, { readonly key: string; readonly waits: Promise<boolean> }>()

  const closing = new AbortController()

  const persist = async (what: string, id: string, task: () => Promise<unknown>): Promise<void> => {
    for (let attempt = 0; attempt < mostTries && !closing.signal.aborted; attempt += 1) {
      try {
        await task()
        return
      } catch (error) {
        log.warn({ [what]: id, attempt, reason: reasonOf(error) }, 'network work failed')
        await backoff(attempt, pause, closing.signal).catch(() => undefined)
      }
    }
  }
  const work = (what: string, id: string, task: () => Promise<unknown>): Promise<void> => {
    const mine = persist(what, id, task).finally(() => underWay.delete(mine))
    underWay.add(mine)
    return mine
  }
  const bridges = externalBridges({ tag, tools, engineSpace, plans: () => [...externals.values()] })

  const refreshRules = ({ networks: ids, groups: changed }: Touched) => {
    for (const [id, { space }] of networks) {
      if (ids.has(id) || asksFor(id, changed)) void work('network', id, () => space.refresh())
    }
  }
  /** Whether the rules of a network name members of one of these groups. */
  const asksFor = (networkId: string, changed: ReadonlySet<string>) =>
    nics.onNetwork(networkId).some((nic) =>
      nic.groups.some((group) => {
        const plan = groups.get(group)
        return changed.has(group) || (plan && remoteGroups(plan).some((remote) => changed.has(remote.id)))
      }),
    )

  const takeNetwork = (plan: NetworkPlan) => {
    if (plan.external) {
      externals.set(plan.id, plan)
      void work('network', plan.id, () => bridges.refresh())
      return
    }
    const known = networks.get(plan.id)
    if (known) {
      known.plan = plan
      known.space.take(plan)
      void work('network', plan.id, () => known.space.refresh())
      return
    }
    const rules = () => ({
      nics: nics.onNetwork(plan.id),
      group: (id: string) => groups.get(id),
      members: (id: string, version: 4 | 6) => nics.members(id, version),
    })
    const space = networkSpace({ tag, plan, tools, engineSpace, rules, after: afterRemoval(plan.id) })
    networks.set(plan.id, { plan, space })
    void work('network', plan.id, () => space.refresh())
  }

  const mtuOf = (id: string) => networks.get(id)?.plan.mtu ?? externals.get(id)?.mtu ?? 1500
  const externalBridge = async (id: string) => {
    await bridges.refresh()
    return linkNames.external(id)
  }

  const makeRouter = (plan: RouterPlan) =>
    routerSpace({
      tag,
      plan,
      tools,
      engineSpace,
      network: (id) => networks.get(id)?.space,
      mtuOf,
      externalBridge,
      after: afterRemoval(plan.id),
    })
  const afterRemoval = (id: string) => removals.get(id)

  const removeSpace = (what: string, id: string, space: { remove(): Promise<void> }) => {
    const done = work(what, id, () => space.remove()).finally(() => {
      if (removals.get(id) === done) removals.delete(id)
    })
    removals.set(id, done)
  }
  const removeObject = (id: string) => {
    taken.delete(id)
    groups.delete(id)
    const router = routers.get(id)
    routers.delete(id)
    if (router) removeSpace('router', id, router)
    const found = networks.get(id)
    networks.delete(id)
    if (found) removeSpace('network', id, found.space)
    if (externals.delete(id)) void work('network', id, () => bridges.refresh())
  }

  /** Not what this session has brought already: each container comes with the plans of all that it stands on. */
  const fresh = <T extends { readonly id: string }>(plans: readonly T[]): T[] =>
    plans.filter((plan) => {
      named.add(plan.id)
      const text = JSON.stringify(plan)
      if (taken.get(plan.id) === text) return false
      taken.set(plan.id, text)
      return true
    })

  const take = (plan: FabricPlan) => {
    for (const id of plan.gone) removeObject(id)
    const changed = { groups: fresh(plan.groups), networks: fresh(plan.networks), routers: fresh(plan.routers) }
    for (const group of changed.groups) groups.set(group.id, group)
    for (const each of changed.networks) takeNetwork(each)
    refreshRules({ networks: new Set(), groups: new Set(changed.groups.map(({ id }) => id)) })
    for (const each of changed.routers) {
      const known = routers.get(each.id)
      known?.take(each)
      if (!known) routers.set(each.id, makeRouter(each))
    }
    const ids = new Set<string>([...changed.networks, ...changed.routers].map(({ id }) => id))
    for (const [id, router] of routers) {
      const { interfaces, external } = router.plan
      const touched = [id, external?.networkId ?? '', ...interfaces.map(({ networkId }) => networkId)]
      if (touched.some((each) => ids.has(each))) void work('router', id, () => router.refresh())
    }
  }

  const removeStale = async () => {
    for (const id of [...networks.keys(), ...externals.keys(), ...groups.keys(), ...routers.keys()]) {
      if (!named.has(id)) removeObject(id)
    }
    const wanted = new Set<string>([...networks.keys(), ...routers.keys(), ...nics.containers()])
    for (const id of await namespaceIds(tag)) {
      if (!wanted.has(id) && !networks.has(id) && !routers.has(id)) await removeNamespace(tools, tag, id)
    }
    await bridges.refresh()
    const stray = (await binder.links()).filter((portId) => nics.of(portId) === undefined)
    for (const portId of stray) await binder.unplug({ portId })
    // What an agent before us had not finished.
    await Promise.all((await binder.loose()).map((portId) => rebind(nics.of(portId)?.nic)))
    await Promise.all([...networks.values()].map(({ space }) => space.tidy()))
  }

  /** Plugs a port that Neutron made, once it is known how. */
  const bind = async ({ portId }: Nic, how: 'plug' | 'prepare'): Promise<void> => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(bindingMs)])
    const isKnown = ({ binding }: Nic) => binding?.vif !== null || binding.problem !== undefined
    const { nic } = await nics.wait(portId, signal, isKnown).catch(() => {
      throw new EngineError(503, `Neutron has not said in time how port ${portId} is to be plugged.`)
    })
    const { mac, networkId, filtered, binding } = nic
    if (binding?.problem !== undefined) throw new EngineError(409, binding.problem)
    if (!binding?.vif) throw new EngineError(409, `Port ${portId} is not one of Neutron's any more.`)
    const port = { portId, networkId, mac, mtu: binding.mtu, vif: binding.vif, filtered }
    const key = JSON.stringify(port)
    const known = waiting.get(portId)
    if (known?.key === key && (await known.waits.catch(() => false))) return
    const waits = how === 'plug' ? binder.plug(port).then(() => true) : binder.prepare(port)
    waiting.set(portId, { key, waits })
    try {
      await waits
    } catch (error) {
      throw new EngineError(503, `Port ${portId} could not be plugged: ${reasonOf(error)}`)
    }
  }

  /** A port that is plugged already is to be as its newest assignment says. */
  const rebind = async (nic: Nic | undefined): Promise<void> => {
    if (!nic?.binding?.vif) return
    await bind(nic, 'prepare').catch((error: unknown) => {
      log.warn({ port: nic.portId, reason: reasonOf(error) }, 'port not plugged')
    })
  }
  /** What Neutron answered is not always what was expected of it, and a nic that waits for it has not been plugged. */
  const isMoved = ({ portId, binding }: Nic) => {
    const before = nics.of(portId)?.nic.binding?.vif
    return Boolean(before && binding?.vif) && JSON.stringify(before) !== JSON.stringify(binding?.vif)
  }

  const onNetwork = async (nic: Nic, task: (space: NetworkSpace) => Promise<void>) => {
    const found = networks.get(nic.networkId)
    if (!found) {
      const why = externals.has(nic.networkId) ? 'is external; use a floating IP' : 'is not known on this host'
      throw new EngineError(409, `Network ${nic.networkId} ${why}.`)
    }
    try {
      await task(found.space)
    } catch (error) {
      throw new EngineError(503, `Port ${nic.portId} could not be plugged: ${reasonOf(error)}`)
    }
  }

  return {
    nics,
    take,
    setNics: (container, projectId, wanted) => {
      const moved = wanted.filter(isMoved)
      refreshRules(nics.set(container, projectId, wanted))
      for (const nic of moved) void rebind(nic)
    },
    forgetNics: (container) => refreshRules(nics.forget(container)),
    network: (id) => networks.get(id)?.plan ?? externals.get(id),
    prepare: (nic) => (nic.binding ? bind(nic, 'prepare') : onNetwork(nic, (space) => space.prepare(nic))),
    plug: (nic) => (nic.binding ? bind(nic, 'plug') : onNetwork(nic, (space) => space.plug(nic))),
    taken: (portId) => {
      waiting.delete(portId)
      const owned = nics.of(portId)
      if (owned) networks.get(owned.nic.networkId)?.space.taken(portId)
    },
    passing: async (wanted, signal) => {
      await Promise.all(wanted.map(({ portId }) => binder.whenReady(portId, signal).catch(() => undefined)))
    },
    unplug: async ({ networkId, portId }) => {
      waiting.delete(portId)
      const own = networkId && networks.get(networkId)
      await (own ? own.space.unplug(portId) : binder.unplug({ portId }))
    },
    begin: () => {
      named = new Set()
      taken.clear()
      waiting.clear()
      for (const { space } of networks.values()) space.doubt()
    },
    synced: removeStale,
    close: async () => {
      closing.abort(new Error('the agent is closing'))
      binder.close()
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
