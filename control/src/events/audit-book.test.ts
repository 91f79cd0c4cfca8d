import type { AuditRecord } from '@gantry/model'
import { expect, test } from 'vitest'
import { auditBook } from './audit-book.ts'

const record = (id: string, more: object = {}) =>
  ({ id, outcome: 'success', initiator: { id: 'u1' }, ...more }) as unknown as AuditRecord

function aBook(add: (records: readonly AuditRecord[]) => Promise<void>) {
  const told: { lost?: number }[] = []
  const log = { info() {}, warn() {}, error: (fields: object) => told.push(fields) }
  const clock = { at: 0, now: () => clock.at }
  const store = { audit: { add, page: () => Promise.reject(new Error()), prune: () => Promise.reject(new Error()) } }
  return { book: auditBook({ store, clock, log }), told, clock }
}

test('records go together and in order, and the last of them before it is closed', async () => {
  const batches: string[][] = []
  const { book } = aBook(async (records) => void batches.push(records.map(({ id }) => id)))
  for (let n = 0; n < 1201; n += 1) book.write(record(`r${n}`))
  await book[Symbol.asyncDispose]()
  expect(batches.map(({ length }) => length)).toEqual([500, 500, 201])
  expect(batches.flat()).toEqual(Array.from({ length: 1201 }, (_none, n) => `r${n}`))
})

test('what cannot be written is counted and waited for by nobody; what comes later is written', async () => {
  const written: string[] = []
  let isAway = true
  const { book, told } = aBook(async (records) => {
    if (isAway) throw new Error('the database is away')
    written.push(...records.map(({ id }) => id))
  })
  book.write(record('first'))
  await expect.poll(() => told.length).toBe(1)
  isAway = false
  book.write(record('second'))
  await book[Symbol.asyncDispose]()
  expect(told).toMatchObject([{ lost: 1 }])
  expect(written).toEqual(['second'])
})

test('a flood of refused strangers pushes nothing out: so many in a minute are written, and all of those who are known', async () => {
  const written: string[] = []
  const { book, clock } = aBook(async (records) => void written.push(...records.map(({ id }) => id)))
  const stranger = { outcome: 'failure', initiator: { id: 'unknown' } }
  for (let n = 0; n < 5000; n += 1) book.write(record(`x${n}`, stranger))
  book.write(record('known'))
  book.write(record('log-in', { initiator: { id: 'unknown' } }))
  clock.at = 60_000
  book.write(record('later', stranger))
  await book[Symbol.asyncDispose]()
  expect(written.filter((id) => id.startsWith('x'))).toHaveLength(600)
  expect(written.slice(600)).toEqual(['known', 'log-in', 'later'])
})
