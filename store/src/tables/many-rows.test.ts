import type { ActionId, Container, RequestId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { aContainer, inCapsule } from '../testing/samples.ts'

test('containers that are added together are the same, and in the same order, as one by one', async () => {
  await using opened = await openStore()
  const { containers } = opened.store
  await containers.insert(aContainer('first'))
  const many: Container[] = Array.from({ length: 300 }, (_, index) =>
    aContainer(`c${index}`, {
      name: `it's "quoted" – ${index}`,
      spec: { ...aContainer('x').spec, cpu: 0.25, labels: { 'a"b': "c'd\\" } },
      ...(index === 7 && { capsule: inCapsule('member', 2), hostId: null, hostName: null, hostLost: true }),
    }),
  )
  await opened.store.transaction(async (tables) => {
    await tables.containers.insertMany(many)
    await tables.containers.insertMany([])
  })
  await containers.insert(aContainer('last'))
  const found = await containers.getMany(['last', ...many.map(({ id }) => id), 'first'] as Container['id'][])
  expect(found).toEqual([aContainer('first'), ...many, aContainer('last')])
})

test('actions are added together in their order', async () => {
  await using opened = await openStore()
  const { id, projectId, userId } = aContainer('c')
  const action = (number: number) => ({
    id: `a${number}` as ActionId,
    containerId: id,
    projectId,
    userId,
    requestId: `r${number}` as RequestId,
    name: 'create' as const,
    wishVersion: number,
    startedAt: 1,
    finishedAt: null,
    error: null,
  })
  const { actions } = opened.store
  await opened.store.transaction((tables) => tables.actions.insertMany([1, 2, 3].map(action)))
  await actions.insert(action(4))
  expect(await actions.list(id)).toEqual([4, 3, 2, 1].map(action))
})
