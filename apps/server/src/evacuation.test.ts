import { createControl, defaultPolicy, type Fence, type HostLinks, type Policy } from '@gantry/control'
import { simFacts } from '@gantry/control/testing'
import { Fault, randomIds } from '@gantry/kernel'
import { type Container, type ContainerId, defaultSpec, type HostId } from '@gantry/model'
import { createStore, openSqlite } from '@gantry/store'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { aCaller, someProviders } from './testing/a-world.ts'

const silent = { info() {}, warn() {}, error() {} }
const gauges = { step() {}, settled() {}, waiting() {} }
const clock = { now: () => Date.now() }
const ann = aCaller('p1')
const [lost, kept] = ['lost', 'kept'].map((name) => `id-${name}` as HostId) as [HostId, HostId]

/** A cloud of two hosts, of which one goes away; what hosts are told is not looked at. */
async function aCloud(policy: Partial<Policy>, fence?: Fence) {
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const up = new Set<HostId>()
  const links: HostLinks = {
    connected: (hostId) => up.has(hostId),
    assign: () => undefined,
    tell: () => undefined,
    calls(host) {
      throw new Fault('host.unreachable', { host })
    },
  }
  const providers = await someProviders(store, links, clock)
  const { control, reconciler } = createControl({
    store,
    links,
    ...providers,
    ...(fence && { fence }),
    clock,
    ids: randomIds,
    log: silent,
    gauges,
    policy: { ...defaultPolicy, evacuateAfterSeconds: 1, ...policy },
  })
  const join = async (hostId: HostId) => {
    up.add(hostId)
    await reconciler.reports.connected(hostId, { ...simFacts, hostname: hostId.slice(3), leases: true })
  }
  await reconciler.recover()
  await join(lost)
  return {
    store,
    control,
    join,
    async leave(hostId: HostId) {
      up.delete(hostId)
      await reconciler.reports.disconnected(hostId)
    },
    async run(name: string, spec: Partial<Container['spec']> = {}, mounts: [] | [object] = []) {
      const input = { name, run: true, unplugged: true, spec: { ...defaultSpec('busybox'), ...spec }, mounts }
      const { id } = await control.containers.create(ann, input as never)
      await this.at(id, lost)
      return id
    },
    async at(id: ContainerId, hostId: HostId) {
      await vi.waitFor(async () => expect((await store.containers.get(id))?.hostId).toBe(hostId), { timeout: 5000 })
    },
    async [Symbol.asyncDispose]() {
      await reconciler[Symbol.asyncDispose]()
      await providers[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
}

test('what a fence vouches for is made anew elsewhere; what the operator or its volume keeps stays', async () => {
  const fenced: string[] = []
  await using cloud = await aCloud({ evacuate: 'auto' }, async ({ name }) => void fenced.push(name))
  const heals = await cloud.run('heals', { autoHeal: true })
  const plain = await cloud.run('plain')
  const bound = await cloud.run('bound', { autoHeal: true }, [{ kind: 'new', size: 1, destination: '/data' }])
  await cloud.join(kept)
  await cloud.leave(lost)
  await cloud.at(heals, kept)
  expect(fenced).toEqual(['lost'])
  expect(await cloud.store.containers.get(heals)).toMatchObject({ wish: { generation: 2 }, hostLost: false })
  expect((await cloud.store.containers.get(plain))?.hostId).toBe(lost)
  expect((await cloud.store.containers.get(bound))?.hostId).toBe(lost)
})

test('a fence that fails, or a lease that is not over, keeps everything where it is', async () => {
  await using broken = await aCloud({ evacuate: 'all' }, () => Promise.reject(new Error('no answer from its BMC')))
  // Its lease ends ten seconds before the host counts as lost.
  await using leased = await aCloud({ evacuate: 'all', evacuateAfterSeconds: 20 })
  const ids = [await broken.run('one'), await leased.run('one')]
  expect(await leased.store.containers.get(ids[1] as ContainerId)).toMatchObject({ lease: 10 })
  for (const cloud of [broken, leased]) {
    await cloud.join(kept)
    await cloud.leave(lost)
  }
  await sleep(2500)
  expect((await broken.store.containers.get(ids[0] as ContainerId))?.hostId).toBe(lost)
  expect((await leased.store.containers.get(ids[1] as ContainerId))?.hostId).toBe(lost)
})

test('a host that comes back in time keeps what it has', async () => {
  await using cloud = await aCloud({ evacuate: 'all', evacuateAfterSeconds: 2 }, async () => undefined)
  const id = await cloud.run('one')
  await cloud.join(kept)
  await cloud.leave(lost)
  await sleep(1200)
  await cloud.join(lost)
  await cloud.leave(lost)
  await sleep(1500)
  // Each silence is counted by itself.
  expect((await cloud.store.containers.get(id))?.hostId).toBe(lost)
  await cloud.at(id, kept)
})
