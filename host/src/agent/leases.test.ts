import type { ContainerId } from '@gantry/model'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ContainerInspect, ContainerSummary } from '../engine/engine-types.ts'
import type { LeaseNote } from './lease-note.ts'
import { Leases } from './leases.ts'

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent } as never
const id = 'c1' as ContainerId
const other = 'c2' as ContainerId

/** An engine of a few containers, a clock that is set by hand, and an agent that may be killed and started anew. */
function aMachine() {
  let now = 1000
  let starts = 0
  let isFull = false
  const states = new Map<ContainerId, { state: string; startedAt: string; lease: number | null }>()
  let written: ReturnType<LeaseNote['read']> = { contact: Number.NEGATIVE_INFINITY, over: [], ended: [] }
  const note: LeaseNote = {
    read: () => written,
    write: (next) => {
      if (isFull) throw new Error('ENOSPC: no space left on device')
      written = next
    },
  }
  const containers = {
    list: async () =>
      [...states]
        .filter(([, { lease }]) => lease !== null)
        .map(
          ([Id, { state, lease }]) =>
            ({
              Id,
              State: state,
              Labels: { 'gantry.container': Id, 'gantry.lease': String(lease) },
            }) as unknown as ContainerSummary,
        ),
    inspect: async (ref: string) => {
      const { state, startedAt } = states.get(ref as ContainerId) ?? { state: 'exited', startedAt: '' }
      return { State: { Status: state, StartedAt: startedAt } } as unknown as ContainerInspect
    },
    stop: async (ref: string) => {
      const found = states.get(ref as ContainerId)
      if (found) found.state = 'exited'
    },
    kill: async () => undefined,
  }
  const boot = () =>
    new Leases({ containers, ours: 'x', note, uptime: () => now, log, signal: new AbortController().signal })
  return {
    boot,
    fillDisk: () => {
      isFull = true
    },
    pass: (seconds: number) => {
      now += seconds
    },
    run: (one: ContainerId, lease: number | null) =>
      states.set(one, { state: 'running', startedAt: `t${++starts}`, lease }),
    stateOf: (one: ContainerId) => states.get(one)?.state,
    startOf: (one: ContainerId) => states.get(one)?.startedAt,
  }
}

const answered = () => Promise.resolve()
const never = () => new Promise<void>(() => undefined)

test('a container with a lease stops when no server was heard of for so long, and goes on when one names it', async () => {
  const machine = aMachine()
  const leases = machine.boot()
  const session = new AbortController()
  leases.begin(answered, session.signal)
  leases.assigned({ id, lease: 20 })
  leases.assigned({ id: other })
  machine.run(id, 20)
  machine.run(other, null)
  session.abort()
  machine.pass(20)
  await leases.watch()
  expect(machine.stateOf(id)).toBe('running')
  machine.pass(1)
  await leases.watch()
  expect([machine.stateOf(id), machine.stateOf(other)]).toEqual(['exited', 'running'])
  expect(leases.allows({ id, lease: 20 })).toBe(false)
  expect(leases.endedStart(id)).toBe(machine.startOf(id))

  // A new session by itself does not bring it back: the server must say so.
  leases.begin(answered, new AbortController().signal)
  await sleep(1)
  expect(leases.allows({ id, lease: 20 })).toBe(false)
  let free = false
  const waiting = leases.whenAllowed({ id, lease: 20 }, new AbortController().signal).then(() => {
    free = true
  })
  expect(free).toBe(false)
  leases.assigned({ id, lease: 20 })
  await waiting
  expect(leases.allows({ id, lease: 20 })).toBe(true)
  leases.close()
})

test('a server that does not answer is none, however open its line', async () => {
  const machine = aMachine()
  const leases = machine.boot()
  leases.begin(never, new AbortController().signal)
  leases.assigned({ id, lease: 20 })
  machine.run(id, 20)
  machine.pass(21)
  await leases.watch()
  expect(machine.stateOf(id)).toBe('exited')
  leases.close()
})

test('an agent that starts anew goes by what the last one noted, and by nothing after the machine was restarted', async () => {
  const machine = aMachine()
  const first = machine.boot()
  first.begin(answered, new AbortController().signal)
  first.assigned({ id, lease: 20 })
  await sleep(1)
  machine.run(id, 20)
  first.close()
  machine.pass(15)
  const second = machine.boot()
  await second.watch()
  expect(machine.stateOf(id)).toBe('running')
  second.close()
  machine.pass(10)
  const third = machine.boot()
  await third.watch()
  expect(machine.stateOf(id)).toBe('exited')
  third.close()
  // Whose start was ended is remembered, too.
  const fourth = machine.boot()
  expect(fourth.endedStart(id)).toBe(machine.startOf(id))
  fourth.close()
})

test('a machine that slept stops what it ran before it hears that this is somewhere else now', async () => {
  const machine = aMachine()
  const leases = machine.boot()
  leases.begin(answered, new AbortController().signal)
  leases.assigned({ id, lease: 20 })
  await sleep(1)
  machine.run(id, 20)
  machine.pass(3600)
  leases.begin(answered, new AbortController().signal)
  // What the server names first is not this one.
  leases.assigned({ id: other, lease: 20 })
  await leases.watch()
  expect(machine.stateOf(id)).toBe('exited')
  expect(leases.allows({ id: other, lease: 20 })).toBe(true)
  leases.close()
})

test('the first container with a lease starts in a session that is older than its lease', async () => {
  const machine = aMachine()
  const leases = machine.boot()
  leases.begin(answered, new AbortController().signal)
  leases.assigned({ id: other })
  machine.pass(100)
  leases.assigned({ id, lease: 20 })
  await leases.watch()
  await leases.whenAllowed({ id, lease: 20 }, AbortSignal.timeout(1000))
  // A brief reconnection later does not stop what went on long ago.
  machine.run(id, 20)
  machine.pass(10)
  leases.begin(answered, new AbortController().signal)
  await leases.watch()
  expect(machine.stateOf(id)).toBe('running')
  leases.close()
})

test('a server that answers but has told nothing yet counts for nothing: it may have lost the store', async () => {
  const machine = aMachine()
  const leases = machine.boot()
  leases.begin(answered, new AbortController().signal)
  leases.assigned({ id, lease: 20 })
  machine.run(id, 20)
  machine.pass(15)
  leases.begin(answered, new AbortController().signal)
  leases.ask()
  await sleep(1)
  machine.pass(10)
  await leases.watch()
  expect(machine.stateOf(id)).toBe('exited')
  leases.accepted()
  leases.ask()
  await sleep(1)
  // Not named in this session.
  expect(leases.allows({ id, lease: 20 })).toBe(false)
  leases.assigned({ id, lease: 20 })
  expect(leases.allows({ id, lease: 20 })).toBe(true)
  leases.close()
})

test('a full disk ends neither the agent nor, after that was killed, the promise', async () => {
  const machine = aMachine()
  const leases = machine.boot()
  leases.begin(answered, new AbortController().signal)
  leases.assigned({ id, lease: 20 })
  machine.run(id, 20)
  machine.fillDisk()
  machine.pass(10)
  leases.ask()
  await sleep(0)
  expect(leases.allows({ id, lease: 20 })).toBe(true)
  machine.pass(15)
  // The next one knows of no answer since the disk was full.
  const next = machine.boot()
  await next.watch()
  expect(machine.stateOf(id)).toBe('exited')
})
