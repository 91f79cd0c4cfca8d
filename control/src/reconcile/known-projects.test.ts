import type { ContainerId, ProjectId } from '@gantry/model'
import { expect, test } from 'vitest'
import { knownProjects } from './known-projects.ts'

const [a, b, c] = ['a', 'b', 'c'] as ContainerId[] as [ContainerId, ContainerId, ContainerId]
const [mine, yours] = ['mine', 'yours'] as ProjectId[] as [ProjectId, ProjectId]

test('only what is not known is asked for, and what is not there is asked for again', async () => {
  const asked: (readonly ContainerId[])[] = []
  const known = knownProjects({
    projectsOf: async (ids) => {
      asked.push(ids)
      return new Map(ids.filter((id) => id === b).map((id) => [id, yours]))
    },
  })
  known.note(a, mine)
  expect(await known.of([a, b, c])).toEqual(new Set([mine, yours]))
  expect(await known.of([b, c])).toEqual(new Set([yours]))
  expect(asked).toEqual([[b, c], [c]])
})
