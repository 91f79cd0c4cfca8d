import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { borrowedNames } from './borrowed-names.ts'
import { EngineError } from './engine-error.ts'

const { signal } = new AbortController()

function aShelf(ids: Record<string, string>) {
  const names = new Map(Object.entries(ids))
  return {
    names,
    async inspect(ref: string) {
      const Id = names.get(ref)
      if (Id === undefined) throw new EngineError(404, `No such image: ${ref}`)
      return { Id, RepoTags: [], RepoDigests: [], Size: 1, Created: '2026-01-01T00:00:00Z' }
    },
    async tag(ref: string, repo: string, tag: string) {
      names.set(`${repo}:${tag}`, ref)
    },
    async remove(ref: string) {
      if (!names.delete(ref)) throw new EngineError(404, `No such image: ${ref}`)
    },
  }
}

test('a name that a killed agent had borrowed is given back at the next start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-names-'))
  try {
    const shelf = aShelf({ 'r.example/app:1': 'sha256:public' })
    const before = borrowedNames(folder)
    await before.borrow(shelf, 'r.example/app:1', signal)
    await before.borrow(shelf, 'r.example/new:1', signal)
    shelf.names.set('r.example/app:1', 'sha256:private')
    shelf.names.set('r.example/new:1', 'sha256:private')

    const after = borrowedNames(folder)
    await after.recover(shelf)
    expect([...shelf.names]).toEqual([['r.example/app:1', 'sha256:public']])
    expect(await readdir(folder)).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('nobody else runs or takes a name until it is given back, however it is spelled', async () => {
  const shelf = aShelf({})
  const names = borrowedNames()
  const first = await names.borrow(shelf, 'docker.io/library/app:1', signal)
  const order: string[] = []
  const waits = [
    names.free('app:1', signal).then(() => order.push('run')),
    names.borrow(shelf, 'docker.io/app:1', signal).then(() => order.push('borrow')),
    names.free('other:1', signal).then(() => order.push('other')),
  ]
  await waits[2]
  order.push('back')
  await first.giveBack()
  await Promise.all(waits)
  expect(order.slice(0, 2)).toEqual(['other', 'back'])
  expect(order.toSorted()).toEqual(['back', 'borrow', 'other', 'run'])
})

test('whoever stops waiting for a name does not get it', async () => {
  const shelf = aShelf({})
  const names = borrowedNames()
  const first = await names.borrow(shelf, 'app:1', signal)
  const gone = new AbortController()
  const second = expect(names.borrow(shelf, 'app:1', gone.signal)).rejects.toThrow('gone')
  gone.abort(new Error('gone'))
  await second
  await first.giveBack()
  await (await names.borrow(shelf, 'app:1', signal)).giveBack()
})
