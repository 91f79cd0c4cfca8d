import type { ConsoleSession } from '@gantry/control'
import type { ContainerId, Registry, RegistryId, UserId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { ours, theirs } from '../testing/samples.ts'

function aRegistry(id: string, rest: Partial<Registry> = {}): Registry {
  return {
    id: id as RegistryId,
    projectId: ours,
    userId: 'u1' as UserId,
    name: id,
    domain: 'registry.example.com:5000',
    username: 'me',
    sealedPassword: 'sealed',
    createdAt: 1,
    updatedAt: 1,
    ...rest,
  }
}

test('registries are found by id before name, within the scope, and ambiguity shows', async () => {
  await using opened = await openStore()
  const { registries } = opened.store
  for (const id of ['b', 'a', 'c']) await registries.insert(aRegistry(id, { name: 'hub' }))
  await registries.insert(aRegistry('hub', { projectId: theirs, username: null, sealedPassword: null }))
  expect(await registries.find(ours, 'a')).toEqual([aRegistry('a', { name: 'hub' })])
  expect(await registries.find(ours, 'hub')).toHaveLength(2)
  expect((await registries.find(null, 'hub')).map(({ username }) => username)).toEqual([null])
  expect(await registries.find(theirs, 'a')).toEqual([])
  expect((await registries.list(ours)).map(({ id }) => id)).toEqual(['b', 'a', 'c'])
  await registries.update('a' as RegistryId, { name: 'mine', username: null, sealedPassword: null, updatedAt: 2 })
  expect(await registries.find(ours, 'mine')).toEqual([
    aRegistry('a', { name: 'mine', username: null, sealedPassword: null, updatedAt: 2 }),
  ])
  await registries.remove('a' as RegistryId)
  expect(await registries.countOf(ours)).toBe(2)
})

test('a console session opens once and not after its time', async () => {
  await using opened = await openStore()
  const { consoles } = opened.store
  const session: ConsoleSession = {
    tokenHash: 'h1',
    containerId: 'c1' as ContainerId,
    projectId: ours,
    userId: 'u1' as UserId,
    execId: null,
    expiresAt: 100,
  }
  await consoles.insert(session, 0)
  await consoles.insert({ ...session, tokenHash: 'h2', execId: 'e1' }, 0)
  expect(await consoles.redeem('h1', 99)).toEqual(session)
  expect(await consoles.redeem('h1', 99)).toBeUndefined()
  expect(await consoles.redeem('h2', 100)).toBeUndefined()
  await consoles.insert({ ...session, tokenHash: 'h3', expiresAt: 200 }, 100)
  expect(await opened.db.selectFrom('console_sessions').select('token_hash').execute()).toEqual([{ token_hash: 'h3' }])
})
