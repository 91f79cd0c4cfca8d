import { expect, test } from 'vitest'
import { EngineError } from '../engine/engine-error.ts'
import { imageForgetting } from './image-forgetting.ts'

const id = `sha256:${'1'.repeat(64)}`
const signal = new AbortController().signal

/** An engine with one image; with a tag of a repository, its digest goes too. */
function engineWith(names: string[], { inUse = false } = {}) {
  const engine = {
    names,
    inUse,
    removed: [] as string[],
    inspect: async () => {
      if (engine.names.length === 0) throw new EngineError(404, 'no such image')
      const isDigest = (name: string) => name.includes('@')
      return {
        Id: id,
        Size: 1,
        RepoTags: engine.names.filter((name) => !isDigest(name)),
        RepoDigests: engine.names.filter(isDigest),
      }
    },
    remove: async (name: string) => {
      if (engine.inUse && engine.names.length === 1) throw new EngineError(409, 'in use')
      engine.removed.push(name)
      const repo = name.replace(/(@|:[^:/]*$).*/, '')
      engine.names = engine.names.filter((each) => each !== name && !each.startsWith(`${repo}@`))
    },
  }
  return engine
}

test('takes only the names of copies, each once', async () => {
  const engine = engineWith([
    'busybox:latest',
    '127.0.0.1:5042/incoming:abc',
    '127.0.0.1:5042/incoming@sha256:12',
    '127.0.0.1:9/gantry/a1@sha256:12',
  ])
  await imageForgetting(engine).forget([id], signal)
  expect(engine.removed).toEqual(['127.0.0.1:5042/incoming:abc', '127.0.0.1:9/gantry/a1@sha256:12'])
  expect(engine.names).toEqual(['busybox:latest'])
})

test('waits for what is in use, unless it is wanted again', async () => {
  const engine = engineWith(['127.0.0.1:5042/gantry/a1@sha256:12'], { inUse: true })
  const forgetting = imageForgetting(engine)
  await forgetting.forget([id], signal)
  expect(engine.names).toHaveLength(1)
  forgetting.keep(id)
  engine.inUse = false
  await forgetting.rest(signal)
  expect(engine.names).toHaveLength(1)
  await forgetting.forget([id], signal)
  expect(engine.names).toEqual([])
  await forgetting.forget([id], signal)
})

test('leaves names alone that only look like it', async () => {
  const names = ['127.0.0.1:5042/gantry-x/a:1', '127.0.0.1/gantry/a:1', 'x/127.0.0.1:5042/gantry/a:1']
  const engine = engineWith([...names])
  await imageForgetting(engine).forget([id], signal)
  expect(engine.names).toEqual(names)
})
