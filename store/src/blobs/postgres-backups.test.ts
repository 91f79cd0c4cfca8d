import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostgres } from '../postgres/open.ts'
import { startPostgres, type TestPostgres } from '../testing/postgres.ts'
import { postgresBackups } from './postgres-backups.ts'

const never = new AbortController().signal
const content = randomBytes((3 << 20) + 17)

let postgres: TestPostgres
let db: Awaited<ReturnType<typeof openPostgres>>
beforeAll(async () => {
  postgres = await startPostgres()
  db = await openPostgres(await postgres.database())
})
afterAll(async () => {
  await db.destroy()
  await postgres[Symbol.asyncDispose]()
})

const rowsLeft = async () => (await sql`select 1 from blob_chunks`.execute(db)).rows.length

test('what is kept can be read, has the digest that is told, and goes with nothing left', async () => {
  const files = postgresBackups(db)
  const digest = await files.keep('one', Readable.from([content.subarray(0, 999), content.subarray(999)]), never)
  expect(digest).toBe(createHash('sha256').update(content).digest('hex'))
  expect((await buffer(await files.read('one'))).equals(content)).toBe(true)
  await files.keep('two', Readable.from([content]), never)
  await files.keepOnly(new Set(['two']))
  await expect(files.read('one')).rejects.toThrow('missing')
  expect((await buffer(await files.read('two'))).equals(content)).toBe(true)
  await files.remove('two')
  await files.remove('two')
  expect(await rowsLeft()).toBe(0)
})

test('content that breaks off, or is no longer wanted, leaves nothing', async () => {
  const files = postgresBackups(db)
  async function* breaking() {
    yield content
    throw new Error('the line broke')
  }
  await expect(files.keep('one', Readable.from(breaking()), never)).rejects.toThrow('the line broke')
  const stop = new AbortController()
  const slow = new Readable({ read() {} })
  slow.push(content)
  setTimeout(() => stop.abort(new Error('not wanted')), 100)
  await expect(files.keep('one', slow, stop.signal)).rejects.toThrow()
  expect(await rowsLeft()).toBe(0)
})
