import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld, simHostId } from './testing/a-world.ts'

const spec = defaultSpec('busybox')

test('limits that the engine refuses are taken back: from the container, from the quota, and out of the way', async () => {
  await using world = await aWorld()
  const { control, host } = world
  const me = aCaller()
  await control.containers.create(me, { name: 'web', spec, run: true })
  await host.idle()
  host.failing = { step: 'update', reason: 'The memory limit is below what the container uses now.' }
  await control.containers.update(me, 'web', { cpu: 2, memory: 64 })
  await host.idle()
  const refused = await control.containers.get(me, 'web')
  expect(refused).toMatchObject({ status: 'Running', task: null, statusReason: host.failing.reason })
  expect(refused.spec).toMatchObject({ cpu: 1, memory: 512 })
  expect((await control.quotas.get(me, me.projectId)).used).toMatchObject({ cpu: 1, memory: 512 })
  const [update] = await control.containers.actions(me, 'web')
  expect(update).toMatchObject({ name: 'update', error: host.failing.reason })
  await control.containers.stop(me, 'web', { graceSeconds: 0 })
  await host.idle()
  expect((await control.containers.get(me, 'web')).status).toBe('Stopped')
  await control.containers.start(me, 'web')
  await host.idle()
  expect((await control.containers.get(me, 'web')).status).toBe('Running')
})

test('limits asked for anew before the refusal of the old ones arrived are kept', async () => {
  await using world = await aWorld()
  const { control, host } = world
  const me = aCaller()
  const { id } = await control.containers.create(me, { name: 'web', spec, run: true })
  await host.idle()
  await host.disconnect()
  const { wish } = await control.containers.update(me, 'web', { memory: 64 })
  await control.containers.update(me, 'web', { memory: 1024 })
  const engine = host.engine.get(id) ?? null
  const late = { engine, settled: wish.version, failure: { step: 'update', reason: 'no' } }
  await world.reconciler.reports.observed(simHostId, id, late, false)
  expect((await control.containers.get(me, id)).spec.memory).toBe(1024)
  await host.connect()
  await host.idle()
  expect((await control.containers.get(me, id)).observed.engine?.memory).toBe(1024)
})
