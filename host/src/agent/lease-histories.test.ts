import type { ContainerId } from '@gantry/model'
import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ContainerInspect, ContainerSummary } from '../engine/engine-types.ts'
import { Leases } from './leases.ts'

/**
 * Hosts that are cut off, killed, put to sleep and restarted, below a server that moves the container away from a host that has been
 * silent for `lease + margin` seconds of its own counting, as `control/src/reconcile/evacuation.ts` does. Time passes by the second,
 * and after each the engines are looked at: the container never runs on two.
 */
const lease = 10
const margin = 10
const id = 'c' as ContainerId
const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent } as never

interface World {
  now: number
  readonly hosts: readonly SimulatedHost[]
  /** Where the container is by the store. */
  home: number
}

class SimulatedHost {
  isReachable = true
  isAsleep = false
  /** The server has a session of it. */
  session: AbortController | null = null
  /** Whole seconds without one. */
  silence = 0
  state: 'running' | 'exited' | 'none' = 'none'
  started = 0
  #note: ReturnType<ConstructorParameters<typeof Leases>[0]['note']['read']> = {
    contact: Number.NEGATIVE_INFINITY,
    over: [],
    ended: [],
  }
  #agent: { leases: Leases; closing: AbortController; assigned: boolean } | null = null
  readonly #world: World
  readonly #index: number

  constructor(world: World, index: number) {
    this.#world = world
    this.#index = index
    this.boot()
  }

  boot(): void {
    if (this.#agent) return
    const closing = new AbortController()
    const leases = new Leases({
      containers: {
        list: async () =>
          this.state === 'none'
            ? []
            : [
                {
                  Id: id,
                  State: this.state,
                  Labels: { 'gantry.container': id, 'gantry.lease': `${lease}` },
                } as unknown as ContainerSummary,
              ],
        inspect: async () =>
          ({ State: { Status: this.state, StartedAt: `t${this.started}` } }) as unknown as ContainerInspect,
        stop: async () => {
          if (this.state === 'running') this.state = 'exited'
        },
        kill: silent as never,
      },
      ours: 'x',
      note: {
        read: () => this.#note,
        write: (note) => {
          this.#note = note
        },
      },
      uptime: () => this.#world.now,
      log,
      signal: closing.signal,
    })
    this.#agent = { leases, closing, assigned: false }
  }

  /** The engine and what it runs go on. */
  async kill(): Promise<void> {
    this.#agent?.closing.abort()
    this.#agent?.leases.close()
    this.#agent = null
    this.session?.abort()
  }

  /** What a second of an agent's life brings. */
  async act(): Promise<void> {
    if (this.isAsleep) return
    this.boot()
    const agent = this.#agent
    if (!agent) return
    await agent.leases.watch()
    if (this.isReachable && !this.session) this.#connect(agent)
    agent.leases.ask()
    await turn()
    await turn()
    if (this.session && this.isReachable) {
      if (this.#world.home === this.#index) agent.assigned = true
      else this.state = 'none'
    }
    if (agent.assigned && this.#world.home !== this.#index && this.session) agent.assigned = false
    // What the agent was told last, it brings about, whether or not a server is there.
    if (agent.assigned && this.state !== 'running' && agent.leases.allows({ id, lease })) {
      this.state = 'running'
      this.started += 1
    }
  }

  /** The server places it here within the session that there is. */
  async assignAnew(): Promise<void> {
    this.#agent?.leases.assigned({ id, lease })
  }

  #connect(agent: { leases: Leases; assigned: boolean }): void {
    const session = new AbortController()
    this.session = session
    this.silence = 0
    session.signal.addEventListener('abort', () => {
      if (this.session === session) this.session = null
    })
    // A question is answered as long as the server has this session.
    const ping = async () => {
      await turn()
      if (session.signal.aborted || !this.isReachable || this.isAsleep) throw new Error('no answer')
    }
    agent.leases.begin(ping, session.signal)
    agent.assigned = false
    if (this.#world.home === this.#index) agent.leases.assigned({ id, lease })
  }
}

const deeds = fc.array(
  fc.record({
    host: fc.nat({ max: 1 }),
    what: fc.constantFrom('cut', 'mend', 'kill', 'sleep', 'wake', 'nothing'),
    seconds: fc.integer({ min: 1, max: 30 }),
  }),
  { minLength: 2, maxLength: 14 },
)

test('whatever is cut, killed or asleep for however long, the container never runs on two hosts', async () => {
  let moves = 0
  await fc.assert(
    fc.asyncProperty(deeds, async (all) => {
      const hosts: SimulatedHost[] = []
      const world: World = { now: 1000, hosts, home: 0 }
      hosts.push(new SimulatedHost(world, 0), new SimulatedHost(world, 1))
      for (const { host, what, seconds } of all) {
        const one = hosts[host]
        if (!one) continue
        if (what === 'cut') one.isReachable = false
        if (what === 'mend') one.isReachable = true
        if (what === 'sleep') one.isAsleep = true
        if (what === 'wake') one.isAsleep = false
        if (what === 'kill') await one.kill()
        for (let second = 0; second < seconds; second += 1) {
          world.now += 1
          for (const each of hosts) {
            // The server sees that a line is dead; a machine that sleeps runs nothing.
            if (!each.isReachable || each.isAsleep) each.session?.abort()
            await each.act()
          }
          for (const [index, each] of hosts.entries()) {
            each.silence = each.session ? 0 : each.silence + 1
            const other = hosts.findIndex((any, number) => number !== index && any.session !== null)
            if (world.home !== index || each.silence < lease + margin || other < 0) continue
            world.home = other
            moves += 1
            const there = hosts[other]
            if (there?.session) await there.assignAnew()
          }
          const running = hosts.filter(({ state, isAsleep }) => state === 'running' && !isAsleep)
          expect(running.length).toBeLessThan(2)
        }
      }
      for (const each of hosts) await each.kill()
    }),
    { numRuns: 150 },
  )
  expect(moves).toBeGreaterThan(10)
})
