import { defaultSpec, nothingUsed } from '@gantry/model'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { aCaller, aWorld, type World, type WorldOptions } from './testing/a-world.ts'

const open: World[] = []
afterEach(async () => {
  for (const world of open.splice(0)) await world[Symbol.asyncDispose]()
})

async function newWorld(policy: WorldOptions['policy'] = {}): Promise<World> {
  const world = await aWorld({ policy })
  open.push(world)
  return world
}

const spec = () => defaultSpec('busybox:latest')
const admin = aCaller('admins', ['admin'])

test('a container that is run becomes Running and its create action ends', async () => {
  const { control, host } = await newWorld()
  const me = aCaller()
  const made = await control.containers.create(me, { name: 'web', spec: spec(), run: true })
  expect(made.status).toBe('Creating')
  await host.idle()
  const seen = await control.containers.get(me, 'web')
  expect(seen).toMatchObject({ status: 'Running', task: null, hostName: 'sim' })
  const { action, events } = await control.containers.action(me, 'web', me.requestId)
  expect(action).toMatchObject({ name: 'create', error: null })
  expect(action.finishedAt).not.toBeNull()
  expect(events.map((event) => event.name)).toEqual(['create', 'start'])
})

test('every verb reaches the state it promises', async () => {
  const { control, host } = await newWorld()
  const me = aCaller()
  const { containers } = control
  await containers.create(me, { name: 'web', spec: spec(), run: false })
  await host.idle()
  const status = async () => {
    await host.idle()
    return (await containers.get(me, 'web')).status
  }
  expect(await status()).toBe('Created')
  await containers.start(me, 'web')
  expect(await status()).toBe('Running')
  const before = (await containers.get(me, 'web')).observed.engine?.startedAt
  expect((await containers.reboot(me, 'web', { graceSeconds: 1 })).status).toBe('Restarting')
  expect(await status()).toBe('Running')
  expect((await containers.get(me, 'web')).observed.engine?.startedAt).not.toBe(before)
  await containers.pause(me, 'web')
  expect(await status()).toBe('Paused')
  await containers.unpause(me, 'web')
  expect(await status()).toBe('Running')
  await containers.update(me, 'web', { cpu: 2, memory: 1024, name: 'site' })
  await host.idle()
  expect((await containers.get(me, 'site')).observed.engine).toMatchObject({ cpu: 2, memory: 1024 })
  await containers.rename(me, 'site', 'web')
  expect((await containers.rebuild(me, 'web', { image: 'other' })).status).toBe('Rebuilding')
  expect(await status()).toBe('Running')
  expect((await containers.get(me, 'web')).observed.engine?.generation).toBe(2)
  await containers.stop(me, 'web', { graceSeconds: 1 })
  expect(await status()).toBe('Stopped')
  await containers.delete(me, 'web', { force: false, stop: false })
  await host.idle()
  await expect(containers.get(me, 'web')).rejects.toMatchObject({ code: 'container.not-found' })
  expect(host.engine.size).toBe(0)
})

test('a failed start is an Error with its reason, and is not tried again until asked', async () => {
  const world = await newWorld()
  const { control, host } = world
  const me = aCaller()
  host.failing = { step: 'start', reason: 'no such command' }
  await control.containers.create(me, { name: 'bad', spec: spec(), run: true })
  await host.idle()
  expect(await control.containers.get(me, 'bad')).toMatchObject({ status: 'Error', statusReason: 'no such command' })
  host.failing = null
  await world.restart()
  await host.idle()
  expect((await world.control.containers.get(me, 'bad')).status).toBe('Error')
  await world.control.containers.start(me, 'bad')
  await host.idle()
  expect((await world.control.containers.get(me, 'bad')).status).toBe('Running')
})

test('what another project owns is not there, for every verb', async () => {
  const { control, host } = await newWorld()
  const made = await control.containers.create(aCaller('p1'), { name: 'web', spec: spec(), run: true })
  await host.idle()
  const other = aCaller('p2')
  const { containers } = control
  const signal = new AbortController().signal
  for (const ref of [made.id, 'web']) {
    const attempts = [
      containers.get(other, ref),
      containers.update(other, ref, { cpu: 1 }),
      containers.delete(other, ref, { force: false, stop: true }),
      containers.start(other, ref),
      containers.stop(other, ref, { graceSeconds: 1 }),
      containers.reboot(other, ref, { graceSeconds: 1 }),
      containers.pause(other, ref),
      containers.unpause(other, ref),
      containers.kill(other, ref, 'KILL'),
      containers.rebuild(other, ref, {}),
      containers.rename(other, ref, 'mine'),
      containers.logs(
        other,
        ref,
        { stdout: true, stderr: true, timestamps: false, follow: false, tail: null, since: null },
        signal,
      ),
      containers.top(other, ref, null),
      containers.stats(other, ref),
      containers.getArchive(other, ref, '/', signal),
      containers.commit(other, ref, 'x', 'y'),
      containers.actions(other, ref),
    ]
    for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ code: 'container.not-found' })
  }
  await expect(containers.get(other, made.id, { allProjects: true })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
  expect((await containers.get(admin, made.id)).id).toBe(made.id)
})

test('a quota holds against a crowd of simultaneous creates, and is given back', async () => {
  const { control, host } = await newWorld()
  const me = aCaller()
  await control.quotas.set(admin, me.projectId, { containers: 5 })
  const all = await Promise.allSettled(
    Array.from({ length: 20 }, () => control.containers.create(aCaller(), { name: null, spec: spec(), run: true })),
  )
  expect(all.filter((one) => one.status === 'fulfilled')).toHaveLength(5)
  const refusal = all.find((one) => one.status === 'rejected')
  expect(refusal?.reason).toMatchObject({ code: 'quota.exceeded' })
  await host.idle()
  expect((await control.quotas.get(me, me.projectId)).used).toMatchObject({ containers: 5, cpu: 5, memory: 2560 })
  for (const one of all) {
    if (one.status === 'fulfilled') await control.containers.delete(me, one.value.id, { force: false, stop: true })
  }
  await host.idle()
  expect((await control.quotas.get(me, me.projectId)).used).toEqual(nothingUsed)
})

test('with no host the container waits, then is an Error that says why; a host in time saves it', async () => {
  const { control, host, clock } = await newWorld({ placementPatienceMs: 50, hostLostAfterMs: 20 })
  await host.disconnect()
  clock.at += 1000
  const me = aCaller()
  await control.containers.create(me, { name: 'saved', spec: spec(), run: true })
  await host.connect()
  await host.idle()
  expect((await control.containers.get(me, 'saved')).status).toBe('Running')
  await host.disconnect()
  clock.at += 1000
  await control.containers.create(me, { name: 'late', spec: spec(), run: true })
  clock.at += 1000
  await expect
    .poll(async () => (await control.containers.get(me, 'late')).statusReason)
    .toContain('No host fits: 1 of 1 is not connected')
  await control.containers.delete(me, 'late', { force: false, stop: false })
  await expect(control.containers.get(me, 'late')).rejects.toMatchObject({ code: 'container.not-found' })
})

test('containers of a lost host are Unknown, can be deleted, and are right again when it returns', async () => {
  const { control, host, clock } = await newWorld({ hostLostAfterMs: 20 })
  const me = aCaller()
  for (const name of ['keep', 'drop']) await control.containers.create(me, { name, spec: spec(), run: true })
  await host.idle()
  await host.disconnect()
  clock.at += 1000
  await expect.poll(async () => (await control.containers.get(me, 'keep')).status).toBe('Unknown')
  await control.containers.delete(me, 'drop', { force: false, stop: true })
  await expect(control.containers.get(me, 'drop')).rejects.toMatchObject({ code: 'container.not-found' })
  await host.connect()
  await host.idle()
  expect((await control.containers.get(me, 'keep')).status).toBe('Running')
  expect(host.engine.size).toBe(1)
})

test('one tenant cannot run what another committed, by any spelling', async () => {
  const { control } = await newWorld()
  for (const image of ['gantry-0123456789abcdef0123456789abcdef/secret:1', 'sha256:0123456789ab']) {
    const attempt = control.containers.create(aCaller(), { name: null, spec: defaultSpec(image), run: true })
    await expect(attempt).rejects.toMatchObject({ code: 'image.not-found' })
  }
  const made = await control.containers.create(aCaller(), { name: null, spec: defaultSpec('0123456789ab'), run: true })
  expect(made.imageRef).toBe('0123456789ab:latest')
})

test('auto-remove: the exit is seen, then the container is forgotten', async () => {
  const { control, host } = await newWorld()
  const me = aCaller()
  const made = await control.containers.create(me, { name: 'once', spec: { ...spec(), autoRemove: true }, run: true })
  await host.idle()
  const abort = new AbortController()
  const seen: string[] = []
  const watching = (async () => {
    for await (const event of control.events.watch(me, {}, abort.signal)) {
      seen.push(`${event.status} ${event.exitCode}`)
      if (event.gone) abort.abort()
    }
  })()
  await host.exit(made.id, 3)
  await watching
  expect(seen.at(-1)).toMatch(/^Deleted/)
  expect(host.engine.size).toBe(0)
})

test('any mix of requests, exits, restarts and disconnections ends settled, with nothing left over', async () => {
  const verbs = [
    'start',
    'stop',
    'reboot',
    'pause',
    'unpause',
    'rebuild',
    'exit',
    'disconnect',
    'connect',
    'restart',
    'delete',
  ] as const
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...verbs), fc.nat(2), fc.boolean()), { maxLength: 25 }),
      async (script) => {
        const world = await newWorld()
        const me = aCaller()
        let online = true
        const ids = await Promise.all(
          ['a1', 'b1', 'c1'].map(
            async (name) => (await world.control.containers.create(me, { name, spec: spec(), run: true })).id,
          ),
        )
        for (const [verb, which, wait] of script) {
          const id = ids[which]
          if (id === undefined) continue
          const { containers } = world.control
          if (verb === 'disconnect' || verb === 'connect') {
            if (online !== (verb === 'connect')) await world.host[verb]()
            online = verb === 'connect'
          } else if (verb === 'restart') {
            if (online) await world.restart()
          } else if (verb === 'exit') {
            if (online && world.host.engine.get(id)?.state === 'running') await world.host.exit(id, 0)
          } else {
            const options = { graceSeconds: 1, force: false, stop: true }
            await containers[verb](me, id, options).catch((error: { kind?: string }) => {
              expect(['conflict', 'not-found']).toContain(error.kind)
            })
          }
          if (wait) await world.host.idle()
        }
        if (!online) await world.host.connect()
        await world.host.idle()
        const left = await world.control.containers.list(me, {
          filters: {},
          sortKey: 'id',
          descending: false,
          limit: 100,
          marker: null,
          allProjects: false,
        })
        for (const container of left) {
          expect(container.task).toBeNull()
          expect(['Running', 'Stopped', 'Paused', 'Created']).toContain(container.status)
          expect(container.observed.settled).toBe(container.wish.version)
        }
        expect([...world.host.engine.keys()].sort()).toEqual(left.map((container) => container.id).sort())
        expect((await world.control.quotas.get(me, me.projectId)).used.containers).toBe(left.length)
      },
    ),
    { numRuns: 60 },
  )
}, 120_000)
