/** The tables of images and of what they are made of. */
export interface ImageDatabase {
  images: ImageRow
  image_members: ImageMemberRow
  image_policies: { project_id: string; keys: string }
  manifests: ManifestRow
  manifest_parts: ManifestPartRow
  manifest_holds: ManifestHoldRow
  blobs: BlobRow
  blob_holds: { project_id: string; digest: string; used_at: number }
  uploads: UploadRow
  layer_sizes: { diff_id: string; size: number }
  exchanged_images: ExchangedImageRow
}

export interface ImageRow {
  id: string
  project_id: string
  user_id: string | null
  name: string | null
  repo: string
  tag: string
  kind: string
  status: string
  visibility: string
  digest: string | null
  image_id: string | null
  size: number | null
  bytes: number | null
  pending_host: string | null
  pending_ref: string | null
  /** JSON. */
  glance: string
  created_at: number
  updated_at: number
}

export interface ImageMemberRow {
  image_id: string
  project_id: string
  status: string
  created_at: number
  updated_at: number
}

export interface ManifestRow {
  digest: string
  media_type: string
  artifact_type: string | null
  content: string
  size: number
  config: string | null
  config_digest: string | null
  subject: string | null
}

export interface ManifestPartRow {
  manifest: string
  position: number
  kind: string
  digest: string
  size: number
  media_type: string
  platform: string | null
}

export interface ManifestHoldRow {
  project_id: string
  repo: string
  digest: string
  user_id: string | null
  pushed_at: number
}

export interface BlobRow {
  digest: string
  size: number
  origin: string | null
  used_at: number
}

export interface UploadRow {
  id: string
  project_id: string
  repo: string
  user_id: string | null
  created_at: number
}

export interface ExchangedImageRow {
  id: string
  project_id: string
  origin: string
  state: string
  name: string
  hash: string | null
  created_at: number
}
