import type { Readable } from 'node:stream'
import type { Caller, Digest, GlanceFields, HostId, Image, ImageId, ImageSource, ProjectId } from '@gantry/model'
import type { Elsewhere } from './elsewhere.ts'
import type { ByteRange, UploadId } from './ports/blob-store.ts'
import type { Manifest, ManifestPart } from './ports/image-tables.ts'
import type { Tables } from './ports/store.ts'
import type { UpstreamLogin } from './ports/upstream.ts'

/** A name as a user of the Docker API writes it, taken apart: `tag` may be a digest, `repo` may begin with a registry's domain. */
export interface ImageName {
  readonly repo: string
  readonly tag: string
}

/** Who holds content, and in which repository (without its namespace; empty: none). */
export interface Holder {
  readonly caller: Caller
  readonly repo: string
}

/** What a fetch or a transfer tells as it goes, of one blob. */
export interface BlobProgress {
  readonly digest: Digest
  readonly state: 'waiting' | 'moving' | 'present' | 'done'
  /** Bytes. */
  readonly current: number
  readonly total: number | null
}

/** Property of images that were pulled, and are not the project's own work: the name by which they came. */
export const pulledFrom = 'pulled_from'

export interface NamingOptions {
  readonly glance?: Partial<GlanceFields>
  /** Glance's name, when it is not `repo:tag`. */
  readonly displayName?: string | null
  readonly visibility?: Image['visibility']
  /** An entry of the project's without content, which this becomes; it keeps its id. One that has content by now stays as it is. */
  readonly row?: ImageId
  /** Of a fresh entry. */
  readonly id?: ImageId
}

/** What a sweep freed. `bytes`: of blobs. */
export interface Swept {
  readonly manifests: number
  readonly blobs: number
  readonly bytes: number
}

/**
 * Images as content under names: the one place where content comes in, is named, and is let go. Everything that makes or moves
 * images (the registry, Glance's API, the Docker API, commits, builds, pulls) is written with it. Quotas are enforced here.
 */
export interface Catalogue {
  /** Keeps what `body` gives, for the project. `digest`: what it must be. Throws `digest.mismatch`, `quota.exceeded`. */
  addBlob(
    caller: Caller,
    body: Readable,
    signal: AbortSignal,
    digest?: Digest,
  ): Promise<{ readonly digest: Digest; readonly size: number }>
  /**
   * What was uploaded in pieces becomes a blob that the project holds, and its row of `uploads` goes. Throws `digest.mismatch`
   * (the upload stays), `quota.exceeded`, `upload.unknown`.
   */
  keepUpload(caller: Caller, id: UploadId, digest: Digest): Promise<{ readonly digest: Digest; readonly size: number }>
  /**
   * The project has this blob from now on, and just asked for it, if it has it already or may see an image that is made of it.
   * null: it may not, or the blob is not in the store. Throws `quota.exceeded`.
   */
  holdBlob(caller: Caller, digest: Digest): Promise<{ readonly size: number } | null>
  /** For whom it is, the caller has judged. Throws `blob.unknown`, `blob.corrupt`. */
  openBlob(digest: Digest, range?: ByteRange): Promise<{ readonly size: number; readonly body: Readable }>
  /** The whole of a small one (a configuration); throws `request.too-large` above 8 MiB. */
  readBlob(digest: Digest): Promise<Buffer>
  /**
   * Checks a manifest and holds it. Its parts must be the project's or in images that it may see, else
   * `manifest.blob-unknown`; with `partial`, an index may lack some of its manifests. Throws `manifest.invalid`, `quota.exceeded`.
   */
  addManifest(
    holder: Holder,
    manifest: { readonly mediaType: string; readonly content: Buffer },
    options?: { readonly partial?: boolean },
  ): Promise<Manifest>
  /** Throws `manifest.unknown`. */
  manifest(digest: Digest): Promise<Manifest>
  /** The image itself: of an index, that of the platform on which containers run here. null: it holds none. */
  runnable(digest: Digest): Promise<Manifest | null>

  /**
   * `name` means this content from now on, in the caller's project; null: it has no name. What the name meant before keeps its
   * other names, or stays without one. A name that moves keeps its visibility and members. Content that is so named
   * already stays as it is.
   */
  nameImage(caller: Caller, name: ImageName | null, digest: Digest, options?: NamingOptions): Promise<Image>
  /** The same within a transaction that is under way. */
  nameImageIn(
    tables: Tables,
    caller: Caller,
    name: ImageName | null,
    digest: Digest,
    options?: NamingOptions,
  ): Promise<Image>
  /** Takes names away; content that nobody needs any more goes with them, from the store and from hosts. */
  dropImages(images: readonly Image[]): Promise<void>
  /**
   * The image that a name, or a digest, means to the project: its own; a public one; `namespace/repo:tag` or
   * `<domain of ours>/namespace/repo:tag` of another project that lets it see it. null: none.
   */
  find(caller: Caller, name: ImageName): Promise<Image | null>

  /**
   * Brings an image of another registry here and holds it, in no repository; what is here already is not fetched again, and
   * several that ask for the same blob at once wait for one fetch. Does not name it: what nobody names goes with a later
   * sweep. Throws what `Upstream` does, and `quota.exceeded`.
   */
  fetch(
    caller: Caller,
    name: ImageName,
    login: UpstreamLogin | null,
    progress: (told: BlobProgress) => void,
    signal: AbortSignal,
  ): Promise<Manifest>
  /** Brings an image that is here to another registry, as `to`. */
  send(
    caller: Caller,
    digest: Digest,
    to: ImageName,
    login: UpstreamLogin | null,
    progress: (told: BlobProgress) => void,
    signal: AbortSignal,
  ): Promise<Manifest>

  /** How a host reads this content, for as long as it likes. */
  readSource(hostId: HostId, manifest: Pick<Manifest, 'digest' | 'configDigest'>): ImageSource
  /** How a host gets an image through us from another registry, for this project. `sealedLogin`: see `Container.sealedRegistryAuth`. */
  upstreamSource(hostId: HostId, projectId: ProjectId, name: ImageName, sealedLogin: string | null): ImageSource
  /** How a host gives us an image, within an hour: what it pushes there the caller's project holds, without a name. */
  writeSource(hostId: HostId, caller: Caller): ImageSource

  /**
   * Frees what nobody needs, on hosts too, and mends what a kill left half done. Runs by itself now and then; only one at a
   * time.
   */
  sweep(signal: AbortSignal): Promise<Swept>
  /** A host that was away hears which of the copies it keeps are of images that were let go meanwhile. Rejects with nothing it says. */
  tellHost(hostId: HostId, signal: AbortSignal): Promise<void>

  readonly elsewhere: Elsewhere
}

/** Layers of an image, the lowest first. */
export function layersOf(manifest: Pick<Manifest, 'parts' | 'configDigest'>): readonly ManifestPart[] {
  return manifest.parts.filter(({ kind, digest }) => kind === 'blob' && digest !== manifest.configDigest)
}
