import { systemClock } from '@gantry/kernel'
import { expect, test, vi } from 'vitest'
import type { OtherServers } from './among-servers.ts'
import { type DueWork, dueWorker } from './due-worker.ts'

const log = { info() {}, warn() {}, error() {} }

/** Servers that take turns, each with a worker for the same rows. */
function servers() {
  const held = new Set<string>()
  const turn = async (name: string, work: () => Promise<unknown>) => {
    held.add(name)
    try {
      return await work()
    } finally {
      held.delete(name)
    }
  }
  const others = {
    async inTurn(name: string, work: () => Promise<unknown>) {
      while (held.has(name)) await new Promise((resolve) => setTimeout(resolve, 5))
      return turn(name, work)
    },
    async ifFree(name: string, work: () => Promise<void>) {
      if (held.has(name)) return false
      await turn(name, work)
      return true
    },
    onLost: () => undefined,
  } as unknown as OtherServers
  return (parts: Pick<DueWork<string>, 'due' | 'work'>) =>
    dueWorker<string>({ width: 2, log, clock: systemClock, service: 'Neutron', servers: others, ...parts })
}

test('what one server is at holds up nothing of another’s', async () => {
  const rows = new Set(['a1', 'a2'])
  const slow = Promise.withResolvers<void>()
  const done: string[] = []
  const work = (by: string) => async (id: string) => {
    done.push(`${by} begins ${id}`)
    if (id.startsWith('a')) await slow.promise
    rows.delete(id)
  }
  const worker = servers()
  const [one, two] = ['one', 'two'].map((by) => worker({ due: async () => [...rows], work: work(by) }))
  one?.wake()
  await vi.waitFor(() => expect(done).toEqual(['one begins a1', 'one begins a2']))
  rows.add('b')
  two?.wake()
  await vi.waitFor(() => expect(done).toContain('two begins b'), { timeout: 500 })
  slow.resolve()
  await vi.waitFor(() => expect(rows.size).toBe(0))
  await Promise.all([one?.close(), two?.close()])
  expect(done).toHaveLength(3)
})

test('what changes while another server is at it is done after that; who must know waits for it', async () => {
  const rows = new Map([['p', 'bind']])
  const gates = { bind: Promise.withResolvers<void>(), leave: Promise.withResolvers<void>() }
  const done: string[] = []
  const work = (by: string) => async (id: string) => {
    const wish = rows.get(id) as 'bind' | 'leave' | undefined
    if (!wish) return
    done.push(`${by} begins to ${wish}`)
    await gates[wish].promise
    if (rows.get(id) === wish) rows.delete(id)
  }
  const worker = servers()
  const [one, two] = ['one', 'two'].map((by) => worker({ due: async () => rows.keys(), work: work(by) }))
  one?.wake()
  await vi.waitFor(() => expect(done).toEqual(['one begins to bind']))
  rows.set('p', 'leave')
  two?.wake()
  let isSettled = false
  const settled = two?.settle(['p']).then(() => (isSettled = true))
  gates.bind.resolve()
  await vi.waitFor(() => expect(done).toEqual(['one begins to bind', 'two begins to leave']))
  expect(isSettled).toBe(false)
  gates.leave.resolve()
  await settled
  expect(rows.size).toBe(0)
  // Nobody waits: the next look finds it.
  rows.set('p', 'leave')
  const held = Promise.withResolvers<void>()
  gates.leave = held
  one?.wake()
  await vi.waitFor(() => expect(done).toHaveLength(3))
  two?.wake()
  held.resolve()
  await vi.waitFor(() => expect(rows.size).toBe(0))
  await Promise.all([one?.close(), two?.close()])
})
