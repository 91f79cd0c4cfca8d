import type { Action, ActionId, ContainerId, RequestId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { aContainer } from '../testing/samples.ts'

const { projectId, userId } = aContainer('c')
const action = (container: string, number: number, finishedAt: number | null): Action => ({
  id: `${container}-${number}` as ActionId,
  containerId: container as ContainerId,
  projectId,
  userId,
  requestId: `r${number}` as RequestId,
  name: 'start',
  wishVersion: number,
  startedAt: number,
  finishedAt,
  error: null,
})

test('of a container for which much is done the newest actions are kept, and what is under way', async () => {
  await using opened = await openStore()
  const { actions } = opened.store
  const numbers = Array.from({ length: 30 }, (_none, number) => number)
  await actions.insertMany(numbers.map((number) => action('busy', number, number === 3 ? null : 100 + number)))
  await actions.insertMany(numbers.map((number) => action('quiet', number, 50)))
  await actions.insertMany(numbers.slice(0, 5).map((number) => action('young', number, 120)))
  const step = { name: 'start', startedAt: 1, finishedAt: 2, result: 'Success', detail: null } as const
  await actions.addEvent({ ...step, actionId: 'busy-0' as ActionId })
  await actions.addEvent({ ...step, actionId: 'busy-29' as ActionId })
  const rounds: number[] = []
  do rounds.push(await actions.pruneLong(100, 10, 12))
  while (rounds.at(-1) !== 0)
  expect(rounds).toEqual([12, 7, 0])
  const left = async (id: string) => (await actions.list(id as ContainerId)).map(({ startedAt }) => startedAt)
  expect(await left('busy')).toEqual([...numbers.slice(20).reverse(), 3])
  expect(await left('quiet')).toHaveLength(30)
  expect(await left('young')).toHaveLength(5)
  expect(await actions.events('busy-0' as ActionId)).toEqual([])
  expect(await actions.events('busy-29' as ActionId)).toHaveLength(1)
})
