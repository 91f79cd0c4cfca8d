import type { Digest, HostId, Image, ImageId, ImageMember, ImageVisibility, ProjectId, UserId } from '@gantry/model'
import type { UploadId } from './blob-store.ts'
import type { Scope } from './store.ts'

export interface ImageTables {
  readonly images: ImageTable
  readonly contents: ContentTable
  readonly uploads: UploadTable
  readonly imagePolicies: ImagePolicyTable
}

export type ImageChange = Partial<Omit<Image, 'id' | 'projectId' | 'createdAt'>>

/** Undefined: not asked for. */
export interface ImageQuery {
  /** Whose images: `own`, what `everybody` may see, what others `shared` with the project; absent: all that it sees. */
  readonly owners?: 'own' | 'public' | 'shared'
  readonly repo?: string
  readonly tag?: string
  readonly name?: string
  readonly digest?: Digest
  readonly imageId?: string
  readonly visibility?: ImageVisibility
  /** Members of this status only; `accepted` unless asked for. */
  readonly memberStatus?: ImageMember['status'] | 'all'
}

/** Names: what a project calls its contents. */
export interface ImageTable {
  /** Throws a duplicate as the other tables do when the project has an image of that repo and tag. */
  insert(image: Image): Promise<void>
  update(id: ImageId, change: ImageChange): Promise<void>
  get(id: ImageId): Promise<Image | undefined>
  /** In the order of their making. null scope: of every project. */
  list(scope: Scope, query?: ImageQuery): Promise<Image[]>
  /** A project's own image of that name first, then the newest public one. Only complete ones. */
  resolve(projectId: ProjectId, repo: string, tag: string): Promise<Image | undefined>
  countOf(projectId: ProjectId): Promise<number>
  /** Those whose content a host still has to give, oldest first. */
  pendingOn(hostId: HostId): Promise<Image[]>
  /** Of every project: whether any image is this of an engine's. */
  hasImageId(imageId: string): Promise<boolean>
  remove(id: ImageId): Promise<void>

  members(id: ImageId): Promise<ImageMember[]>
  setMember(member: ImageMember): Promise<void>
  removeMember(id: ImageId, projectId: ProjectId): Promise<boolean>
}

/** A manifest, once for the whole cloud. */
export interface Manifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly artifactType: string | null
  /** Its very bytes, as UTF-8. */
  readonly content: string
  /** Bytes of the manifest itself. */
  readonly size: number
  /** Of an image: its configuration as JSON, and the digest of that, which engines know it by; null for all else. */
  readonly config: string | null
  readonly configDigest: Digest | null
  /** The manifest that this one says something about (`subject`). */
  readonly subject: Digest | null
  readonly parts: readonly ManifestPart[]
}

export interface ManifestPart {
  readonly kind: 'blob' | 'manifest'
  readonly digest: Digest
  readonly size: number
  readonly mediaType: string
  /** Of a child of an index: `linux/amd64`, `linux/arm/v7`; null: not said. */
  readonly platform: string | null
}

/** That a manifest is in a repository of a project. `repo` empty: in none; only images without a name need it. */
export interface ManifestHold {
  readonly projectId: ProjectId
  readonly repo: string
  readonly digest: Digest
  readonly userId: UserId | null
  readonly pushedAt: number
}

/** Which content there is, and who holds it. Nothing here touches the blob store. */
export interface ContentTable {
  /** That the manifest is there already is no matter. */
  putManifest(manifest: Manifest): Promise<void>
  manifest(digest: Digest): Promise<Manifest | undefined>
  manifests(digests: readonly Digest[]): Promise<Manifest[]>
  /** Later pushes of the same renew it. */
  hold(hold: ManifestHold): Promise<void>
  holdOf(projectId: ProjectId, repo: string, digest: Digest): Promise<ManifestHold | undefined>
  release(projectId: ProjectId, repo: string, digest: Digest): Promise<void>
  /** Of one repository, or of all of the project's. */
  holds(projectId: ProjectId, repo?: string): Promise<ManifestHold[]>
  /** Names of the project's repositories that hold anything, in order. */
  repositories(projectId: ProjectId): Promise<string[]>
  /** Manifests held in that repository whose `subject` is this. */
  referrers(projectId: ProjectId, repo: string, subject: Digest): Promise<Manifest[]>
  /** Every manifest that is `digest`, or is a part of it, or of a part: at most three levels. */
  closure(digest: Digest): Promise<Manifest[]>
  /** Digests of manifests that are `digest`, or are made of it, directly or as an index; itself first, whether or not it is one. */
  above(digest: Digest): Promise<Digest[]>

  /** Writes that a blob is in the store, and that it was just asked for. */
  addBlob(blob: {
    readonly digest: Digest
    readonly size: number
    readonly origin: string | null
    readonly at: number
  }): Promise<void>
  blob(
    digest: Digest,
  ): Promise<{ readonly size: number; readonly origin: string | null; readonly usedAt: number } | undefined>
  /** All that there are. */
  blobs(): Promise<Digest[]>
  /** The project has it, and just asked for it. */
  holdBlob(projectId: ProjectId, digest: Digest, at: number): Promise<void>
  hasBlob(projectId: ProjectId, digest: Digest): Promise<boolean>
  /**
   * Whether an image that the project may see (its own, public, or shared with it) is made of this blob or manifest, directly or
   * as an index.
   */
  isVisible(projectId: ProjectId, digest: Digest): Promise<boolean>
  releaseBlob(projectId: ProjectId, digest: Digest): Promise<void>
  /**
   * Blobs of the project that no manifest it holds is made of, and no image's data, last asked for before `usedBefore`.
   */
  idleBlobs(projectId: ProjectId, usedBefore: number): Promise<Digest[]>
  /** Bytes: of the blobs and manifests that the project holds, each counted once. */
  bytesOf(projectId: ProjectId): Promise<number>
  /** Projects that hold anything. */
  holders(): Promise<ProjectId[]>

  /** Manifests that nobody holds, that are no part of one that is held, and that no container runs: all, or those of `among`. */
  unheldManifests(among?: Iterable<Digest>): Promise<Digest[]>
  removeManifest(digest: Digest): Promise<void>
  /** Blobs that no project holds, no container's image is made of, last asked for before `usedBefore`. */
  unheldBlobs(usedBefore: number): Promise<Digest[]>
  /**
   * Takes the blob out of the catalogue if that is still so; false: somebody has asked for it since. What was taken out must be
   * removed from the store before anybody may add it again.
   */
  removeBlob(digest: Digest, usedBefore: number): Promise<boolean>
  /** Unpacked bytes of layers, by their diff id, as engines count them. */
  setLayerSizes(layers: readonly { readonly diffId: Digest; readonly size: number }[]): Promise<void>
  /** null: of one of them nobody knows. */
  layerSizes(diffIds: readonly Digest[]): Promise<number[] | null>
}

export interface Upload {
  readonly id: UploadId
  readonly projectId: ProjectId
  readonly repo: string
  readonly userId: UserId | null
  readonly createdAt: number
}

export interface UploadTable {
  insert(upload: Upload): Promise<void>
  get(id: UploadId): Promise<Upload | undefined>
  remove(id: UploadId): Promise<void>
  /** Begun before. */
  stale(before: number): Promise<Upload[]>
  ofProject(projectId: ProjectId): Promise<Upload[]>
}

/** What a project demands of the images that it runs. */
export interface ImagePolicyTable {
  /** PEM of the public keys by one of which an image must be signed; none: it need not be. */
  keysOf(projectId: ProjectId): Promise<readonly string[]>
  setKeys(projectId: ProjectId, keys: readonly string[]): Promise<void>
}
