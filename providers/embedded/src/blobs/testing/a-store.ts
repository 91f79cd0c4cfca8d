import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { BlobStore, ByteRange, UploadId } from '@gantry/control'
import { type Digest, parseDigest } from '@gantry/model'
import { openPostgres, postgresBlobs } from '@gantry/store'
import { newDatabase } from '@gantry/store/testing'
import { embeddedBlobs } from '../embedded-blobs.ts'

/** A store in a folder of its own, which goes with it. */
export interface AStore extends AsyncDisposable {
  readonly folder: string
  blobs: BlobStore
  /** Messages of the log. */
  readonly told: string[]
  /** As after the end of a process: on the same folder. */
  restart(): Promise<void>
}

/** `postgres`: the URL of one to keep it in instead. */
export async function aStore(postgres?: string): Promise<AStore> {
  if (postgres !== undefined) return onPostgres(postgres)
  const folder = await mkdtemp(join(tmpdir(), 'gantry-blobs-'))
  const told: string[] = []
  const log = { info: () => undefined, warn: () => undefined, error: (_: object, text: string) => void told.push(text) }
  const made = () => embeddedBlobs({ folder, clock: { now: () => Date.now() }, log })
  const store: AStore = {
    folder,
    blobs: await made(),
    told,
    restart: async () => {
      store.blobs = await made()
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
  return store
}

async function onPostgres(url: string): Promise<AStore> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const db = await openPostgres(await newDatabase(url))
  const made = () => postgresBlobs({ db, clock: { now: () => Date.now() }, log })
  const store: AStore = {
    folder: '',
    blobs: made(),
    told: [],
    restart: async () => {
      store.blobs = made()
    },
    [Symbol.asyncDispose]: () => db.destroy(),
  }
  return store
}

export const noLimit = { offset: null, limit: Number.MAX_SAFE_INTEGER }
export const never = new AbortController().signal

export function uploadId(text: string): UploadId {
  return text as UploadId
}

export function digestOf(content: Buffer, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(content).digest('hex')}`)
  if (!digest) throw new Error('no digest')
  return digest
}

/** `content` as a blob, by one upload. */
export async function put(blobs: BlobStore, content: Buffer, id = digestOf(content).slice(-20)): Promise<Digest> {
  const digest = digestOf(content)
  await blobs.begin(uploadId(id))
  await blobs.append(uploadId(id), Readable.from([content]), { ...noLimit, offset: 0 }, never)
  await blobs.finish(uploadId(id), digest)
  return digest
}

export async function contentOf(blobs: BlobStore, digest: Digest, range?: ByteRange): Promise<Buffer> {
  const { body } = await blobs.open(digest, range)
  return await buffer(body)
}

export function blobPath({ folder }: Pick<AStore, 'folder'>, digest: Digest): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  return join(folder, 'blobs', algorithm, hex.slice(0, 2), hex)
}
