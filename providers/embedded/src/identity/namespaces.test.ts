import type { Project, User } from '@gantry/control'
import type { ProjectId, UserId } from '@gantry/model'
import { expect, test } from 'vitest'
import { embeddedNamespaces } from './namespaces.ts'

const idA = 'a'.repeat(32)
const idB = 'b'.repeat(32)
const idC = 'c'.repeat(32)
const idD = 'd'.repeat(32)

function namespacesOf(...rows: readonly (readonly [id: string, name: string, domainId?: string])[]) {
  const all = rows.map(([id, name, domainId = 'default']) => ({ id, name, domainId }) as Project)
  const refuse = () => Promise.reject(new Error('not asked'))
  return embeddedNamespaces({
    projects: {
      get: async (id) => all.find((project) => project.id === id),
      list: async ({ name } = {}) => all.filter((project) => project.name === name),
      insert: refuse,
      update: refuse,
      remove: refuse,
    },
    users: { get: async (id) => (id === 'u1' ? ({ id, name: 'Ada' } as User) : undefined) },
  })
}

test('a project is found by name and by id, with and without dashes', async () => {
  const found = namespacesOf([idA, 'demo'], [idB, 'Big Project'])
  expect(await found.projectOf('demo')).toBe(idA)
  expect(await found.projectOf(idA)).toBe(idA)
  expect(await found.projectOf('bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb')).toBe(idB)
  expect(await found.projectOf('nobody')).toBeNull()
  expect(await found.namespaceOf(idA as ProjectId)).toBe('demo')
  // A name that no repository may have.
  expect(await found.namespaceOf(idB as ProjectId)).toBe(idB)
})

test('a name of two domains stays that of the default one', async () => {
  const found = namespacesOf([idA, 'demo', 'other'], [idB, 'demo'], [idC, 'x', 'p'], [idD, 'x', 'q'])
  expect(await found.projectOf('demo')).toBe(idB)
  expect(await found.namespaceOf(idB as ProjectId)).toBe('demo')
  expect(await found.namespaceOf(idA as ProjectId)).toBe(idA)
  expect(await found.projectOf('x')).toBeNull()
  expect(await found.namespaceOf(idC as ProjectId)).toBe(idC)
})

test('a project that is called like another one’s id does not take its place', async () => {
  const found = namespacesOf([idA, 'demo'], [idB, idA])
  expect(await found.projectOf(idA)).toBe(idA)
  expect(await found.namespaceOf(idB as ProjectId)).toBe(idB)
})

test('people are shown by name as long as they are there', async () => {
  const found = namespacesOf()
  expect(await found.userNameOf('u1' as UserId)).toBe('Ada')
  expect(await found.userNameOf('u2' as UserId)).toBe('u2')
})
