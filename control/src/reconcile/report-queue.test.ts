import { Fault } from '@gantry/kernel'
import type { ContainerId, HostId } from '@gantry/model'
import { expect, test } from 'vitest'
import type { Report } from './report-batch.ts'
import { createReportQueue } from './report-queue.ts'

const log = { warn() {} }

function step(number: number): Report {
  const id = `c${number}` as ContainerId
  return {
    kind: 'step',
    hostId: 'h' as HostId,
    id,
    version: 1,
    step: 'start',
    startedAt: 1,
    finishedAt: 1,
    error: null,
  }
}

const numberOf = ({ id }: Report) => Number(id.slice(1))

test('what comes while one transaction runs is written by the next, in order', async () => {
  const batches: number[][] = []
  const queue = createReportQueue(async (reports) => {
    batches.push(reports.map(numberOf))
    if (batches.length === 1) for (let number = 3; number < 1500; number += 1) added.push(queue.add(step(number)))
    await Promise.resolve()
  }, log)
  const added = [0, 1, 2].map((number) => queue.add(step(number)))
  await Promise.all(added)
  await Promise.all(added)
  expect(batches.map(({ length }) => length)).toEqual([3, 1000, 497])
  expect(batches.flat()).toEqual(Array.from({ length: 1500 }, (_, index) => index))
})

test('one that cannot be written does not take the others with it', async () => {
  const written: number[] = []
  const queue = createReportQueue(async (reports) => {
    if (reports.some((report) => numberOf(report) === 2)) throw new Error('number 2')
    written.push(...reports.map(numberOf))
  }, log)
  const ends = await Promise.allSettled([0, 1, 2, 3].map((number) => queue.add(step(number))))
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(written).toEqual([0, 1, 3])
})

test.each(['store.unavailable', 'store.full'] as const)(
  'a store that cannot be written (%s) is waited for, until the server ends',
  async (code) => {
    let tries = 0
    const away = new Fault(code, {})
    const queue = createReportQueue(async () => {
      tries += 1
      if (tries < 3) throw away
    }, log)
    await queue.add(step(1))
    expect(tries).toBe(3)
    const never = createReportQueue(() => Promise.reject(away), log)
    const waiting = never.add(step(1))
    setTimeout(() => never.close(), 20)
    await expect(waiting).rejects.toBe(away)
  },
)
