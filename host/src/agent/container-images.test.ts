import { Fault } from '@gantry/kernel'
import { type Assignment, defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { EngineError } from '../engine/engine-error.ts'
import type { Fetch, HostImages } from '../images/host-images.ts'
import { containerImages } from './container-images.ts'

const signal = new AbortController().signal
const id = `sha256:${'1'.repeat(64)}`
const source = { repository: 'gantry/a', reference: 'sha256:2', pass: 'p' }

function world(fetch: (what: Fetch) => Promise<string>, held: readonly string[] = []) {
  const images = {
    inspect: async (ref: string) => {
      if (!held.includes(ref)) throw new EngineError(404, 'no such image')
      return { Id: id, Size: 1, RepoTags: [], RepoDigests: [] }
    },
  }
  return containerImages({ fetch } as unknown as HostImages, images)
}
const of = (imageRef: string, imageSource: Assignment['imageSource'] = source) =>
  ({ imageRef, imageSource, spec: defaultSpec('busybox') }) as Assignment

test('asks for an image by its id, or under its name', async () => {
  const asked: Fetch[] = []
  const images = world(async (what) => {
    asked.push(what)
    return what.imageId ?? what.engineRef ?? ''
  })
  await images.get(of(id), signal)
  await images.get(of('busybox:latest'), signal)
  expect(asked).toEqual([
    { source, imageId: id, engineRef: null },
    { source, imageId: null, engineRef: 'busybox:latest' },
  ])
})

test('runs it under the name that the engine has for it', async () => {
  const images = world(async () => '127.0.0.1:5042/gantry/a@sha256:2')
  expect(images.named(of(id)).imageRef).toBe(id)
  await images.get(of(id), signal)
  expect(images.named(of(id)).imageRef).toBe('127.0.0.1:5042/gantry/a@sha256:2')
})

test('what is here will do when no registry can be reached, and not when one refuses', async () => {
  const away = new Fault('registry.unreachable', { reason: 'no such host' })
  await world(() => Promise.reject(away), ['busybox:latest']).get(of('busybox:latest'), signal)
  await expect(world(() => Promise.reject(away)).get(of('busybox:latest'), signal)).rejects.toThrow('no such host')
  const denied = new Fault('registry.refused', { reason: 'denied' })
  const refused = world(() => Promise.reject(denied), ['busybox:latest']).get(of('busybox:latest'), signal)
  await expect(refused).rejects.toBeInstanceOf(EngineError)
})

test('without a source only what the engine has is there', async () => {
  const images = world(() => Promise.reject(new Error('asked')), ['mine:1'])
  await images.get(of('mine:1', null), signal)
  await expect(images.get(of('mine:2', null), signal)).rejects.toThrow('there is no registry to get it from')
})
