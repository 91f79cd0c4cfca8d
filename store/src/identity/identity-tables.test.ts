import type { Project, User } from '@gantry/control'
import { Kysely, SqliteDialect } from 'kysely'
import { expect, test } from 'vitest'
import { up } from '../migrations/0002-identity.ts'
import { sqliteDriver } from '../sqlite/driver.ts'
import { type IdentityDatabase, identityTables } from './index.ts'

async function openStore() {
  const db = new Kysely<IdentityDatabase>({ dialect: new SqliteDialect({ database: sqliteDriver(':memory:') }) })
  await up(db as unknown as Kysely<unknown>)
  return { store: identityTables(db), [Symbol.asyncDispose]: () => db.destroy() }
}

const project = (id: string, name = id): Project => ({
  id,
  name,
  domainId: 'default',
  parentId: null,
  description: '',
  enabled: true,
  tags: ['a', 'b'],
})
const user = (id: string): User => ({
  id,
  name: id,
  domainId: 'default',
  defaultProjectId: null,
  email: null,
  description: '',
  enabled: true,
})

test('an entity comes back as it was put in, and filters match null and booleans', async () => {
  await using opened = await openStore()
  const { projects } = opened.store
  await projects.insert(project('p1'))
  await projects.insert({ ...project('p2'), parentId: 'p1', enabled: false })
  expect(await projects.get('p1')).toEqual(project('p1'))
  expect((await projects.list({ parentId: null })).map(({ id }) => id)).toEqual(['p1'])
  expect((await projects.list({ enabled: false })).map(({ id }) => id)).toEqual(['p2'])
  await projects.update('p2', { enabled: true, tags: [] })
  expect(await projects.get('p2')).toEqual({ ...project('p2'), parentId: 'p1', tags: [] })
})

test('a taken name is a conflict on insert and on update, but not in another domain', async () => {
  await using opened = await openStore()
  const { projects } = opened.store
  await projects.insert(project('p1', 'same'))
  await expect(projects.insert(project('p2', 'same'))).rejects.toMatchObject({ code: 'identity.conflict' })
  await projects.insert({ ...project('p3', 'same'), domainId: 'other' })
  await projects.insert(project('p4'))
  await expect(projects.update('p4', { name: 'same' })).rejects.toMatchObject({ code: 'identity.conflict' })
})

test('roles come from own grants and from groups, and go with the user', async () => {
  await using opened = await openStore()
  const { store } = opened
  await store.users.insert(user('u'))
  await store.groups.insert({ id: 'g', name: 'g', domainId: 'default', description: '' })
  for (const id of ['r1', 'r2']) await store.roles.insert({ id, name: id, description: null })
  const target = { kind: 'project', id: 'p' } as const
  await store.grants.add({ actor: { kind: 'user', id: 'u' }, target, roleId: 'r1' })
  await store.grants.add({ actor: { kind: 'group', id: 'g' }, target, roleId: 'r1' })
  await store.grants.add({ actor: { kind: 'group', id: 'g' }, target, roleId: 'r2' })
  expect((await store.grants.rolesOf('u', target)).map(({ id }) => id)).toEqual(['r1'])
  await store.members.add('g', 'u')
  await store.members.add('g', 'u')
  expect((await store.grants.rolesOf('u', target)).map(({ id }) => id)).toEqual(['r1', 'r2'])
  expect(await store.grants.targetsOf('u', 'project')).toEqual(['p'])
  await store.users.remove('u')
  expect(await store.grants.list({ userId: 'u' })).toEqual([])
  expect(await store.members.users('g')).toEqual([])
  expect(await store.grants.list({ target })).toHaveLength(2)
})

test('a revocation covers what was issued before it, and never moves back', async () => {
  await using opened = await openStore()
  const { revocations } = opened.store
  await revocations.add({ subject: 'user:u', at: 100, until: 1000 })
  await revocations.add({ subject: 'user:u', at: 50, until: 900 })
  expect(await revocations.covers(['token:x', 'user:u'], 100)).toBe(true)
  expect(await revocations.covers(['user:u'], 101)).toBe(false)
  expect(await revocations.covers(['user:v'], 1)).toBe(false)
  await revocations.prune(1001)
  expect(await revocations.covers(['user:u'], 1)).toBe(false)
})
