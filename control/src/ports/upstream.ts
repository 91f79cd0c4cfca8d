import type { Readable } from 'node:stream'
import type { Digest } from '@gantry/model'

/** A login at a registry; never logged. */
export interface UpstreamLogin {
  readonly username: string
  readonly password: string
}

/** A repository of another registry. `domain` empty: Docker Hub's (`docker.io`). */
export interface UpstreamRepository {
  readonly domain: string
  /** As the registry's API has it: `library/busybox`. */
  readonly path: string
}

export interface UpstreamManifest {
  readonly mediaType: string
  readonly digest: Digest
  /** Its bytes, whose digest is as said. */
  readonly content: Buffer
}

export interface UpstreamFound {
  readonly name: string
  readonly description: string
  readonly official: boolean
  readonly automated: boolean
  readonly stars: number
}

/**
 * Asks other registries, from where the server stands. Throws `registry.unreachable`, `registry.login` (a login is needed, or this one
 * is not taken) and `registry.refused` (there is no such thing, or another refusal, in the registry's words). Connects to no address
 * that `mayConnect` forbids, whatever a name resolves to.
 */
export interface Upstream {
  /** `reference`: a tag or a digest. */
  manifest(
    repository: UpstreamRepository,
    reference: string,
    login: UpstreamLogin | null,
    signal: AbortSignal,
  ): Promise<UpstreamManifest>
  /** Not verified: whoever stores it does. */
  blob(
    repository: UpstreamRepository,
    digest: Digest,
    login: UpstreamLogin | null,
    signal: AbortSignal,
  ): Promise<{ readonly size: number | null; readonly body: Readable }>
  hasBlob(
    repository: UpstreamRepository,
    digest: Digest,
    login: UpstreamLogin | null,
    signal: AbortSignal,
  ): Promise<boolean>
  /** In one piece. `open` may be called again when the registry breaks off. */
  putBlob(
    repository: UpstreamRepository,
    blob: { readonly digest: Digest; readonly size: number; readonly open: () => Promise<Readable> },
    login: UpstreamLogin | null,
    signal: AbortSignal,
  ): Promise<void>
  putManifest(
    repository: UpstreamRepository,
    reference: string,
    manifest: UpstreamManifest,
    login: UpstreamLogin | null,
    signal: AbortSignal,
  ): Promise<void>
  /** Whether the registry takes this login: its word for yes. */
  logIn(domain: string, login: UpstreamLogin, signal: AbortSignal): Promise<string>
  /** By the old index's `/v1/search`; empty where the registry has none. */
  search(domain: string, term: string, limit: number, signal: AbortSignal): Promise<UpstreamFound[]>
}
