import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

const alike = { name: 'web', spec: { ...defaultSpec('busybox:latest'), cpu: 0.01, memory: 4 }, run: true }

test('many alike are numbered, start, and each has its own action and address', async () => {
  await using world = await aWorld({ policy: { cpuRatio: 1000 } })
  const { control, host } = world
  const me = aCaller()
  const made = await control.containers.createMany(me, alike, 12)
  expect(made.map(({ name }) => name)).toEqual(Array.from({ length: 12 }, (_, index) => `web-${index + 1}`))
  await host.idle()
  const seen = await Promise.all(made.map(({ id }) => control.containers.get(me, id)))
  expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(['Running']))
  expect(new Set(seen.map(({ nics }) => nics[0]?.addresses[0]?.address)).size).toBe(12)
  const { action } = await control.containers.action(me, seen[11]?.id ?? '', me.requestId)
  expect(action).toMatchObject({ name: 'create', error: null })
})

test('what is over quota as a whole makes none', async () => {
  await using world = await aWorld()
  const { control } = world
  const me = aCaller()
  await control.quotas.set(aCaller('admins', ['admin']), me.projectId, { containers: 10 })
  await control.containers.createMany(me, alike, 6)
  await expect(control.containers.createMany(me, alike, 5)).rejects.toMatchObject({ code: 'quota.exceeded' })
  await control.containers.createMany(me, alike, 4)
  for (const count of [0, 1001, 1.5]) {
    await expect(control.containers.createMany(me, alike, count)).rejects.toMatchObject({ code: 'request.invalid' })
  }
  expect((await control.quotas.get(me, me.projectId)).used.containers).toBe(10)
})
