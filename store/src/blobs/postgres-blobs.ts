import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { BlobStore, ByteRange, Log, UploadId } from '@gantry/control'
import { type Clock, Fault } from '@gantry/kernel'
import { type Digest, digestAlgorithm } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import { digestOfContent, readChunks } from './chunks.ts'
import { PostgresUploads, type Upload } from './postgres-uploads.ts'

export interface PostgresBlobsOptions {
  /** A PostgreSQL. */
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly log: Log
}

/** Up to here the whole of a blob is checked before its first byte is given out: an error can still be told. Bytes. */
const smallBlob = 1 << 20
/** How long readers may go on with what was removed. Milliseconds. */
const readOnMs = 60 * 60_000

interface FileRow {
  readonly content: string
  readonly size: number
}

/** Blobs in the database that all servers share, in chunks: nothing but that database is to be kept and copied. */
export function postgresBlobs({ db, clock, log }: PostgresBlobsOptions): BlobStore {
  const uploads = new PostgresUploads(db, clock)

  const fileOf = async (digest: Digest): Promise<FileRow | null> => {
    const { rows } = await sql<FileRow>`select content, size from blob_files where digest = ${digest}`.execute(db)
    return rows[0] ?? null
  }

  const setAside = async (digest: Digest, { content }: FileRow): Promise<void> => {
    await sql`with gone as (delete from blob_files where digest = ${digest} and content = ${content} returning content)
      insert into blob_dropped (content, dropped_at) select content, ${clock.now()} from gone`.execute(db)
    log.error({ digest }, 'a stored blob does not fit its digest any more and was set aside')
  }

  /** Throws `blob.corrupt` in place of the end if the whole is not what it should be. */
  async function* checked(digest: Digest, file: FileRow): AsyncGenerator<Buffer> {
    const algorithm = digestAlgorithm(digest)
    const hash = createHash(algorithm)
    for await (const bytes of readChunks(db, { content: file.content, start: 0, end: file.size })) {
      hash.update(bytes)
      yield bytes
    }
    if (`${algorithm}:${hash.digest('hex')}` === digest) return
    await setAside(digest, file)
    throw new Fault('blob.corrupt', { digest })
  }

  const bodyOf = async (digest: Digest, file: FileRow, range: ByteRange | undefined): Promise<Readable> => {
    if (range) {
      return Readable.from(readChunks(db, { content: file.content, start: range.start, end: range.end + 1 }), bytesOnly)
    }
    const whole = checked(digest, file)
    if (file.size > smallBlob) return Readable.from(whole, bytesOnly)
    return Readable.from(await Array.fromAsync(whole), bytesOnly)
  }

  const place = async (digest: Digest, { id, content, received }: Upload): Promise<{ size: number }> => {
    const now = clock.now()
    await db.transaction().execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${digest}, 0))`.execute(transaction)
      await sql`insert into blob_dropped (content, dropped_at)
        select content, ${now} from blob_files where digest = ${digest} and content <> ${content}
        on conflict (content) do nothing`.execute(transaction)
      await sql`insert into blob_files (digest, content, size, changed_at) values (${digest}, ${content}, ${received}, ${now})
        on conflict (digest) do update set content = excluded.content, size = excluded.size, changed_at = excluded.changed_at
      `.execute(transaction)
      await sql`update blob_uploads set content = null, received = 0, done = ${digest}, changed_at = ${now}
        where id = ${id} and content = ${content}`.execute(transaction)
    })
    return { size: received }
  }

  return {
    async stat(digest) {
      const file = await fileOf(digest)
      return file && { size: file.size }
    },
    async open(digest, range) {
      const file = await fileOf(digest)
      if (!file) throw new Fault('blob.unknown', { digest })
      const { size } = file
      if (range && (range.start < 0 || range.end >= size)) {
        throw new Fault('request.invalid', { problem: `The content has ${size} bytes, and no such range of them.` })
      }
      return { size, body: await bodyOf(digest, file, range) }
    },
    begin: (id) => uploads.begin(id),
    received: (id) => uploads.received(id),
    append: (id, body, options, signal) => uploads.append(id, body, options, signal),
    abort: (id) => uploads.abort(id),
    async finish(id, digest) {
      const wasPlaced = async () => {
        const file = await fileOf(digest)
        return file && { size: file.size }
      }
      return await uploads.finish(id, digest, { place: (upload) => place(digest, upload), wasPlaced })
    },
    async remove(digest) {
      await sql`with gone as (delete from blob_files where digest = ${digest} returning content)
        insert into blob_dropped (content, dropped_at) select content, ${clock.now()} from gone
        on conflict (content) do nothing`.execute(db)
    },
    async *blobs() {
      await forgetDropped(db, clock.now() - readOnMs)
      const { rows } = await sql<{ digest: Digest; size: number; changedAt: number }>`
        select digest, size, changed_at as "changedAt" from blob_files`.execute(db)
      yield* rows
    },
    async *uploads() {
      const { rows } = await sql<{ id: UploadId; changedAt: number }>`
        select id, changed_at as "changedAt" from blob_uploads`.execute(db)
      yield* rows
    },
    async verify(digest, signal) {
      const file = await fileOf(digest)
      if (!file) return 'absent'
      const actual = await digestOfContent(db, file, digestAlgorithm(digest), signal)
      if (actual === digest) return 'sound'
      await setAside(digest, file)
      return 'corrupt'
    },
  }
}

const bytesOnly = { objectMode: false, highWaterMark: 1 << 20 }

/** A few at a time: what they hold may be large. */
async function forgetDropped(db: Kysely<Database>, before: number): Promise<void> {
  const { rows } = await sql<{ content: string }>`
    select content from blob_dropped where dropped_at < ${before} limit 100`.execute(db)
  for (const { content } of rows) {
    await sql`delete from blob_chunks where content = ${content}`.execute(db)
    await sql`delete from blob_dropped where content = ${content}`.execute(db)
  }
}
