import type { Capsule, CapsuleId, ContainerId, HostId, UserId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { aContainer, inCapsule, ours, theirs } from '../testing/samples.ts'

function aCapsule(id: string, rest: Partial<Capsule> = {}): Capsule {
  return {
    id: id as CapsuleId,
    projectId: ours,
    userId: 'u1' as UserId,
    name: id,
    labels: { app: 'web' },
    annotations: {},
    restartPolicy: 'always',
    hostId: null,
    gone: false,
    createdAt: 1,
    updatedAt: 1,
    ...rest,
  }
}

const page = { limit: 10, marker: null }

test('capsules are found by id before name, within the scope, and ambiguity shows', async () => {
  await using opened = await openStore()
  const { capsules } = opened.store
  await capsules.insert(aCapsule('a', { name: 'twin' }))
  await capsules.insert(aCapsule('b', { name: 'twin' }))
  await capsules.insert(aCapsule('c', { name: 'twin' }))
  await capsules.insert(aCapsule('twin', { projectId: theirs }))
  expect(await capsules.find(ours, 'twin')).toHaveLength(2)
  expect((await capsules.find(null, 'twin')).map(({ id }) => id)).toEqual(['twin'])
  expect(await capsules.find(theirs, 'a')).toEqual([])
  expect(await capsules.get('a' as CapsuleId)).toEqual(aCapsule('a', { name: 'twin' }))
})

test('capsules are paged by age, and the marker must be in sight', async () => {
  await using opened = await openStore()
  const { capsules } = opened.store
  for (const id of ['c', 'a', 'b']) await capsules.insert(aCapsule(id))
  await capsules.insert(aCapsule('x', { projectId: theirs }))
  const ids = (found: readonly Capsule[]) => found.map(({ id }) => id)
  expect(ids(await capsules.list(ours, { limit: 2, marker: null }))).toEqual(['c', 'a'])
  expect(ids(await capsules.list(ours, { limit: 2, marker: 'a' as CapsuleId }))).toEqual(['b'])
  expect(ids(await capsules.list(null, page))).toEqual(['c', 'a', 'b', 'x'])
  await expect(capsules.list(ours, { limit: 2, marker: 'x' as CapsuleId })).rejects.toMatchObject({
    code: 'capsule.not-found',
  })
})

test('a capsule waits for a host until it has one or is to go', async () => {
  await using opened = await openStore()
  const { capsules } = opened.store
  for (const id of ['a', 'b', 'c']) await capsules.insert(aCapsule(id))
  await capsules.update('a' as CapsuleId, { hostId: 'h1' as HostId, updatedAt: 9 })
  await capsules.update('b' as CapsuleId, { gone: true })
  expect((await capsules.unplaced()).map(({ id }) => id)).toEqual(['c'])
  expect(await capsules.ofHost('h1' as HostId)).toEqual([aCapsule('a', { hostId: 'h1' as HostId, updatedAt: 9 })])
  expect(await capsules.countOf(ours)).toBe(3)
  await capsules.remove('a' as CapsuleId)
  expect(await capsules.countOf(ours)).toBe(2)
})

test('members come in the order they are to start, and only their capsule lists them', async () => {
  await using opened = await openStore()
  const { containers, capsules } = opened.store
  const unplaced = { hostId: null, hostName: null }
  await containers.insert(aContainer('web', { capsule: inCapsule('member', 1), ...unplaced }))
  await containers.insert(aContainer('db', { capsule: inCapsule('member', 0), ...unplaced }))
  await containers.insert(aContainer('prepare', { capsule: inCapsule('init'), ...unplaced }))
  await containers.insert(aContainer('box', { capsule: inCapsule('sandbox'), ...unplaced }))
  await containers.insert(aContainer('alone', unplaced))
  expect((await capsules.members('capsule-1' as CapsuleId)).map(({ id }) => id)).toEqual([
    'box',
    'prepare',
    'db',
    'web',
  ])
  expect(await containers.find(ours, 'web')).toHaveLength(1)
  await containers.update('web' as ContainerId, { name: 'front' })
  expect(await containers.find(ours, 'front')).toEqual([])
  const all = { filters: {}, sortKey: 'id', descending: false, limit: 10, marker: null } as const
  expect((await containers.list(ours, all)).map(({ id }) => id)).toEqual(['alone'])
  await expect(containers.list(null, { ...all, marker: 'db' as ContainerId })).rejects.toMatchObject({
    code: 'container.not-found',
  })
  // A capsule gets its host with its sandbox.
  expect((await containers.unplaced()).map(({ id }) => id)).toEqual(['box', 'alone'])
  expect((await containers.get('web' as ContainerId))?.capsule).toEqual(inCapsule('member', 1))
})
