import type { Control } from './control.ts'
import type { Deps } from './deps.ts'
import { activityLog } from './events/activity.ts'
import { createHub, watchScope } from './events/hub.ts'
import { type PolicyGrants, noGrants } from './policy/grants.ts'
import { policyVerbs } from './policy/judge.ts'
import { createReconciler, type Reconciler } from './reconcile/reconciler.ts'
import { attachVerb } from './usecases/attach.ts'
import { capsuleUseCases } from './usecases/capsules.ts'
import { createCatalogue } from './usecases/catalogue/catalogue.ts'
import { type SweepRounds, sweepRounds } from './usecases/catalogue/sweep-rounds.ts'
import { consoleVerbs } from './usecases/consoles.ts'
import { createContainer } from './usecases/create-container.ts'
import { deleteContainer } from './usecases/delete-container.ts'
import { requireAdminFor } from './usecases/find-container.ts'
import { engineImageUseCases } from './usecases/engine-images/engine-images.ts'
import { engineVerbs } from './usecases/engine-verbs.ts'
import { hostUseCases } from './usecases/hosts.ts'
import { imageUseCases } from './usecases/images/images.ts'
import { interactiveVerbs } from './usecases/interact.ts'
import { oneShotVerbs } from './usecases/one-shots.ts'
import { openStreams } from './usecases/open-streams.ts'
import { powerVerbs } from './usecases/power.ts'
import { quotaUseCases } from './usecases/quotas.ts'
import { readVerbs } from './usecases/read-containers.ts'
import { registryUseCases } from './usecases/registries.ts'
import { registryVerbs } from './usecases/registry/registry.ts'
import { specVerbs } from './usecases/update-container.ts'
import { networkVerbs, wiringVerbs } from './usecases/wiring.ts'

export type ControlParts = Omit<Deps, 'ring' | 'hub' | 'activity' | 'rules' | 'catalogue'> & {
  /** Absent: nothing is granted to anybody. */
  readonly grants?: PolicyGrants
}

/** Puts the core together. The reconciler's `reports` go to the relay, whose `links` come in here. */
export function createControl({ grants = noGrants, ...parts }: ControlParts): {
  control: Control
  reconciler: Reconciler
} {
  const policy = policyVerbs(grants)
  const catalogue = createCatalogue(parts)
  const rounds = sweepRounds(parts, catalogue)
  const base = { ...parts, catalogue, hub: createHub(), activity: activityLog(parts.clock), rules: policy }
  const reconciler = withRounds(createReconciler(base), rounds)
  const deps: Deps = { ...base, ring: reconciler.ring }
  const streams = openStreams()
  const control: Control = {
    containers: {
      create: (caller, input) => createContainer(deps, caller, input),
      delete: (caller, ref, options) => deleteContainer(deps, caller, ref, options),
      ...readVerbs(deps),
      ...powerVerbs(deps),
      ...specVerbs(deps),
      ...oneShotVerbs(deps),
      ...interactiveVerbs(deps, streams),
      ...attachVerb(deps, streams),
      ...wiringVerbs(deps),
    },
    images: imageUseCases(deps, streams),
    registry: registryVerbs(deps),
    hosts: hostUseCases(deps),
    quotas: quotaUseCases(deps),
    network: networkVerbs(deps),
    storage: deps.volumes,
    capsules: capsuleUseCases(deps),
    registries: registryUseCases(deps),
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
    },
  }
  return { control, reconciler }
}

/** Sweeps begin and end with it. */
function withRounds(reconciler: Reconciler, rounds: SweepRounds): Reconciler {
  return {
    ...reconciler,
    async recover() {
      await reconciler.recover()
      rounds.start()
    },
    async [Symbol.asyncDispose]() {
      await rounds[Symbol.asyncDispose]()
      await reconciler[Symbol.asyncDispose]()
    },
  }
}
