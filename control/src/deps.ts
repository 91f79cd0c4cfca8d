import type { Clock, Ids } from '@gantry/kernel'
import type { Container, ContainerId } from '@gantry/model'
import type { ActivityLog } from './events/activity.ts'
import type { PolicyVerbs } from './engine-verbs.ts'
import type { Catalogue } from './catalogue.ts'
import type { BlobStore } from './ports/blob-store.ts'
import type { Namespaces } from './ports/namespaces.ts'
import type { Upstream } from './ports/upstream.ts'
import type { EventHub } from './events/hub.ts'
import type { Gauges } from './ports/gauges.ts'
import type { HostLinks } from './ports/hosts.ts'
import type { Log } from './ports/log.ts'
import type { NetworkProvider } from './ports/networks.ts'
import type { Secrets } from './ports/secrets.ts'
import type { Store } from './ports/store.ts'
import type { VolumeProvider } from './ports/volumes.ts'

/** How long things may take before they are called lost, and how far hosts are over-committed. */
export interface Policy {
  /** A host silent for longer is down: nothing is placed there and its containers become Unknown. Milliseconds. */
  readonly hostLostAfterMs: number
  /** How long a container waits for a first host before it becomes Error. Milliseconds. */
  readonly placementPatienceMs: number
  readonly cpuRatio: number
  readonly memoryRatio: number
  readonly diskRatio: number
  /** How long content that nobody holds any more stays, for pushes that are under way. Milliseconds. */
  readonly imageGraceMs: number
  /** How long an upload may go on before it is given up. Milliseconds. */
  readonly uploadLifeMs: number
  /** How long a host keeps networks that no container of its uses any more. Milliseconds. */
  readonly tidyAfterMs: number
}

/** Over-commit ratios as in Nova and Zun: 16 for cores, 1.5 for memory, 1 for disk. */
export const defaultPolicy: Policy = {
  hostLostAfterMs: 60_000,
  placementPatienceMs: 60_000,
  cpuRatio: 16,
  memoryRatio: 1.5,
  diskRatio: 1,
  imageGraceMs: 60 * 60_000,
  uploadLifeMs: 24 * 60 * 60_000,
  tidyAfterMs: 30_000,
}

export interface Deps {
  readonly store: Store
  readonly links: HostLinks
  readonly networks: NetworkProvider
  readonly volumes: VolumeProvider
  readonly secrets: Secrets
  readonly blobs: BlobStore
  readonly upstream: Upstream
  readonly namespaces: Namespaces
  /** Names under which clients reach the registry: `127.0.0.1:9700`. */
  readonly registryDomains: readonly string[]
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly gauges: Gauges
  readonly hub: EventHub
  readonly activity: ActivityLog
  readonly catalogue: Catalogue
  readonly policy: Policy
  /** What may be asked in the Engine API's words. */
  readonly rules: PolicyVerbs
  /** Tells the reconciler that a container's wish changed; returns at once. */
  readonly ring: (change: Ring) => void
}

/** What a use case changed, so that the reconciler needs no second look at the store. */
export type Ring =
  /** `rewired`: its interfaces or volumes changed too, and its host must hear first what they stand on. */
  | { readonly kind: 'wish'; readonly container: Container; readonly rewired?: boolean }
  | { readonly kind: 'unplaced'; readonly id: ContainerId }
  /** A host may take what it did not take before. */
  | { readonly kind: 'hosts' }
