import type { Clock, Ids } from '@gantry/kernel'
import type { Container, ContainerId, ProjectId } from '@gantry/model'
import type { ActivityLog } from './events/activity.ts'
import type { PolicyVerbs } from './engine-verbs.ts'
import type { Catalogue } from './catalogue.ts'
import type { BlobStore } from './ports/blob-store.ts'
import type { Namespaces } from './ports/namespaces.ts'
import type { Upstream } from './ports/upstream.ts'
import type { EventHub } from './events/hub.ts'
import type { Cluster } from './ports/cluster.ts'
import type { Supply } from './ports/compute.ts'
import type { Gauges } from './ports/gauges.ts'
import type { HostLinks } from './ports/hosts.ts'
import type { HostSessions } from './ports/host-sessions.ts'
import type { Log } from './ports/log.ts'
import type { NetworkProvider } from './ports/networks.ts'
import type { Secrets } from './ports/secrets.ts'
import type { Store } from './ports/store.ts'
import type { Pace } from './usecases/paced-calls.ts'
import type { WebhookSender } from './ports/webhook-sender.ts'
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
  /** `fill`: the oldest host until it is full; `spread`: the least loaded. */
  readonly placement: 'fill' | 'spread'
  /** At most so many containers on a host; null: as many as its resources allow. */
  readonly containersPerHost: number | null
  /** What of a lost host is made anew elsewhere: nothing, containers that are to heal themselves, or all that can leave. */
  readonly evacuate: 'never' | 'auto' | 'all'
  /** How long a host must have been lost for that. Its own containers have stopped by then. */
  readonly evacuateAfterSeconds: number
  /** How long records of the audit are kept, and how many at most; 0 days: none is written. */
  readonly auditDays: number
  readonly auditRows: number
  /** `members`: those of a project, but its mere readers, may read what is recorded of it. */
  readonly auditReaders: 'administrators' | 'members'
  /** How long what was written down of changes is kept, and how much of it at most. */
  readonly eventDays: number
  readonly eventRows: number
  /** The mark of a reader without whom none goes because of its age: it may be away for long. */
  readonly eventsReadBy: string | null
  /** Bytes a second, each way, of all streams of one project on this server; 0: any number. */
  readonly streamRate: number
  /** How long the actions of a container outlive it. */
  readonly actionDays: number
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
  placement: 'spread',
  containersPerHost: null,
  evacuate: 'never',
  evacuateAfterSeconds: 120,
  auditDays: 30,
  auditRows: 1_000_000,
  auditReaders: 'administrators',
  eventDays: 7,
  eventRows: 5_000_000,
  eventsReadBy: null,
  streamRate: 0,
  actionDays: 90,
  imageGraceMs: 60 * 60_000,
  uploadLifeMs: 24 * 60 * 60_000,
  tidyAfterMs: 30_000,
}

export interface Deps {
  readonly store: Store
  readonly links: HostLinks
  /** The servers that share the store. */
  readonly cluster: Cluster
  /** Which of them each host hangs on. */
  readonly sessions: HostSessions
  readonly networks: NetworkProvider
  readonly volumes: VolumeProvider
  readonly secrets: Secrets
  readonly blobs: BlobStore
  readonly upstream: Upstream
  readonly webhookSender: WebhookSender
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
  readonly pace: Pace
  /** What may be asked in the Engine API's words. */
  readonly rules: PolicyVerbs
  /** Hosts on demand; absent: there are only those that join by themselves. */
  readonly supply?: Supply
  /** Tells the reconciler that a container's wish changed; returns at once. */
  readonly ring: (change: Ring) => void
}

/** What a use case changed, so that the reconciler needs no second look at the store. */
export type Ring =
  /** `rewired`: its interfaces or volumes changed too, and its host must hear first what they stand on. */
  | { readonly kind: 'wish'; readonly container: Container; readonly rewired?: boolean }
  | { readonly kind: 'unplaced'; readonly id: ContainerId; readonly projectId: ProjectId }
  /** A host may take what it did not take before. */
  | { readonly kind: 'hosts' }
