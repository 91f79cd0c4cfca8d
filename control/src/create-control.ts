import { aloneCluster, soleServer } from './cluster/alone.ts'
import { hostSessions } from './cluster/host-sessions.ts'
import type { Control } from './control.ts'
import type { Deps } from './deps.ts'
import { activityLog } from './events/activity.ts'
import { changeFeed } from './events/change-feed.ts'
import { eventRounds } from './events/event-rounds.ts'
import { hostLooks } from './events/host-looks.ts'
import { createHub, watchScope } from './events/hub.ts'
import { toldNetworks } from './events/told-networks.ts'
import { toldVolumes } from './events/told-volumes.ts'
import { type PolicyGrants, noGrants } from './policy/grants.ts'
import { policyVerbs } from './policy/judge.ts'
import { createSupply } from './supply/supply.ts'
import type { HostsOnDemand } from './supply/supply-parts.ts'
import { byRoles } from './policy/roles.ts'
import type { Cluster, ServerId } from './ports/cluster.ts'
import type { HostSessions } from './ports/host-sessions.ts'
import type { ImageExchange } from './ports/image-exchange.ts'
import { evacuateLost, type Fence } from './reconcile/evacuation.ts'
import { createReconciler, type Reconciler } from './reconcile/reconciler.ts'
import { attachVerb } from './usecases/attach.ts'
import { capsuleUseCases } from './usecases/capsules.ts'
import { createCatalogue } from './usecases/catalogue/catalogue.ts'
import { sweepRounds } from './usecases/catalogue/sweep-rounds.ts'
import { exchanged } from './usecases/exchange/exchange.ts'
import type { ExchangeRounds } from './usecases/exchange/exchange-rounds.ts'
import { consoleVerbs } from './usecases/consoles.ts'
import { createContainer } from './usecases/create-container.ts'
import { createContainers } from './usecases/create-many.ts'
import { rehearseCreate } from './usecases/rehearse-create.ts'
import { deleteContainer } from './usecases/delete-container.ts'
import { requireAdminFor } from './usecases/find-container.ts'
import { engineImageUseCases } from './usecases/engine-images/engine-images.ts'
import { engineVerbs } from './usecases/engine-verbs.ts'
import { hostsWithLimits, hostUseCases } from './usecases/hosts.ts'
import { imageUseCases } from './usecases/images/images.ts'
import { createPace } from './usecases/paced-calls.ts'
import { interactiveVerbs } from './usecases/interact.ts'
import { oneShotVerbs } from './usecases/one-shots.ts'
import { openStreams } from './usecases/open-streams.ts'
import { powerVerbs } from './usecases/power.ts'
import { quotaUseCases } from './usecases/quotas.ts'
import { auditVerbs } from './usecases/read-audit.ts'
import { readVerbs } from './usecases/read-containers.ts'
import { registryUseCases } from './usecases/registries.ts'
import { registryVerbs } from './usecases/registry/registry.ts'
import { drainHost, moveVerb } from './usecases/move-container.ts'
import { serverUseCases } from './usecases/servers.ts'
import { specVerbs } from './usecases/update-container.ts'
import { webhookVerbs } from './webhooks/webhook-verbs.ts'
import { networkVerbs, wiringVerbs } from './usecases/wiring.ts'

export type ControlParts = Omit<
  Deps,
  'ring' | 'pace' | 'hub' | 'activity' | 'rules' | 'catalogue' | 'cluster' | 'sessions' | 'supply'
> & {
  /** Absent: hosts only come by themselves. */
  readonly demand?: HostsOnDemand
  /** Absent: this server is the only one. */
  readonly cluster?: Cluster & AsyncDisposable
  /** Absent: made here. The links of several servers need it before. */
  readonly sessions?: HostSessions
  /** The image service of an OpenStack; absent: there is none, and the catalogue is all there is. */
  readonly imageExchange?: ImageExchange
  /** Absent: hosts are believed to keep their leases. */
  readonly fence?: Fence
  /** Absent: nothing is granted to anybody. */
  readonly grants?: PolicyGrants
}

/** Puts the core together. The reconciler's `reports` go to the relay, whose `links` come in here. */
export function createControl({ grants = noGrants, imageExchange, fence, demand, ...given }: ControlParts): {
  control: Control
  reconciler: Reconciler
} {
  const { cluster = aloneCluster({ ...soleServer, id: given.ids.uuid() as ServerId }, given.log) } = given
  const { sessions = hostSessions({ ...given, cluster }) } = given
  const parts = { ...given, cluster, sessions }
  const policy = policyVerbs(grants)
  const plain = createCatalogue(parts)
  const exchange = imageExchange && exchanged({ ...parts, exchange: imageExchange, catalogue: plain })
  const catalogue = exchange?.catalogue ?? plain
  const rounds = [sweepRounds(cluster, catalogue), ...(exchange ? [exchange.rounds] : [])]
  const plainBase = {
    ...parts,
    catalogue,
    hub: createHub(cluster, parts.clock),
    activity: activityLog(parts.clock, cluster),
    pace: createPace(parts.policy.streamRate, parts.clock),
    rules: policy,
  }
  const supply = demand && createSupply({ ...plainBase, demand })
  const base = { ...plainBase, ...(supply && { supply }) }
  const evacuation = {
    start: () => {
      if (parts.policy.evacuate === 'never') return
      cluster.lead('evacuation', (signal) => evacuateLost({ ...deps, fence: fence ?? null }, signal))
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  const reconciler = withRounds(createReconciler(base), [
    ...rounds,
    evacuation,
    eventRounds(base),
    ...(supply ? [supply] : []),
    cluster,
  ])
  const deps: Deps = { ...base, ring: reconciler.ring }
  deps.networks.remote?.onBound((container) => deps.ring({ kind: 'wish', container, rewired: true }))
  const streams = openStreams()
  const feed = changeFeed(
    deps.store,
    hostLooks(() => hostsWithLimits(deps), deps.clock),
  )
  const control: Control = {
    containers: {
      create: (caller, input) => createContainer(deps, caller, input),
      createMany: (caller, input, count) => createContainers(deps, caller, input, count),
      rehearse: (caller, input, count) => rehearseCreate(deps, caller, input, count),
      delete: (caller, ref, options) => deleteContainer(deps, caller, ref, options),
      ...readVerbs(deps),
      ...powerVerbs(deps),
      ...specVerbs(deps),
      ...moveVerb(deps),
      ...oneShotVerbs(deps),
      ...interactiveVerbs(deps, streams),
      ...attachVerb(deps, streams),
      ...wiringVerbs(deps),
    },
    images: imageUseCases(deps, streams),
    registry: registryVerbs(deps),
    hosts: {
      ...hostUseCases(deps),
      drain: (caller, ref, { lost = false } = {}) => drainHost(deps, caller, ref, lost),
    },
    servers: serverUseCases(deps),
    quotas: quotaUseCases(deps),
    network: deps.networks.remote ? toldNetworks(networkVerbs(deps), deps) : networkVerbs(deps),
    storage: deps.volumes.remote ? toldVolumes(deps.volumes, deps) : deps.volumes,
    capsules: capsuleUseCases(deps),
    registries: registryUseCases(deps),
    audit: auditVerbs(deps),
    webhooks: webhookVerbs(deps),
    consoles: consoleVerbs(deps, streams),
    engine: engineVerbs(deps, streams, policy),
    engineImages: engineImageUseCases(deps, streams),
    policy,
    activity: deps.activity,
    events: {
      watch(caller, options, signal) {
        requireAdminFor(caller, options.allProjects === true, 'Watching all projects')
        return deps.hub.watch(watchScope(caller, options.allProjects === true), signal)
      },
      changes: (...asked) => feed.read(...asked),
    },
  }
  return { control: byRoles(control), reconciler }
}

/** Sweeps begin and end with it, and what this server leads. */
function withRounds(
  reconciler: Reconciler,
  rounds: readonly (ExchangeRounds | AsyncDisposable | { start(): void })[],
): Reconciler {
  return {
    ...reconciler,
    async recover() {
      await reconciler.recover()
      for (const each of rounds) if ('start' in each) each.start()
    },
    async [Symbol.asyncDispose]() {
      for (const each of rounds) if (Symbol.asyncDispose in each) await each[Symbol.asyncDispose]()
      await reconciler[Symbol.asyncDispose]()
    },
  }
}
