import { expect, test } from 'vitest'
import { ApiError } from '../../api/client.ts'
import { askMany, type BulkProgress } from './bulk.ts'

const many = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: `${n}`, name: `web-${n}`, status: 'Running' }))
const refusal = (status: number, message = 'no') =>
  new ApiError(message, { status, code: '', retry: status === 429, requestId: null })

function trial(ask: (id: string, signal: AbortSignal) => Promise<unknown>) {
  const told: BulkProgress[] = []
  const stop = new AbortController()
  const options = {
    ask: (_what: unknown, { id }: { id: string }, signal: AbortSignal) => ask(id, signal),
    signal: stop.signal,
    onProgress: (progress: BulkProgress) => told.push(progress),
    pause: async () => undefined,
  }
  return { told, stop, options, last: () => told.at(-1) }
}

test('one that fails is named with its reason, and the others go on', async () => {
  const { options, last } = trial(async (id) =>
    id === '3' ? Promise.reject(refusal(409, 'It is being moved.')) : undefined,
  )
  await askMany('stop', many(10), options)
  expect(last()).toMatchObject({ total: 10, done: 10, isOver: true })
  expect(last()?.failed).toEqual([{ id: '3', name: 'web-3', why: 'It is being moved.' }])
})

test('a few at a time, and again what the server is too busy for', async () => {
  const seen = { now: 0, most: 0, refused: 0 }
  const { options, last } = trial(async () => {
    seen.now += 1
    seen.most = Math.max(seen.most, seen.now)
    await Promise.resolve()
    seen.now -= 1
    seen.refused += 1
    if (seen.refused <= 5) throw refusal(429)
  })
  await askMany('start', many(40), options)
  expect(last()).toMatchObject({ done: 40, failed: [] })
  expect(seen.most).toBe(4)
})

test('to delete what is gone is no failure', async () => {
  const { options, last } = trial(() => Promise.reject(refusal(404)))
  await askMany('delete', many(1), options)
  expect(last()?.failed).toEqual([])
})

test('cancelled, it asks nothing more', async () => {
  const asked: string[] = []
  const { options, stop, last } = trial(async (id) => {
    asked.push(id)
    if (asked.length === 4) stop.abort()
  })
  await askMany('stop', many(100), options)
  expect(asked.length).toBeLessThan(10)
  expect(last()?.isOver).toBe(true)
})
