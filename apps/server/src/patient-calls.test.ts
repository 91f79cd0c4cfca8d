import { Fault } from '@gantry/kernel'
import type { AgentCalls } from '@gantry/wire'
import { expect, test } from 'vitest'
import { patientCalls } from './patient-calls.ts'

const io = { signal: new AbortController().signal }
const unreachable = () => new Fault('host.unreachable', { host: 'h' })
const there = { top: async () => ({ reply: { titles: [], processes: [] }, output: null }) } as unknown as AgentCalls

test('a call waits for a host between two servers, and not for one that is lost', async () => {
  let looks = 0
  const find = () => (++looks < 3 ? null : there)
  const calls = patientCalls({ find, isLost: async () => false, unreachable })
  await expect(calls.top({} as never, io)).resolves.toMatchObject({ reply: { titles: [] } })
  expect(looks).toBe(3)
  const lost = patientCalls({ find: () => null, isLost: async () => true, unreachable })
  await expect(lost.top({} as never, io)).rejects.toMatchObject({ code: 'host.unreachable' })
})

test('whoever gives up does not wait on', async () => {
  const stop = new AbortController()
  const calls = patientCalls({ find: () => null, isLost: async () => false, unreachable })
  const waiting = calls.top({} as never, { signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})
