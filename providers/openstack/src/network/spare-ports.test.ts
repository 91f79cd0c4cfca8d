import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sparePorts, type SparePortsOptions } from './spare-ports.ts'

/** A maker of numbered ports that counts what there is. */
function world(options: Partial<SparePortsOptions<string, string>> = {}) {
  const there = new Set<string>()
  let made = 0
  const spares = sparePorts<string, string>({
    make: async (key) => {
      const port = `${key}-${(made += 1)}`
      there.add(port)
      return port
    },
    discard: async (port) => void there.delete(port),
    clock: { now: () => Date.now() },
    log: { debug() {}, info() {}, warn() {}, error() {} } as never,
    most: 2,
    idleMs: 60_000,
    restMs: 0,
    ...options,
  })
  return { spares, there, made: () => made }
}

const settled = () => sleep(20)

test('the first one finds none; the next one does, and never more than there were uses', async () => {
  const { spares, there } = world()
  expect(spares.take('net')).toBeNull()
  spares.refill('net', 'ann')
  await settled()
  expect([...there]).toEqual(['net-1'])
  expect(spares.take('net')).toBe('net-1')
  expect(spares.take('net')).toBeNull()
  spares.refill('net', 'ann')
  await settled()
  expect(there.size - 1).toBe(2)
})

test('what is kept for one key is for no other', async () => {
  const { spares } = world()
  spares.take('net of ann')
  spares.refill('net of ann', 'ann')
  await settled()
  expect(spares.take('net of bob')).toBeNull()
})

test('a drop takes away what is ready and what is being made', async () => {
  const gate = Promise.withResolvers<void>()
  const there = new Set<string>()
  let made = 0
  const { spares } = world({
    make: async () => {
      made += 1
      if (made === 2) await gate.promise
      there.add(`p${made}`)
      return `p${made}`
    },
    discard: async (port) => void there.delete(port),
  })
  spares.take('net')
  spares.take('net')
  spares.refill('net', 'ann')
  await settled()
  expect([...there]).toEqual(['p1'])
  const dropped = spares.drop((key) => key === 'net')
  gate.resolve()
  await dropped
  expect(there.size).toBe(0)
  expect(made).toBe(2)
})

test('where nobody asks any more there are none', async () => {
  const { spares, there } = world({ idleMs: 40 })
  spares.take('net')
  spares.refill('net', 'ann')
  await settled()
  expect(there.size).toBe(1)
  await expect.poll(() => there.size).toBe(0)
})

test('a maker who may not make any more ends the making, and nothing else', async () => {
  const { spares } = world({
    make: async () => {
      throw new Error('over quota')
    },
  })
  spares.take('net')
  spares.refill('net', 'ann')
  await settled()
  expect(spares.take('net')).toBeNull()
  await spares.close()
})

test('after its end nothing is left, whatever was under way', async () => {
  const { spares, there } = world({ make: async () => (await sleep(30), there.add('late'), 'late') })
  spares.take('net')
  spares.refill('net', 'ann')
  await settled()
  await spares.close()
  expect(there.size).toBe(0)
})
