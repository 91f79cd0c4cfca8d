import { createHash } from 'node:crypto'
import type { Digest, digestAlgorithm } from '@gantry/model'
import { type Kysely, sql } from 'kysely'

/** Bytes of a chunk, at most. */
export const chunkSize = 1 << 20

export interface Part {
  readonly content: string
  /** First byte, and the one after the last. */
  readonly start: number
  readonly end: number
}

/** What is kept of a content, from byte to byte; one chunk is on its way from the database while the one before is used. */
export async function* readChunks<D>(db: Kysely<D>, { content, start, end }: Part): AsyncGenerator<Buffer> {
  const ask = async (position: number) => {
    const { rows } = await sql<{ position: number; bytes: Buffer }>`
      select position, bytes from blob_chunks where content = ${content} and position <= ${position}
      order by position desc limit 1`.execute(db)
    const chunk = rows[0]
    return chunk?.bytes.subarray(position - chunk.position, end - chunk.position)
  }
  let position = start
  let next = position < end ? ask(position) : null
  while (next) {
    const bytes = await next
    if (!bytes?.length) throw new Error('a part of the content is missing')
    position += bytes.length
    next = position < end ? ask(position) : null
    // A reader that breaks off leaves it behind.
    next?.catch(() => undefined)
    yield bytes
  }
}

export async function digestOfContent<D>(
  db: Kysely<D>,
  { content, size }: { readonly content: string; readonly size: number },
  algorithm: ReturnType<typeof digestAlgorithm>,
  signal?: AbortSignal,
): Promise<Digest> {
  const hash = createHash(algorithm)
  for await (const bytes of readChunks(db, { content, start: 0, end: size })) {
    signal?.throwIfAborted()
    hash.update(bytes)
  }
  return `${algorithm}:${hash.digest('hex')}` as Digest
}
