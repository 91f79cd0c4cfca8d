import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  type BlobStore,
  type Catalogue,
  defaultPolicy,
  type HostLinks,
  type Manifest,
  type Store,
  type Upstream,
} from '@gantry/control'
import { createCatalogue, unfaked } from '@gantry/control/testing'
import { randomIds } from '@gantry/kernel'
import type { Caller, Digest, ProjectId } from '@gantry/model'
import { embeddedBlobs } from '@gantry/providers-embedded'
import { createStore, openSqlite } from '@gantry/store'
import { sealedWith } from '../secrets.ts'

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
export const ociIndex = 'application/vnd.oci.image.index.v1+json'
export const layerType = 'application/vnd.oci.image.layer.v1.tar'
export const graceMs = 60_000

const silent = { info() {}, warn() {}, error() {} }

export interface ACatalogue extends AsyncDisposable {
  readonly catalogue: Catalogue
  readonly store: Store
  readonly blobs: BlobStore
  /** A test may move it. */
  readonly clock: { at: number; now(): number }
  readonly secrets: ReturnType<typeof sealedWith>
  /** A new process on the same database and the same folder. */
  restart(): Promise<void>
}

export interface CatalogueOptions {
  readonly upstream?: Partial<Upstream>
  readonly links?: HostLinks
  /** What lies between the catalogue and what it stands on. */
  readonly around?: (parts: { store: Store; blobs: BlobStore }) => { store: Store; blobs: BlobStore }
}

/** A catalogue on a database in memory and a blob store in a folder, both empty. Projects are called by their ids. */
export async function aCatalogue(options: CatalogueOptions = {}): Promise<ACatalogue> {
  const { around = (parts) => parts } = options
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const folder = await mkdtemp(join(tmpdir(), 'gantry-catalogue-'))
  const clock = { at: 1_700_000_000_000, now: () => (clock.at += 1) }
  const secrets = sealedWith(randomBytes(32))
  const nobody: HostLinks = { ...unfaked<HostLinks>('links'), connected: () => false }
  const start = async () => {
    const blobs = await embeddedBlobs({ folder, clock, log: silent })
    const catalogue = createCatalogue({
      ...around({ store, blobs }),
      links: options.links ?? nobody,
      upstream: { ...unfakedUpstream, ...options.upstream },
      namespaces: {
        projectOf: async (name) => name as ProjectId,
        namespaceOf: async (id) => id,
        userNameOf: async (id) => id,
      },
      registryDomains: ['127.0.0.1:9700'],
      secrets,
      clock,
      ids: randomIds,
      log: silent,
      policy: { ...defaultPolicy, imageGraceMs: graceMs },
    })
    return { blobs, catalogue }
  }
  let running = await start()
  return {
    get catalogue() {
      return running.catalogue
    },
    get blobs() {
      return running.blobs
    },
    store,
    clock,
    secrets,
    async restart() {
      running = await start()
    },
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const none = async () => {
  throw new Error('another registry was asked')
}
const unfakedUpstream: Upstream = {
  manifest: none,
  blob: none,
  hasBlob: none,
  putBlob: none,
  putManifest: none,
  logIn: none,
  search: none,
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text)
}

export function digestOf(content: string | Buffer): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
}

export interface MadeImage {
  readonly manifest: { readonly mediaType: string; readonly content: Buffer }
  readonly digest: Digest
  readonly config: string
  readonly configDigest: Digest
  readonly layers: readonly string[]
}

/** An image of these layers, whose files say `layers`; nothing of it is anywhere yet. */
export function makeImage(layers: readonly string[], architecture = 'amd64'): MadeImage {
  const diffIds = layers.map(digestOf)
  const config = JSON.stringify({ architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } })
  const descriptor = (mediaType: string, content: string) => ({
    mediaType,
    digest: digestOf(content),
    size: Buffer.byteLength(content),
  })
  const content = bytesOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map((layer) => descriptor(layerType, layer)),
    }),
  )
  const manifest = { mediaType: ociManifest, content }
  return { manifest, digest: digestOf(content), config, configDigest: digestOf(config), layers }
}

/** An index of images for these platforms. */
export function makeIndex(children: Readonly<Record<string, MadeImage>>) {
  const manifests = Object.entries(children).map(([platform, { digest, manifest }]) => {
    const [os, architecture, variant] = platform.split('/')
    return {
      mediaType: manifest.mediaType,
      digest,
      size: manifest.content.length,
      platform: { os, architecture, ...(variant !== undefined && { variant }) },
    }
  })
  const content = bytesOf(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }))
  return { manifest: { mediaType: ociIndex, content }, digest: digestOf(content) }
}

/** As a client of a registry does it: what the project has is not sent again. */
export async function pushImage(
  catalogue: Catalogue,
  caller: Caller,
  repo: string,
  image: MadeImage,
): Promise<Manifest> {
  for (const text of [image.config, ...image.layers]) {
    if (await catalogue.holdBlob(caller, digestOf(text))) continue
    await catalogue.addBlob(caller, Readable.from([bytesOf(text)]), AbortSignal.timeout(10_000), digestOf(text))
  }
  return catalogue.addManifest({ caller, repo }, image.manifest)
}
