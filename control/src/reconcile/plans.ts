import { reasonOf } from '@gantry/kernel'
import type { Container, FabricPlan, HostId, Mount, VolumePlan } from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { FabricChange } from '../ports/networks.ts'

/** Tells hosts what to build beside containers: networks and volumes. Holds nothing that cannot be asked for again. */
export interface Plans {
  /** Everything for a host that connects. From now on it is told of changes. */
  snapshot(hostId: HostId): Promise<{ fabric: readonly FabricPlan[]; volumes: readonly VolumePlan[] }>
  /** Everything once more, for a host that may have missed a change. */
  refresh(hostId: HostId): Promise<void>
  /** It went away; its next connection brings everything. */
  left(hostId: HostId): void
  /** What a container stands on; then, before anything else is told, `assign`. */
  tellFor(container: Container, assign: () => void): Promise<void>
  /** Runs `task` once the host has heard the plans that are on their way to it by now; at once when there are none. */
  afterPlans(hostId: HostId, task: () => void): void
  /** A container is gone from its host: what was made for it goes, and soon the networks that nobody uses there. */
  afterGone(hostId: HostId, mounts: readonly Mount[]): void
  close(): void
}

type PlanDeps = Pick<Deps, 'links' | 'networks' | 'volumes' | 'log' | 'policy' | 'cluster' | 'sessions'>

/** Ids of changed objects in one note. */
const idsInNote = 50

/**
 * For one host, reading the store and telling take turns, so that a plan that was read earlier is never told later; a stale
 * one would take back what a newer one has built.
 */
export function createPlans(deps: PlanDeps): Plans {
  const { fabric } = deps.networks
  const { source } = deps.volumes
  /** Ids of all networks, groups and routers that a connected host was told of. */
  const told = new Map<HostId, Set<string>>()
  const queues = new Map<HostId, Promise<unknown>>()
  const tidying = new Map<HostId, NodeJS.Timeout>()

  const inTurn = <T>(hostId: HostId, task: () => Promise<T>): Promise<T> => {
    const mine = (queues.get(hostId) ?? Promise.resolve()).then(task, task)
    queues.set(hostId, mine)
    const done = () => {
      if (queues.get(hostId) === mine) queues.delete(hostId)
    }
    mine.then(done, done)
    return mine
  }

  const inBackground = (hostId: HostId, what: string, task: () => Promise<void>): void => {
    inTurn(hostId, task).catch((error: unknown) => {
      deps.log.error(
        { host: hostId, task: what, reason: reasonOf(error) },
        'host was not told; its next connection brings it',
      )
    })
  }

  const tellFabric = (hostId: HostId, plan: FabricPlan): void => {
    const known = told.get(hostId)
    if (!known || isEmpty(plan)) return
    for (const id of idsOf(plan)) known.add(id)
    for (const id of plan.gone) known.delete(id)
    deps.links.tell(hostId, { kind: 'fabric', plan })
  }

  const tellVolumes = (hostId: HostId, plans: readonly VolumePlan[]): void => {
    if (!told.has(hostId)) return
    for (const plan of plans) deps.links.tell(hostId, { kind: 'volume', plan })
  }

  const tidy = async (hostId: HostId): Promise<void> => {
    const known = told.get(hostId)
    if (!fabric || !known) return
    const wanted = new Set((await fabric.ofHost(hostId)).flatMap(idsOf))
    const gone = [...known].filter((id) => !wanted.has(id))
    if (gone.length > 0) tellFabric(hostId, { networks: [], groups: [], routers: [], gone })
  }

  const spread = async (change: FabricChange): Promise<void> => {
    if (!fabric || told.size === 0) return
    for (const hostId of await fabric.hostsOf(change)) {
      if (!told.has(hostId)) continue
      inBackground(hostId, 'network change', async () => tellFabric(hostId, await fabric.ofChange(hostId, change)))
    }
  }

  const spreadSoon = (change: FabricChange): void => {
    spread(change).catch((error: unknown) => {
      deps.log.error({ reason: reasonOf(error) }, 'hosts were not told of a network change')
    })
  }
  fabric?.onChange((change) => {
    for (const piece of piecesOf(change)) deps.cluster.tell({ kind: 'fabric', change: piece })
    spreadSoon(change)
  })
  source?.onChange((hostId, plan) => {
    if (deps.sessions.held(hostId) === null) deps.cluster.tell({ kind: 'volume', hostId, id: plan.id })
    else inBackground(hostId, 'volume change', async () => tellVolumes(hostId, [plan]))
  })
  deps.cluster.onNote((note) => {
    if (note.kind === 'fabric') spreadSoon(note.change)
    if (note.kind !== 'volume' || !source || !told.has(note.hostId)) return
    const { hostId, id } = note
    inBackground(hostId, 'volume change', async () => tellVolumes(hostId, await source.ofOne(hostId, id)))
  })

  const tidyLater = (hostId: HostId): void => {
    if (!fabric || tidying.has(hostId) || !told.has(hostId)) return
    const timer = setTimeout(() => {
      tidying.delete(hostId)
      inBackground(hostId, 'unused networks', () => tidy(hostId))
    }, deps.policy.tidyAfterMs)
    timer.unref()
    tidying.set(hostId, timer)
  }

  return {
    snapshot: (hostId) =>
      inTurn(hostId, async () => {
        const pieces = (await fabric?.ofHost(hostId)) ?? []
        const volumes = (await source?.ofHost(hostId)) ?? []
        // A host may connect again within a session; what it was told before may have to be taken down.
        told.set(hostId, new Set([...(told.get(hostId) ?? []), ...pieces.flatMap(idsOf)]))
        return { fabric: pieces, volumes }
      }),
    refresh: (hostId) =>
      inTurn(hostId, async () => {
        if (!told.has(hostId)) return
        for (const plan of (await fabric?.ofHost(hostId)) ?? []) tellFabric(hostId, plan)
        tellVolumes(hostId, (await source?.ofHost(hostId)) ?? [])
        tidyLater(hostId)
      }),
    left(hostId) {
      told.delete(hostId)
      clearTimeout(tidying.get(hostId))
      tidying.delete(hostId)
    },
    async tellFor({ hostId, nics, mounts }, assign) {
      if (hostId === null) return
      await inTurn(hostId, async () => {
        if (fabric && nics.length > 0) tellFabric(hostId, await fabric.ofNics(nics))
        if (source && mounts.length > 0) tellVolumes(hostId, await source.ofMounts(mounts, hostId))
        assign()
      })
    },
    afterPlans(hostId, task) {
      if (!queues.has(hostId)) return task()
      inBackground(hostId, 'assignment', async () => task())
    },
    afterGone(hostId, mounts) {
      if (source && mounts.some(({ kind }) => kind === 'volume')) {
        inBackground(hostId, 'volumes of a removed container', async () =>
          tellVolumes(hostId, await source.ofMounts(mounts, hostId)),
        )
      }
      tidyLater(hostId)
    },
    close() {
      for (const timer of tidying.values()) clearTimeout(timer)
    },
  }
}

function idsOf({ networks, groups, routers }: FabricPlan): string[] {
  return [...networks, ...groups, ...routers].map(({ id }) => id)
}

/** Each small enough for a note. What they name is looked at in the store, so the order does not matter. */
function piecesOf({ networks, groups, routers }: FabricChange): FabricChange[] {
  const pieces: FabricChange[] = []
  const most = Math.max(networks.length, groups.length, routers.length)
  for (let start = 0; start < most; start += idsInNote) {
    const of = <T>(ids: readonly T[]) => ids.slice(start, start + idsInNote)
    pieces.push({ networks: of(networks), groups: of(groups), routers: of(routers) })
  }
  return pieces
}

function isEmpty(plan: FabricPlan): boolean {
  return idsOf(plan).length === 0 && plan.gone.length === 0
}
