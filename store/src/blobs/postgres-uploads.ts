import { createHash, type Hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BlobStore, UploadId } from '@gantry/control'
import { BoundedMap, type Clock, Fault, SoleWork } from '@gantry/kernel'
import { type Digest, digestAlgorithm } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import { chunkSize, digestOfContent } from './chunks.ts'

/** An upload that is not finished yet. */
export interface Upload {
  readonly id: UploadId
  readonly content: string
  readonly received: number
}

interface Row {
  readonly content: string | null
  readonly received: number
  readonly done: string | null
}

/** The hash of what came so far, so that what one server took whole is not read again. */
interface Running {
  readonly hash: Hash
  readonly content: string
  size: number
}

const goodId = /^[a-z0-9][a-z0-9-]*$/

/** One thing at a time happens to each upload; what another server does to it meanwhile is found out at the next chunk. */
export class PostgresUploads {
  readonly #db: Kysely<Database>
  readonly #clock: Clock
  readonly #work = new SoleWork<UploadId, 'append' | 'finish'>()
  readonly #hashes = new BoundedMap<UploadId, Running>(1000)

  constructor(db: Kysely<Database>, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  async begin(id: UploadId): Promise<void> {
    requireGood(id)
    await sql`insert into blob_uploads (id, content, received, changed_at)
      values (${id}, gen_random_uuid()::text, 0, ${this.#clock.now()})
      on conflict (id) do update set content = coalesce(blob_uploads.content, excluded.content), changed_at = excluded.changed_at
    `.execute(this.#db)
  }

  async received(id: UploadId): Promise<number> {
    return (await this.#get(id)).received
  }

  async append(
    id: UploadId,
    body: Readable,
    { offset, limit }: Parameters<BlobStore['append']>[2],
    signal: AbortSignal,
  ): Promise<number> {
    return await this.#work.run(id, { kind: 'append', refusal: () => this.#refusal(id) }, async (stop) => {
      try {
        const upload = await this.#get(id)
        if (offset !== null && offset !== upload.received) throw outOfOrder(id, upload.received)
        return await this.#write(upload, body, limit, AbortSignal.any([signal, stop]))
      } catch (error) {
        throw stop.aborted ? unknown(id) : error
      }
    })
  }

  async #write(upload: Upload, body: Readable, limit: number, signal: AbortSignal): Promise<number> {
    const { id, content } = upload
    const running = this.#runningHash(upload)
    let position = upload.received
    let gathered: Buffer[] = []
    let waiting = 0
    const flush = async () => {
      if (waiting === 0) return
      const bytes = Buffer.concat(gathered)
      gathered = []
      waiting = 0
      await this.#keep({ id, content, received: position }, bytes)
      running?.hash.update(bytes)
      position += bytes.length
      if (running) running.size = position
    }
    try {
      await pipeline(
        body,
        async (source: AsyncIterable<Buffer>) => {
          for await (const chunk of source) {
            if (position + waiting + chunk.length > limit) throw new Fault('request.too-large', { limit })
            gathered.push(chunk)
            waiting += chunk.length
            if (waiting >= chunkSize) await flush()
          }
        },
        { signal },
      )
    } finally {
      await flush()
    }
    return position
  }

  #runningHash({ id, content, received }: Upload): Running | null {
    const known = this.#hashes.get(id)
    if (known?.content === content && known.size === received) return known
    if (received > 0) return null
    const begun = { hash: createHash('sha256'), content, size: 0 }
    this.#hashes.set(id, begun)
    return begun
  }

  /** In one statement: the bytes are there if and only if they are counted. */
  async #keep({ id, content, received }: Upload, bytes: Buffer): Promise<void> {
    const { rows } = await sql`with counted as (
        update blob_uploads set received = received + ${bytes.length}, changed_at = ${this.#clock.now()}
        where id = ${id} and content = ${content} and received = ${received} returning content
      )
      insert into blob_chunks (content, position, bytes) select content, ${received}, ${bytes} from counted
      returning position`.execute(this.#db)
    if (rows.length === 0) throw outOfOrder(id, await this.received(id))
  }

  /** Calls `place` with the upload if it is what `digest` says; what was placed before is told by `wasPlaced`. */
  async finish<T>(
    id: UploadId,
    digest: Digest,
    {
      place,
      wasPlaced,
    }: { readonly place: (upload: Upload) => Promise<T>; readonly wasPlaced: () => Promise<T | null> },
  ): Promise<T> {
    const terms = { kind: 'finish', waitsFor: 'finish', refusal: () => this.#refusal(id) } as const
    return await this.#work.run(id, terms, async () => {
      const row = await this.#row(id)
      if (row?.content == null) {
        const placed = row?.done === digest ? await wasPlaced() : null
        if (placed === null) throw unknown(id)
        return placed
      }
      const { content, received } = row
      const actual = await this.#digestOf({ id, content, received }, digestAlgorithm(digest))
      if (actual !== digest) throw new Fault('digest.mismatch', { digest, actual })
      const placed = await place({ id, content, received })
      this.#hashes.delete(id)
      return placed
    })
  }

  async #digestOf({ id, content, received }: Upload, algorithm: 'sha256' | 'sha512'): Promise<string> {
    const known = this.#hashes.get(id)
    if (algorithm === 'sha256' && known?.content === content && known.size === received) {
      return `sha256:${known.hash.copy().digest('hex')}`
    }
    return digestOfContent(this.#db, { content, size: received }, algorithm)
  }

  async abort(id: UploadId): Promise<void> {
    requireGood(id)
    await this.#work.stop(id)
    this.#hashes.delete(id)
    await sql`with gone as (delete from blob_uploads where id = ${id} returning content)
      delete from blob_chunks using gone where blob_chunks.content = gone.content`.execute(this.#db)
  }

  async #row(id: UploadId): Promise<Row | undefined> {
    const { rows } = await sql<Row>`select content, received, done from blob_uploads where id = ${id}`.execute(this.#db)
    return rows[0]
  }

  async #get(id: UploadId): Promise<Upload> {
    const row = await this.#row(id)
    if (row?.content == null) throw unknown(id)
    return { id, content: row.content, received: row.received }
  }

  async #refusal(id: UploadId): Promise<Fault> {
    return outOfOrder(id, await this.received(id))
  }
}

function requireGood(id: UploadId): void {
  if (!goodId.test(id)) throw unknown(id)
}

function unknown(id: UploadId): Fault {
  return new Fault('upload.unknown', { upload: id })
}

function outOfOrder(id: UploadId, received: number): Fault {
  return new Fault('upload.out-of-order', { upload: id, received })
}
