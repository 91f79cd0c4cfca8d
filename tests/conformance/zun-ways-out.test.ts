import type { Control } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { type ContainerId, defaultSpec } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aCaller, aWorld, type World } from '../../apps/server/src/testing/a-world.ts'
import { willingHost } from './state-requests.ts'

/** Whatever was asked and whatever happened: the owner's delete ends it, and nothing stays behind. */

const owner = aCaller('p1')
type Act = (control: Control, id: ContainerId) => Promise<unknown>
type Mishap = (world: World, id: ContainerId) => Promise<unknown>

const acts: Readonly<Record<string, Act>> = {
  start: ({ containers }, id) => containers.start(owner, id),
  stop: ({ containers }, id) => containers.stop(owner, id, { graceSeconds: 0 }),
  kill: ({ containers }, id) => containers.kill(owner, id, 'KILL'),
  pause: ({ containers }, id) => containers.pause(owner, id),
  unpause: ({ containers }, id) => containers.unpause(owner, id),
  reboot: ({ containers }, id) => containers.reboot(owner, id, { graceSeconds: 0 }),
  rebuild: ({ containers }, id) => containers.rebuild(owner, id, {}),
  resize: ({ containers }, id) => containers.update(owner, id, { cpu: 0.2 }),
  rename: ({ containers }, id) => containers.rename(owner, id, 'another-name'),
  attach: ({ containers }, id) => containers.attachNetwork(owner, id, { network: 'second', addresses: [] }),
  detach: ({ containers }, id) => containers.detachNetwork(owner, id, { network: 'first' }),
  commit: ({ containers }, id) => containers.commit(owner, id, 'saved', 'v1'),
  'plain delete': ({ containers }, id) => containers.delete(owner, id, { force: false, stop: false }),
}

const failing = (step: string | null): Mishap => {
  return async ({ host }) => {
    host.failing = step === null ? null : { step, reason: 'the engine would not' }
  }
}
const mishaps: Readonly<Record<string, Mishap>> = {
  settles: ({ host }) => host.idle(),
  'its process ends': ({ host }, id) => host.exit(id, 1),
  'it loops': ({ host }, id) => host.becomes(id, { state: 'restarting' }),
  'it is dead': ({ host }, id) => host.becomes(id, { state: 'dead' }),
  'it is paused by somebody else': ({ host }, id) => host.becomes(id, { state: 'paused' }),
  'it vanishes': ({ host }, id) => host.becomes(id, null),
  'create fails': failing('create'),
  'start fails': failing('start'),
  'stop fails': failing('stop'),
  'all goes well': failing(null),
  'the host goes': ({ host }) => host.disconnect(),
  async 'the host is lost'({ host, store }, id) {
    await host.disconnect()
    const before = await store.containers.get(id)
    if (before?.hostId) await expect.poll(async () => (await store.containers.get(id))?.hostLost ?? true).toBe(true)
  },
  'the host comes back': ({ host }) => host.connect(),
  'the server is started again': (world) => world.restart(),
}

const step = fc.oneof(
  fc.constantFrom(...Object.keys(acts)).map((name) => ({ act: name })),
  fc.constantFrom(...Object.keys(mishaps)).map((name) => ({ happens: name })),
)

test('a container can always be deleted by its owner, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.constantFrom('no', 'always', 'on-failure'),
      fc.boolean(),
      fc.array(step, { maxLength: 10 }),
      async (run, policy, autoHeal, steps) => {
        await using world = await aWorld({ calls: willingHost(() => world), policy: { hostLostAfterMs: 10 } })
        await furnish(world)
        const { id } = await world.control.containers.create(owner, {
          name: null,
          spec: { ...defaultSpec('busybox'), cpu: 0.1, autoHeal, restartPolicy: { name: policy, maxRetries: 0 } },
          run,
          nets: [{ network: 'first', addresses: [] }],
          mounts: [{ kind: 'new', size: 1, destination: '/data', readOnly: false }],
        })
        for (const one of steps) {
          if ('act' in one) await mayBeRefused(acts[one.act]?.(world.control, id))
          else await mishaps[one.happens]?.(world, id)
        }
        world.host.failing = null
        await mustGo(world, id)
      },
    ),
    { numRuns: 60 },
  )
}, 120_000)

async function furnish({ control }: World): Promise<void> {
  for (const [number, name] of ['first', 'second'].entries()) {
    await control.network.networks.create(owner, { name, shared: false, external: false })
    await control.network.subnets.create(owner, { network: name, name, cidr: `10.0.${number}.0/24` })
  }
}

/** A refusal is fine; anything else that is thrown is not. */
async function mayBeRefused(work: Promise<unknown> | undefined): Promise<void> {
  try {
    await work
  } catch (error) {
    const refused = error instanceof Fault && ['conflict', 'invalid', 'not-found'].includes(error.kind)
    if (!refused) throw error
  }
}

async function mustGo(world: World, id: ContainerId): Promise<void> {
  const { control, host, store } = world
  try {
    await control.containers.delete(owner, id, { force: false, stop: true })
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'container.not-found') throw error
  }
  await host.connect()
  await host.idle()
  await expect.poll(async () => (await store.containers.get(id))?.status, { timeout: 5000 }).toBeUndefined()
  await host.idle()
  expect(host.engine.has(id)).toBe(false)
  expect(await control.network.ports.list(owner, { device: id })).toEqual([])
  await expect.poll(async () => (await control.storage.volumes.list(owner)).length).toBe(0)
  await expect.poll(() => [...host.volumes.keys()]).toEqual([])
  const { used } = await control.quotas.get(owner, owner.projectId)
  expect(used).toMatchObject({ containers: 0, cpu: 0, memory: 0 })
}
