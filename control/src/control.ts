import type { Readable } from 'node:stream'
import type {
  Action,
  ActionEvent,
  Caller,
  Capsule,
  CapsuleId,
  CapsuleStatus,
  Container,
  ContainerId,
  ContainerSpec,
  Host,
  HostId,
  Image,
  Nic,
  ProjectId,
  QuotaMap,
  Registry,
  RequestId,
} from '@gantry/model'
import type { CallReply, PathStat, Stats } from '@gantry/wire'
import type { EngineImages } from './engine-image-verbs.ts'
import type { EngineVerbs, PolicyVerbs } from './engine-verbs.ts'
import type { ImageVerbs } from './image-verbs.ts'
import type { RegistryVerbs } from './registry-verbs.ts'
import type { WebhookVerbs } from './webhooks/webhook-verbs.ts'
import type { AuditVerbs } from './usecases/read-audit.ts'
import type { PlacementAnswer } from './usecases/explain-placement.ts'
import type { ActivityLog } from './events/activity.ts'
import type { ChangePage, ChangeWatch } from './events/change-feed.ts'
import type { Instance } from './ports/instance-table.ts'
import type { Member } from './ports/cluster.ts'
import type { NetRequest, NetworkVerbs } from './ports/networks.ts'
import type { ContainerCounts, ContainerQuery } from './ports/store.ts'
import type { MountRequest, VolumeVerbs } from './ports/volumes.ts'

/**
 * Everything a façade may ask for. The first argument of each call is who asks; what another project owns is answered
 * with `container.not-found`. A `ref` is an id or a name. Refusals are `Fault`s.
 */
export interface Control {
  readonly containers: Containers
  readonly images: ImageVerbs
  readonly registry: RegistryVerbs
  readonly hosts: Hosts
  readonly servers: Servers
  readonly quotas: Quotas
  readonly events: Events
  readonly webhooks: WebhookVerbs
  readonly audit: AuditVerbs
  readonly network: NetworkVerbs
  readonly storage: VolumeVerbs
  readonly capsules: Capsules
  readonly registries: Registries
  readonly consoles: Consoles
  readonly engine: EngineVerbs
  readonly engineImages: EngineImages
  readonly policy: PolicyVerbs
  readonly activity: Pick<ActivityLog, 'watch' | 'note'>
}

/** null or absent name: one is made up. */
export interface NewContainer {
  readonly name: string | null
  readonly spec: ContainerSpec
  /** Start it once it is created. */
  readonly run: boolean
  /** undefined or empty: the project's own network. */
  readonly nets?: readonly NetRequest[]
  /** In no network at all; `nets` does not count. */
  readonly unplugged?: boolean
  /** `container.name-taken` when another of the project has that name. */
  readonly uniqueName?: boolean
  /** undefined: the project's group `default`. */
  readonly groups?: readonly string[]
  readonly mounts?: readonly MountRequest[]
  /** A registry's id or name: where the image is pulled from. */
  readonly registry?: string
}

export interface ContainerPatch {
  readonly name?: string
  readonly cpu?: number
  readonly memory?: number
  readonly autoHeal?: boolean
  readonly restartPolicy?: ContainerSpec['restartPolicy']
  readonly options?: ContainerSpec['options']
}

export interface RefOptions {
  /** Look in every project; administrators only. */
  readonly allProjects?: boolean
}

export interface ListContainers extends ContainerQuery {
  readonly allProjects: boolean
}

export interface DeleteOptions extends RefOptions {
  /** Administrators only. */
  readonly force: boolean
  readonly stop: boolean
  /** Seconds that `stop` gives its processes; 10 unless told. */
  readonly graceSeconds?: number
}

export interface LogOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly timestamps: boolean
  readonly follow: boolean
  readonly tail: number | null
  /** Epoch seconds. */
  readonly since: number | null
  readonly until?: number | null
  readonly details?: boolean
}

export interface ExecRequest {
  readonly command: string[]
  readonly environment: Record<string, string>
  readonly workdir: string | null
  readonly user: string | null
  readonly tty: boolean
  /** null: the command gets no stdin. */
  readonly input: Readable | null
}

export interface ExecStream {
  readonly execId: string
  /** Frames; the last one is of kind `end` with `{"exitCode":n}` (see wire's `FrameDecoder`). */
  readonly output: Readable
}

export interface LogStream {
  /** true: frames of stdout and stderr; false: a terminal's raw bytes. */
  readonly framed: boolean
  readonly output: Readable
}

/** Names that go with an interface. */
export interface EndpointNames {
  /** Beside its own, for others to find it by on this network. */
  readonly aliases: readonly string[]
  /** Further names under which it finds others. */
  readonly links: readonly { readonly containerId: ContainerId; readonly alias: string }[]
}

export interface Containers {
  create(caller: Caller, input: NewContainer): Promise<Container>
  /** So many alike (1 to 1000), or none of them; `web` makes `web-1`, `web-2` … */
  createMany(caller: Caller, input: NewContainer, count: number): Promise<Container[]>
  /** Throws what the create of `count` (1 to 1000) would throw, else answers with the first as it would be; makes nothing. */
  rehearse(caller: Caller, input: NewContainer, count: number): Promise<Container>
  list(caller: Caller, query: ListContainers): Promise<Container[]>
  /** How many of the project there are in which status. */
  counts(caller: Caller, options: Pick<RefOptions, 'allProjects'>): Promise<ContainerCounts>
  get(caller: Caller, ref: string, options?: RefOptions): Promise<Container>
  /** Those of the project whose id without dashes begins with these hex digits, at most two. */
  withIdPrefix(caller: Caller, digits: string): Promise<Container[]>
  /**
   * Resolves as soon as `done` says so of the container as it is after a change (or now), or it is no more: then with
   * `gone` and its last state.
   */
  until(
    caller: Caller,
    id: ContainerId,
    done: (container: Container) => boolean,
    signal: AbortSignal,
  ): Promise<{ readonly container: Container; readonly gone: boolean; readonly exitCode: number | null }>
  update(caller: Caller, ref: string, patch: ContainerPatch): Promise<Container>
  delete(caller: Caller, ref: string, options: DeleteOptions): Promise<void>
  start(caller: Caller, ref: string): Promise<Container>
  stop(caller: Caller, ref: string, options: { graceSeconds: number }): Promise<Container>
  reboot(caller: Caller, ref: string, options: { graceSeconds: number }): Promise<Container>
  pause(caller: Caller, ref: string): Promise<Container>
  unpause(caller: Caller, ref: string): Promise<Container>
  /**
   * `signal`: any spelling that `kill -l` knows, or a number; invalid ones are `request.invalid`. Answers before it is
   * delivered, unless `wait`.
   */
  kill(caller: Caller, ref: string, signal: string, options?: { readonly wait?: boolean }): Promise<Container>
  rebuild(
    caller: Caller,
    ref: string,
    options: { image?: string; imageDriver?: 'docker' | 'glance' },
  ): Promise<Container>
  /**
   * Makes it anew on another host, with its volumes and addresses; a container of a capsule brings the whole capsule along.
   * `lost`: its host is known not to run any more, and is not waited for. Administrators only. `volume.bound` if it cannot leave.
   */
  move(caller: Caller, ref: string, options?: { readonly to?: string; readonly lost?: boolean }): Promise<Container>
  /** `unique`: `container.name-taken` when another of the project has that name. */
  rename(caller: Caller, ref: string, name: string, options?: { readonly unique?: boolean }): Promise<Container>

  /** Plugs it into one more network or port. `network.attached` when it is on that network already. */
  attachNetwork(caller: Caller, ref: string, net: NetRequest, names?: EndpointNames): Promise<Container>
  /** By network or port, id or name. `network.not-attached` when it is not on it. */
  detachNetwork(caller: Caller, ref: string, from: { network: string } | { port: string }): Promise<Container>
  addSecurityGroup(caller: Caller, ref: string, group: string): Promise<Container>
  removeSecurityGroup(caller: Caller, ref: string, group: string): Promise<Container>

  /** The container's own terminal or output, from now on; a fresh one's from its start. Several may attach at once. */
  attach(caller: Caller, ref: string, input: Readable | null, signal: AbortSignal): Promise<LogStream>

  logs(caller: Caller, ref: string, options: LogOptions, signal: AbortSignal): Promise<LogStream>
  exec(caller: Caller, ref: string, request: ExecRequest, signal: AbortSignal): Promise<ExecStream>
  resizeExec(caller: Caller, ref: string, execId: string, size: { rows: number; columns: number }): Promise<void>
  resizeTty(caller: Caller, ref: string, size: { rows: number; columns: number }): Promise<void>
  top(caller: Caller, ref: string, psArgs: string | null): Promise<CallReply<'top'>>
  stats(caller: Caller, ref: string): Promise<Stats>
  getArchive(caller: Caller, ref: string, path: string, signal: AbortSignal): Promise<{ stat: PathStat; tar: Readable }>
  putArchive(
    caller: Caller,
    ref: string,
    path: string,
    tar: Readable,
    signal: AbortSignal,
    options?: { readonly noOverwriteDirNonDir: boolean; readonly copyUidGid: boolean },
  ): Promise<void>
  /** Saves the container as image `repository:tag` of the caller's project. Answers before the image is complete. */
  commit(caller: Caller, ref: string, repository: string, tag: string): Promise<Image>

  /** Newest first. */
  actions(caller: Caller, ref: string): Promise<Action[]>
  action(caller: Caller, ref: string, requestId: RequestId): Promise<{ action: Action; events: ActionEvent[] }>
}

/** All but `explain` and `availabilityZones` are for administrators only. */
export interface Hosts {
  list(caller: Caller): Promise<Host[]>
  /** By id or name. */
  get(caller: Caller, ref: string): Promise<Host>
  enable(caller: Caller, ref: string): Promise<Host>
  disable(caller: Caller, ref: string, reason: string | null): Promise<Host>
  forceDown(caller: Caller, ref: string, down: boolean): Promise<Host>
  /** Disables it and moves away what can leave it; answers before that has happened. `lost` as with a container's `move`. */
  drain(caller: Caller, ref: string, options?: { readonly lost?: boolean }): Promise<Moving>
  /** Forgets a host that is not connected and holds no containers. */
  remove(caller: Caller, ref: string): Promise<void>
  /** What speaks against each host for this container, as if it were on none. Its owner is told how many hosts refuse it why. */
  explain(caller: Caller, container: string): Promise<PlacementAnswer>
  availabilityZones(caller: Caller): Promise<string[]>
  /** Those that were made on demand, oldest first. */
  instances(caller: Caller): Promise<InstanceListing[]>
}

export interface InstanceListing extends Instance {
  /** On its host. */
  readonly containers: number
}

/** The servers that share the store, for administrators. */
export interface Servers {
  list(caller: Caller): Promise<ServerListing[]>
}

export interface ServerListing extends Member {
  /** Of those that hang on it. */
  readonly hosts: readonly HostId[]
  /** The one that answers. */
  readonly isThis: boolean
}

export interface Moving {
  readonly moving: readonly Container[]
  readonly staying: readonly { readonly container: Container; readonly reason: string }[]
}

export interface Quotas {
  /** Own project, or any for an administrator. */
  get(caller: Caller, projectId: ProjectId): Promise<{ limits: QuotaMap; used: QuotaMap }>
  defaults(caller: Caller, projectId: ProjectId): Promise<QuotaMap>
  /** Administrators only from here. */
  set(caller: Caller, projectId: ProjectId, limits: Partial<QuotaMap>): Promise<QuotaMap>
  clear(caller: Caller, projectId: ProjectId): Promise<void>
  getClass(caller: Caller, name: string): Promise<QuotaMap>
  setClass(caller: Caller, name: string, limits: Partial<QuotaMap>): Promise<QuotaMap>
}

export interface NewCapsule {
  /** null: one is made up. */
  readonly name: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly restartPolicy: Capsule['restartPolicy']
  readonly availabilityZone: string | null
  readonly containers: readonly CapsuleContainer[]
  readonly initContainers: readonly CapsuleContainer[]
  readonly nets?: readonly NetRequest[]
  readonly groups?: readonly string[]
}

/** `spec.restartPolicy`, `spec.availabilityZone` and the like are the capsule's to say. */
export interface CapsuleContainer {
  readonly spec: ContainerSpec
  readonly mounts: readonly MountRequest[]
}

/** A capsule and its containers, the sandbox left out, in the template's order. */
export interface CapsuleView {
  readonly capsule: Capsule
  readonly status: CapsuleStatus
  readonly statusReason: string | null
  readonly hostName: string | null
  readonly nics: readonly Nic[]
  readonly containers: readonly Container[]
  readonly initContainers: readonly Container[]
}

export interface Capsules {
  create(caller: Caller, input: NewCapsule): Promise<CapsuleView>
  list(
    caller: Caller,
    query: { readonly allProjects: boolean; readonly limit: number; readonly marker: CapsuleId | null },
  ): Promise<CapsuleView[]>
  get(caller: Caller, ref: string, options?: RefOptions): Promise<CapsuleView>
  /** Whatever its status: it goes, with all that is in it. */
  delete(caller: Caller, ref: string, options?: RefOptions): Promise<void>
}

export interface NewRegistry {
  /** null: the domain. */
  readonly name: string | null
  readonly domain: string
  readonly username: string | null
  readonly password: string | null
}

export interface Registries {
  create(caller: Caller, input: NewRegistry): Promise<Registry>
  list(caller: Caller, options?: RefOptions): Promise<Registry[]>
  get(caller: Caller, ref: string): Promise<Registry>
  update(caller: Caller, ref: string, change: Partial<NewRegistry>): Promise<Registry>
  delete(caller: Caller, ref: string): Promise<void>
}

/** What a console shows: the container's own terminal, or a command that was made ready. */
export type ConsoleTarget =
  | { readonly kind: 'attach' }
  | { readonly kind: 'exec'; readonly command: readonly string[]; readonly tty: boolean }

/** Interactive sessions for clients that bring no login of their own: a token that opens one, once, soon. */
export interface Consoles {
  /** Checks as `attach` or `exec` would. `execId` is null for the container's own terminal. */
  open(
    caller: Caller,
    ref: string,
    target: ConsoleTarget,
  ): Promise<{ token: string; containerId: ContainerId; execId: string | null }>
  /** Throws `console.refused` for a token that is unknown, used, expired or of another container. */
  connect(
    session: { readonly token: string; readonly containerId: string; readonly execId: string | null },
    input: Readable,
    signal: AbortSignal,
  ): Promise<LogStream>
}

/** Something that happened, as watchers see it. */
export interface ContainerEvent {
  /** Epoch milliseconds. */
  readonly at: number
  readonly kind: 'container'
  readonly id: ContainerId
  readonly name: string
  readonly projectId: ProjectId
  readonly status: Container['status']
  readonly statusReason: string | null
  readonly exitCode: number | null
  /** What its health check found last; left out where it has none. */
  readonly health?: 'starting' | 'healthy' | 'unhealthy'
  /** It is no more. */
  readonly gone: boolean
}

export interface Events {
  /**
   * Changes of the caller's project (of all projects for an administrator with `allProjects`), from now on, until the
   * signal is aborted. A reader that falls far behind is cut off with an error rather than fed from an unbounded buffer.
   */
  watch(caller: Caller, options: RefOptions, signal: AbortSignal): AsyncIterable<ContainerEvent>
  /**
   * What was written down of all changes, from a cursor on, in order and without gaps, whichever server is asked. `events.gone` when
   * what follows the cursor is too old to be kept.
   */
  changes(caller: Caller, watch: ChangeWatch, signal: AbortSignal): AsyncGenerator<ChangePage>
}
