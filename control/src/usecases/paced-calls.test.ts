import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { systemClock } from '@gantry/kernel'
import type { ProjectId } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { expect, test } from 'vitest'
import { createPace } from './paced-calls.ts'

const [mine, theirs] = ['mine', 'theirs'] as [ProjectId, ProjectId]
const chunk = Buffer.alloc(16 * 1024)
const bytes = (count: number) => Readable.from(Array.from({ length: count }, () => chunk))
const host = (output: () => Readable) =>
  ({ logs: async () => ({ reply: {}, output: output() }) }) as unknown as AgentCalls

async function read(calls: AgentCalls): Promise<{ length: number; ms: number }> {
  const from = performance.now()
  const { output } = await calls.logs({} as never, {} as never)
  const { length } = await buffer(output as Readable)
  return { length, ms: performance.now() - from }
}

test('two streams of a project share its rate, and another project is not slowed down by them', async () => {
  const pace = createPace(1024 * 1024, systemClock)
  const one = host(() => bytes(32))
  // A quarter of a second comes at once; 1 MiB together takes three quarters more.
  const [first, second, other] = await Promise.all([
    read(pace.calls(mine, one)),
    read(pace.calls(mine, one)),
    read(
      pace.calls(
        theirs,
        host(() => bytes(8)),
      ),
    ),
  ])
  expect(first.length + second.length).toBe(64 * chunk.length)
  expect(Math.max(first.ms, second.ms)).toBeGreaterThan(600)
  expect(Math.abs(first.ms - second.ms)).toBeLessThan(200)
  expect(other.ms).toBeLessThan(400)
})

test('a stream that is let go of lets go of its source, and without a rate nothing is in between', async () => {
  const source = bytes(1000)
  const pace = createPace(64 * 1024, systemClock)
  const { output } = await pace
    .calls(
      mine,
      host(() => source),
    )
    .logs({} as never, {} as never)
  const closed = new Promise((resolve) => source.once('close', resolve))
  output?.destroy()
  await closed
  const calls = host(() => source)
  expect(createPace(0, systemClock).calls(mine, calls)).toBe(calls)
})
