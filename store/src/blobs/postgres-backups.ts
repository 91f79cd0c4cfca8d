import { createHash } from 'node:crypto'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import { chunkSize, readChunks } from './chunks.ts'

const kept = (id: string) => `backup ${id}`

/** What backups of volumes hold, in the database that all servers share; a half written one goes with the next `keepOnly`. */
export function postgresBackups(db: Kysely<Database>) {
  const remove = async (id: string): Promise<void> => {
    await sql`delete from blob_chunks where content = ${kept(id)}`.execute(db)
  }
  return {
    /** Resolves with the SHA-256 of the content, in hex. Rejects, with nothing left, if the content breaks off. */
    async keep(id: string, content: Readable, signal: AbortSignal): Promise<string> {
      const hash = createHash('sha256')
      let position = 0
      try {
        await remove(id)
        await pipeline(
          content,
          inChunks(),
          async (chunks: AsyncIterable<Buffer>) => {
            for await (const bytes of chunks) {
              hash.update(bytes)
              await sql`insert into blob_chunks (content, position, bytes) values (${kept(id)}, ${position}, ${bytes})`.execute(
                db,
              )
              position += bytes.length
            }
          },
          { signal },
        )
        return hash.digest('hex')
      } catch (error) {
        await remove(id)
        throw error
      } finally {
        content.destroy()
      }
    },
    /** From the beginning. Rejects if it is missing. */
    async read(id: string): Promise<Readable> {
      const { rows } = await sql<{ end: number }>`
        select position + length(bytes) as "end" from blob_chunks where content = ${kept(id)}
        order by position desc limit 1`.execute(db)
      const last = rows[0]
      if (!last) throw new Error('The content of the backup is missing.')
      return Readable.from(readChunks(db, { content: kept(id), start: 0, end: last.end }), { objectMode: false })
    },
    /** Whether or not it is there. */
    remove,
    /** Removes all others, and what was half written. */
    async keepOnly(ids: ReadonlySet<string>): Promise<void> {
      const { rows } = await sql<{ content: string }>`
        select distinct content from blob_chunks where content like 'backup %'`.execute(db)
      const wanted = new Set([...ids].map(kept))
      for (const { content } of rows) {
        if (!wanted.has(content)) await sql`delete from blob_chunks where content = ${content}`.execute(db)
      }
    },
  }
}

/** Pieces of one size, but for the last: each is a row. */
function inChunks(): Transform {
  let gathered: Buffer[] = []
  let waiting = 0
  const flush = (into: Transform) => {
    if (waiting > 0) into.push(Buffer.concat(gathered))
    gathered = []
    waiting = 0
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      gathered.push(chunk)
      waiting += chunk.length
      if (waiting >= chunkSize) flush(this)
      done()
    },
    flush(done) {
      flush(this)
      done()
    },
  })
}
