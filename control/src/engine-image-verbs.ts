import type { Readable } from 'node:stream'
import type { Caller, ContainerId } from '@gantry/model'
import type { UpstreamFound } from './ports/upstream.ts'

type Json = Readonly<Record<string, unknown>>

/** A login at a registry; never logged. null: nobody's. */
export type RegistryLogin = { readonly domain: string; readonly username: string; readonly password: string } | null

/** An image of the project's, or one that it sees, with the names under which it knows it. */
export interface ProjectImage {
  /** `sha256:…`, the engine's. */
  readonly imageId: string
  /** `repo:tag`. None: it has lost its name. */
  readonly names: readonly string[]
  /** `repo@sha256:…`. */
  readonly digests: readonly string[]
  /** Bytes. */
  readonly size: number
  /** Epoch milliseconds: when it came here. */
  readonly createdAt: number
}

export interface ImageListing extends ProjectImage {
  /** As an engine would list it; null: it was taken away in this moment. */
  readonly found: Json | null
}

/** Values of one key are alternatives, but all labels must fit. Absent: not asked for. */
export interface ImageFilters {
  /** `repo`, `repo:tag`, with `*`. */
  readonly reference?: readonly string[]
  readonly dangling?: boolean
  readonly labels?: (labels: Readonly<Record<string, string>>) => boolean
  /** Images that are older, or newer, than these. */
  readonly before?: readonly string[]
  readonly since?: readonly string[]
  /** Epoch milliseconds. */
  readonly until?: number
}

/** In the order in which it happened. */
export type RemovedImage = { readonly untagged: string } | { readonly deleted: string }

export interface CommitRequest {
  /** null: it gets no name. */
  readonly repo: string | null
  readonly tag: string
  readonly author: string
  readonly comment: string
  /** Lines of a Dockerfile. */
  readonly changes: readonly string[]
  readonly pause: boolean
  /** The Engine API's container config; empty: the container's own. */
  readonly config: Json
}

export interface BuildRequest {
  readonly dockerfile: string
  /** `repo:tag` or `repo`. */
  readonly names: readonly string[]
  readonly target: string
  readonly buildArgs: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly extraHosts: readonly string[]
  readonly noCache: boolean
  readonly quiet: boolean
  /** Try for newer images of FROM even if there are some. */
  readonly pull: boolean
  /** Cores and MiB; null: the usual of a container. */
  readonly cpu: number | null
  readonly memory: number | null
  /** Bytes; 0: the engine's default. */
  readonly shmSize: number
  /** One of the project's; null: its own. `none`: no network. */
  readonly network: string | null
  /** Logins by the registry's domain. */
  readonly logins: readonly NonNullable<RegistryLogin>[]
}

/**
 * Images as users of the Docker API know them. `name`: `repo`, `repo:tag`, `repo@sha256:…`, an id or the beginning of one; of what
 * others share with the project `namespace/repo:tag`. What the project does not see is `image.not-found`. Streams are an engine's
 * progress: JSON objects, errors among them.
 */
export interface EngineImages {
  /** The newest first. `all`: true for those without a name that others are made of, too. */
  list(caller: Caller, options?: { readonly all?: boolean; readonly filters?: ImageFilters }): Promise<ImageListing[]>
  inspect(caller: Caller, name: string): Promise<ProjectImage & { readonly found: Json }>
  history(caller: Caller, name: string): Promise<Json[]>
  /** What a new container's `spec.image` must be to run it. */
  resolve(caller: Caller, name: string): Promise<{ readonly image: string; readonly imageId: string }>
  /** Throws `registry.refused` and the like for what fails at once. */
  pull(
    caller: Caller,
    request: { readonly repo: string; readonly tag: string; readonly login: RegistryLogin },
    signal: AbortSignal,
  ): Promise<Readable>
  push(caller: Caller, name: string, login: RegistryLogin, signal: AbortSignal): Promise<Readable>
  tag(caller: Caller, name: string, as: { readonly repo: string; readonly tag: string }): Promise<void>
  /** Throws `image.conflict` in an engine's words while something needs it. */
  remove(caller: Caller, name: string, options: { readonly force: boolean }): Promise<RemovedImage[]>
  save(caller: Caller, names: readonly string[], signal: AbortSignal): Promise<Readable>
  load(caller: Caller, tar: Readable, options: { readonly quiet: boolean }, signal: AbortSignal): Promise<Readable>
  /** A tar of a file system. Answers the image's id. `repo` null: it gets no name. */
  import(
    caller: Caller,
    tar: Readable,
    request: {
      readonly repo: string | null
      readonly tag: string
      readonly message: string
      readonly changes: readonly string[]
    },
    signal: AbortSignal,
  ): Promise<string>
  /** Answers the image's id once it is complete. */
  commit(caller: Caller, ref: string, request: CommitRequest): Promise<string>
  build(caller: Caller, context: Readable, request: BuildRequest, signal: AbortSignal): Promise<Readable>
  /** Those that no container uses: without a name, or all (`dangling` false). */
  prune(
    caller: Caller,
    filters: ImageFilters,
  ): Promise<{ readonly removed: readonly RemovedImage[]; readonly reclaimed: number }>
  search(caller: Caller, term: string, limit: number): Promise<UpstreamFound[]>
  /** `status`: the registry's word for yes. */
  registryLogin(caller: Caller, login: RegistryLogin): Promise<{ readonly status: string; readonly token: string }>
  distribution(caller: Caller, name: string, login: RegistryLogin): Promise<Json>
}

/** What uses an image. */
export interface ImageUse {
  readonly id: ContainerId
  readonly running: boolean
}
