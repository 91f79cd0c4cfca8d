import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

const owner = aCaller('p1')
const other = aCaller('p2')
const admin = aCaller('admins', ['admin'])

test('what was asked of a container can be read by its project after the container is gone', async () => {
  await using world = await aWorld()
  const { containers } = world.control
  const { id } = await containers.create(owner, { name: 'web', spec: defaultSpec('busybox'), run: true })
  await world.host.idle()
  await containers.delete(owner, id, { force: false, stop: true })
  await world.host.idle()
  expect(await world.store.containers.get(id)).toBeUndefined()
  expect((await containers.actions(owner, id)).map(({ name }) => name)).toEqual(['delete', 'create'])
  const { action, events } = await containers.action(owner, id, owner.requestId)
  expect(action.containerId).toBe(id)
  expect(events.length).toBeGreaterThan(0)
  expect(await containers.actions(admin, id)).toHaveLength(2)
  for (const [caller, ref] of [
    [other, id],
    [owner, 'web'],
  ] as const) {
    await expect(containers.actions(caller, ref)).rejects.toMatchObject({ code: 'container.not-found' })
    await expect(containers.action(caller, ref, owner.requestId)).rejects.toMatchObject({ code: 'container.not-found' })
  }
})
