import { expect, test } from 'vitest'
import { simulate } from './simulate.ts'

test.each([
  { what: 'one server on SQLite', servers: 1, sqlite: true },
  { what: 'two servers on PostgreSQL', servers: 2, sqlite: false },
])('$what: a small fleet fills, everything settles, and all hosts come back after a kill -9', async (cloud) => {
  const options = { hosts: 16, containers: 800, batch: 100, tenants: 4, storm: true, progress: () => {} }
  const result = await simulate({ ...options, ...cloud })
  const last = result.samples.at(-1)
  expect(last?.accepted).toBe(options.containers)
  expect(last?.placed).toBeGreaterThanOrEqual(options.containers)
  expect(last?.settled).toBeGreaterThanOrEqual(options.containers)
  expect(Math.min(...result.fifths)).toBeGreaterThan(0)
  expect(result.latencies['create']?.count).toBeGreaterThan(0)
  expect(result.storm?.consistentSeconds).toBeLessThan(60)
  // Those that had nothing to tell; of the second server none came back.
  expect(result.storm?.kept).toBeGreaterThan(0)
})
