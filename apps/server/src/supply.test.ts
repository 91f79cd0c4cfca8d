import { setTimeout as sleep } from 'node:timers/promises'
import {
  aloneCluster,
  type Boot,
  type ComputeProvider,
  createControl,
  defaultPolicy,
  type HostLinks,
  type Instance,
  soleServer,
  type Store,
  type SupplyPolicy,
} from '@gantry/control'
import { createSimHost, type SimHost } from '@gantry/control/testing'
import { Fault, randomIds } from '@gantry/kernel'
import { type ContainerId, defaultSpec, type HostId } from '@gantry/model'
import { createStore, openSqlite } from '@gantry/store'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aCaller, someProviders } from './testing/a-world.ts'

const silent = { info() {}, warn() {}, error() {} }
const gauges = { step() {}, settled() {}, waiting() {} }
const usual: SupplyPolicy = {
  perInstance: 10,
  lingerMs: 20,
  bootTimeoutMs: 5000,
  attempts: 2,
  retryMs: 1,
  most: 20,
  shared: true,
}

interface Machine extends Boot {
  readonly providerId: string
}

/** A provider in memory, whose machines outlive servers, and a server that can be killed between any two of its acts. */
async function aCloud(policy: Partial<SupplyPolicy> = {}, lateMs = 0) {
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const machines = new Map<string, Machine>()
  const agents = new Map<string, SimHost>()
  const links = new Map<HostId, HostLinks>()
  const counts = { creates: 0, deletes: 0 }
  const trouble = {
    /** After so many more acts of the provider the server is dead; the act itself may have been done. */
    crashIn: Number.POSITIVE_INFINITY,
    refuse: null as string | null,
    fail: 0,
    /** The server dies with an order on its way, which is carried out so many milliseconds later. */
    late: null as number | null,
    arrived: false,
    /** Whether agents of new machines join by themselves. */
    joins: true,
  }
  let dead = false
  let parts: ReturnType<typeof createControl>

  const act = <T>(done: () => T): T => {
    if (dead) throw new Error('this server is dead')
    if (trouble.crashIn === 0) {
      dead = true
      // Dies before or after: both happen.
      if (counts.creates % 2 === 0) done()
      throw new Error('this server is dead')
    }
    trouble.crashIn -= 1
    return done()
  }
  const join = async ({ id, name, labels }: Machine) => {
    const { host, links: own } = createSimHost(id as string as HostId, () => {
      const { reports } = parts.reconciler
      return { ...reports, connected: (host, facts) => reports.connected(host, { ...facts, hostname: name, labels }) }
    })
    links.set(id as string as HostId, own)
    agents.set(id, host)
    await inTurn(id, () => host.connect())
  }
  const again = (id: string, host: SimHost) => inTurn(id, () => host.disconnect().then(() => host.connect()))
  const lines = new Map<string, Promise<void>>()
  /** An agent has one connection at a time; it is tried anew at the next restart, should the server die meanwhile. */
  const inTurn = (id: string, act: () => Promise<void>) => {
    const whole = (lines.get(id) ?? Promise.resolve()).then(act).catch(() => undefined)
    lines.set(id, whole)
    return whole
  }
  const make = (boot: Boot) => {
    const machine = { ...boot, providerId: randomIds.uuid() }
    counts.creates += 1
    machines.set(machine.providerId, machine)
    if (trouble.joins) setTimeout(() => void join(machine), 5)
    return machine.providerId
  }
  const provider: ComputeProvider = {
    name: 'memory',
    lateMs,
    size: async () => ({ cpus: 1, memory: 100_000, disk: 100 }),
    create: async (boot) =>
      act(() => {
        if (trouble.refuse !== null) throw new Fault('compute.refused', { provider: 'memory', reason: trouble.refuse })
        if (trouble.fail-- > 0) throw new Fault('compute.failed', { provider: 'memory', reason: 'try later' })
        if (trouble.late === null) return make(boot)
        setTimeout(() => {
          make(boot)
          trouble.arrived = true
        }, trouble.late)
        trouble.late = null
        dead = true
        throw new Error('this server is dead')
      }),
    list: async () => act(() => [...machines.values()].map((machine) => ({ ...machine, problem: null }))),
    delete: async (id) =>
      act(() => {
        const machine = machines.get(id)
        if (!machine) return
        counts.deletes += 1
        machines.delete(id)
        agents.delete(machine.id)
        links.delete(machine.id as string as HostId)
      }),
  }
  const everywhere: HostLinks = {
    connected: (id) => links.get(id)?.connected(id) ?? false,
    assign: (id, assignment) => links.get(id)?.assign(id, assignment),
    tell: (id, message) => links.get(id)?.tell(id, message),
    calls: (id) => {
      throw new Fault('host.unreachable', { host: id })
    },
  }
  const clock = { now: () => Date.now() }
  const providers = await someProviders(store, everywhere, clock)
  const start = () =>
    createControl({
      store: mortal(store, () => dead),
      links: everywhere,
      ...providers,
      // A new process each time.
      cluster: aloneCluster(soleServer, silent),
      clock,
      ids: randomIds,
      log: silent,
      gauges,
      policy: { ...defaultPolicy, placementPatienceMs: 0 },
      demand: {
        provider,
        policy: { ...usual, ...policy },
        issueToken: async () => ({ id: randomIds.hex(6), token: 't' }),
      },
    })
  parts = start()
  await parts.reconciler.recover()
  return {
    store,
    machines,
    counts,
    trouble,
    join,
    create: async (project = 'p1', name = `c${randomIds.hex(4)}`, cpu = 0.1) => {
      const spec = { ...defaultSpec('busybox'), cpu, memory: 16 }
      const { id } = await parts.control.containers.create(aCaller(project), { name, spec, run: true })
      return id
    },
    remove: (id: ContainerId, project = 'p1') =>
      parts.control.containers.delete(aCaller(project), id, { force: false, stop: true, graceSeconds: 0 }),
    async restart() {
      await parts.reconciler[Symbol.asyncDispose]()
      dead = false
      trouble.crashIn = Number.POSITIVE_INFINITY
      parts = start()
      await parts.reconciler.recover()
      for (const [id, host] of agents) await again(id, host)
    },
    isDead: () => dead,
    instances: (state?: Instance['state']) =>
      store.instances.list().then((all) => all.filter((each) => state === undefined || each.state === state)),
    statuses: async (ids: readonly ContainerId[]) => (await store.containers.getMany(ids)).map(({ status }) => status),
    async [Symbol.asyncDispose]() {
      // What agents report now is for the store that is about to go.
      for (const [id, host] of agents) await inTurn(id, () => host.idle())
      await parts.reconciler[Symbol.asyncDispose]()
      await db.destroy()
      await providers[Symbol.asyncDispose]()
    },
  }
}

/** A store to which a dead server writes nothing any more. */
function mortal(store: Store, isDead: () => boolean): Store {
  const guarded = <T extends object>(object: T): T =>
    new Proxy(object, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value === 'object' && value !== null) return guarded(value)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => {
          if (isDead()) throw new Error('this server is dead')
          return value.apply(target, given)
        }
      },
    })
  return {
    ...guarded(store),
    transaction: (work, locks) => store.transaction((tables) => work(guarded(tables)), locks),
  }
}

async function until(holds: () => unknown, what: string, ms = 8000): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await sleep(5)) {
    if (Date.now() > end) throw new Error(`This did not come about: ${what}.`)
  }
}

describe('hosts on demand', () => {
  test('eleven containers at ten to one make exactly two instances, the first full; none left make none', async () => {
    await using cloud = await aCloud()
    const ids: ContainerId[] = []
    for (let n = 0; n < 11; n += 1) ids.push(await cloud.create())
    await until(async () => (await cloud.statuses(ids)).every((status) => status === 'Running'), 'all run')
    const hosts = await cloud.store.hosts.list()
    expect(hosts.map(({ used }) => used.containers).sort((a, b) => b - a)).toEqual([10, 1])
    for (const id of ids) await cloud.remove(id)
    await until(() => cloud.machines.size === 0, 'no machine is left')
    await until(async () => (await cloud.instances()).length === 0, 'no row is left')
    expect(cloud.counts).toEqual({ creates: 2, deletes: 2 })
    expect(await cloud.store.hosts.list()).toEqual([])
  })

  test('what was ordered by one that died is neither ordered again nor forgotten, wherever it died', async () => {
    const crashes = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(crashes, fc.integer({ min: 1, max: 7 }), async (crashesIn, count) => {
        await using cloud = await aCloud({ perInstance: 3 })
        cloud.trouble.crashIn = crashesIn[0] ?? 0
        const ids: ContainerId[] = []
        for (let n = 0; n < count; n += 1) ids.push(await cloud.create())
        const runs = async () => (await cloud.statuses(ids)).every((status) => status === 'Running')
        for (const crashIn of [...crashesIn.slice(1), Number.POSITIVE_INFINITY]) {
          await until(async () => cloud.isDead() || (await runs()), 'all run, or the server is dead')
          await cloud.restart()
          cloud.trouble.crashIn = crashIn
        }
        await until(runs, 'all run')
        await until(() => cloud.machines.size === Math.ceil(count / 3), `${Math.ceil(count / 3)} machines`)
        expect(new Set([...cloud.machines.values()].map(({ id }) => id)).size).toBe(cloud.machines.size)
        expect(cloud.counts).toEqual({ creates: cloud.machines.size, deletes: 0 })
        for (const id of ids) await cloud.remove(id)
        await until(() => cloud.machines.size === 0, 'no machine is left')
        expect(cloud.counts.deletes).toBe(cloud.counts.creates)
      }),
      { numRuns: 12 },
    )
  }, 60_000)

  test('an order that was on its way when its server died is waited for, and not repeated', async () => {
    await using cloud = await aCloud({}, 2000)
    cloud.trouble.late = 300
    const id = await cloud.create()
    await until(() => cloud.isDead(), 'the server is dead')
    await cloud.restart()
    await until(() => cloud.trouble.arrived, 'the order arrives')
    await until(async () => (await cloud.statuses([id]))[0] === 'Running', 'it runs')
    expect(cloud.counts).toEqual({ creates: 1, deletes: 0 })
    await cloud.remove(id)
    await until(() => cloud.machines.size === 0, 'it is found and deleted')
  })

  test('one that never arrived is ordered again, when it can no longer come', async () => {
    await using cloud = await aCloud({}, 300)
    cloud.trouble.late = 60_000
    const id = await cloud.create()
    await until(() => cloud.isDead(), 'the server is dead')
    await cloud.restart()
    await until(async () => (await cloud.statuses([id]))[0] === 'Running', 'it runs')
    expect(cloud.counts).toEqual({ creates: 1, deletes: 0 })
  }, 20_000)

  test('one whose agent connects just now is still counted, so that no other is ordered', async () => {
    await using cloud = await aCloud()
    cloud.trouble.joins = false
    const first = await cloud.create()
    await until(async () => (await cloud.instances('booting'))[0]?.providerId, 'it boots')
    const [machine] = cloud.machines.values()
    if (!machine) throw new Error('There is no machine.')
    // A server wrote down the connection and died before it wrote down the host.
    await cloud.store.sessions.open(machine.id as string as HostId, soleServer.id, Date.now())
    const second = await cloud.create()
    await sleep(150)
    expect(cloud.counts.creates).toBe(1)
    await cloud.join(machine)
    await until(async () => (await cloud.statuses([first, second])).every((one) => one === 'Running'), 'both run')
    expect(cloud.counts).toEqual({ creates: 1, deletes: 0 })
  })

  test('each project has its own, unless they are shared', async () => {
    await using cloud = await aCloud({ shared: false })
    const ids = [await cloud.create('p1'), await cloud.create('p2'), await cloud.create('p1')]
    await until(async () => (await cloud.statuses(ids)).every((status) => status === 'Running'), 'all run')
    const [first, second, third] = await cloud.store.containers.getMany(ids)
    expect(cloud.counts.creates).toBe(2)
    expect(first?.hostId).toBe(third?.hostId)
    expect(first?.hostId).not.toBe(second?.hostId)
  })

  test('a refusal is told to those that wait, and to nobody whom another instance serves', async () => {
    await using cloud = await aCloud({ perInstance: 2, lingerMs: 60_000 })
    const served = [await cloud.create(), await cloud.create()]
    await until(async () => (await cloud.statuses(served)).every((status) => status === 'Running'), 'both run')
    cloud.trouble.refuse = 'Quota exceeded for instances'
    const third = await cloud.create()
    await until(async () => (await cloud.statuses([third]))[0] === 'Error', 'the third is told')
    const container = await cloud.store.containers.get(third)
    expect(container?.statusReason).toMatch(/full of containers.*on demand: No instance from memory: Quota exceeded/)
    // Asked again by somebody new, it is tried again.
    cloud.trouble.refuse = null
    const fourth = await cloud.create()
    await until(async () => (await cloud.statuses([fourth]))[0] === 'Running', 'the fourth runs')
    expect(cloud.machines.size).toBe(2)
  })

  test('one that cannot be had now is tried again; one that never joins is deleted, and its containers are told', async () => {
    await using cloud = await aCloud({ bootTimeoutMs: 150 })
    cloud.trouble.fail = 1
    const first = await cloud.create()
    await until(async () => (await cloud.statuses([first]))[0] === 'Running', 'it runs')
    await cloud.remove(first)
    await until(async () => (await cloud.instances()).length === 0, 'no row is left')
    cloud.trouble.joins = false
    const second = await cloud.create()
    await until(async () => (await cloud.statuses([second]))[0] === 'Error', 'it is told')
    expect((await cloud.store.containers.get(second))?.statusReason).toMatch(/has not joined within/)
    expect(cloud.counts).toEqual({ creates: 3, deletes: 3 })
    expect(cloud.machines.size).toBe(0)
  })

  test('nothing is ordered for what no instance could hold, and none beyond the most', async () => {
    await using cloud = await aCloud({ perInstance: 1, most: 2 })
    const huge = await cloud.create('p1', 'huge', 17)
    await until(async () => (await cloud.statuses([huge]))[0] === 'Error', 'it is told')
    expect((await cloud.store.containers.get(huge))?.statusReason).toMatch(/a new instance would be out of cores/)
    expect(cloud.counts.creates).toBe(0)
    const ids = [await cloud.create(), await cloud.create(), await cloud.create()]
    await until(async () => (await cloud.statuses(ids)).every((status) => /Running|Error/.test(status)), 'all settle')
    expect((await cloud.statuses(ids)).sort()).toEqual(['Error', 'Running', 'Running'])
    expect(cloud.counts.creates).toBe(2)
  })
})
