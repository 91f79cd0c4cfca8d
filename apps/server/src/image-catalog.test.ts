import { once } from 'node:events'
import { Fault } from '@gantry/kernel'
import { defaultSpec } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { expect, test, vi } from 'vitest'
import { simHostId } from './testing/a-world.ts'
import { anImageCloud, type ImageCloud, me } from './testing/an-image-cloud.ts'

async function withContainer(around?: Parameters<typeof anImageCloud>[0]): Promise<ImageCloud> {
  const cloud = await anImageCloud(around)
  await cloud.world.control.containers.create(me, { name: 'web', spec: defaultSpec('busybox'), run: true })
  await cloud.world.host.idle()
  return cloud
}

const plain = { author: '', comment: '', changes: [], pause: true, config: {} }
const rows = (cloud: ImageCloud) => cloud.world.store.images.list(me.projectId)
const digests = async (cloud: ImageCloud) => (await rows(cloud)).map(({ repo, digest }) => [repo, digest !== null])

test('a commit is an image of the catalogue, and nothing of it stays in the engine', async () => {
  await using cloud = await withContainer()
  const { engineImages, containers } = cloud.world.control
  const id = await engineImages.commit(me, 'web', { ...plain, repo: 'app', tag: '1' })
  expect(await engineImages.resolve(me, 'app:1')).toEqual({ image: 'app:1', imageId: id })
  expect((await rows(cloud)).map(({ name, size, pending }) => ({ name, size, pending }))).toEqual([
    { name: null, size: 100, pending: null },
  ])
  expect([...cloud.engine.keys()]).toEqual([])
  const nameless = await engineImages.commit(me, 'web', { ...plain, repo: null, tag: '' })
  expect(await engineImages.list(me, { filters: { dangling: true } })).toMatchObject([{ imageId: nameless }])
  const used = await containers.create(me, { name: 'user', spec: defaultSpec('app:1'), run: false })
  expect(used.imageRef).toBe(id)
})

test('a commit that fails leaves the image of that name that was there before', async () => {
  let fail = false
  await using cloud = await withContainer((engine) => ({
    async commit(args, io) {
      if (fail) throw new Fault('engine.failed', { host: 'sim', reason: 'no space left on device' })
      return engine.commit(args, io)
    },
  }))
  const { containers } = cloud.world.control
  const begun = await containers.commit(me, 'web', 'app', '1')
  expect(begun).toMatchObject({ repo: 'app', tag: '1', status: 'saving', imageId: null })
  await vi.waitFor(async () => expect(await digests(cloud)).toEqual([['app', true]]))
  const [first] = await rows(cloud)
  expect(first?.id).toBe(begun.id)
  fail = true
  await containers.commit(me, 'web', 'app', '1')
  await vi.waitFor(async () => expect(await rows(cloud)).toEqual([first]))
  fail = false
  await containers.commit(me, 'web', 'app', '1')
  await vi.waitFor(async () => {
    expect(await digests(cloud)).toEqual([
      ['', true],
      ['app', true],
    ])
  })
})

test('what a host made before its server was killed comes when they meet again', async () => {
  const broken = new AbortController()
  await using cloud = await withContainer((engine) => ({
    async imageGive(args, io) {
      if (broken.signal.aborted) return engine.imageGive(args, io)
      await once(broken.signal, 'abort')
      throw new Fault('host.unreachable', { host: 'sim' })
    },
  }))
  await cloud.world.control.containers.commit(me, 'web', 'app', '1')
  await vi.waitFor(() => expect(cloud.engine.size).toBe(1))
  // The connection breaks, and nobody knows whether anything came.
  broken.abort()
  await vi.waitFor(async () => expect(await rows(cloud)).toMatchObject([{ status: 'queued', repo: 'app' }]))
  await cloud.world.restart()
  await vi.waitFor(async () => expect(await rows(cloud)).toMatchObject([{ status: 'active', repo: 'app', tag: '1' }]))
  expect(cloud.engine.size).toBe(0)
})

test('what a host had not made when its server was killed is forgotten, and its action ends', async () => {
  const commit: AgentCalls['commit'] = () => new Promise(() => {})
  await using cloud = await withContainer(() => ({ commit }))
  await cloud.world.control.containers.commit(me, 'web', 'app', '1')
  expect(await rows(cloud)).toMatchObject([{ status: 'saving', pending: { hostId: simHostId } }])
  await cloud.world.restart()
  await vi.waitFor(async () => expect(await rows(cloud)).toEqual([]))
  const [action] = await cloud.world.control.containers.actions(me, 'web')
  expect(action).toMatchObject({ name: 'commit', error: expect.stringContaining('restarted') })
})

test('a host gives nobody what it only says that it pushed', async () => {
  const digest = `sha256:${'ab'.repeat(32)}`
  const imageGive: AgentCalls['imageGive'] = async () => ({
    reply: { imageId: digest, size: 1, layers: [], digest },
    output: null,
  })
  await using cloud = await withContainer(() => ({ imageGive }))
  const { engineImages } = cloud.world.control
  await expect(engineImages.commit(me, 'web', { ...plain, repo: 'app', tag: '1' })).rejects.toMatchObject({
    code: 'manifest.unknown',
  })
  expect(await rows(cloud)).toEqual([])
})
