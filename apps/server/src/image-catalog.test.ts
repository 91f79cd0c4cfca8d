import { Fault } from '@gantry/kernel'
import { defaultSpec } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { expect, test } from 'vitest'
import { aCaller, aWorld, type World } from './testing/a-world.ts'

const me = aCaller()
const admin = aCaller('admins', ['admin'])

async function withContainer(calls: Partial<AgentCalls>): Promise<World> {
  const world = await aWorld({ calls })
  await world.control.containers.create(me, { name: 'web', spec: defaultSpec('busybox'), run: true })
  await world.host.idle()
  return world
}

const imageIds = async ({ control }: World) => (await control.images.list(me)).map(({ imageId }) => imageId)

test('a commit that fails leaves the image of that name that was there before', async () => {
  let fail = false
  let count = 0
  const commit: AgentCalls['commit'] = async () => {
    if (fail) throw new Fault('engine.failed', { host: 'sim', reason: 'no space left on device' })
    count += 1
    return { reply: { imageId: `sha256:${count}`, size: 1 }, output: null }
  }
  await using world = await withContainer({ commit })
  const { containers } = world.control
  await containers.commit(me, 'web', 'app', '1')
  await expect.poll(() => imageIds(world)).toEqual(['sha256:1'])
  fail = true
  await containers.commit(me, 'web', 'app', '1')
  await expect.poll(() => imageIds(world)).toEqual(['sha256:1'])
  fail = false
  await containers.commit(me, 'web', 'app', '1')
  await expect.poll(() => imageIds(world)).toEqual(['sha256:2'])
})

test('an image that a dead server left half made is forgotten at the next start, and its action ends', async () => {
  const commit: AgentCalls['commit'] = () => new Promise(() => {})
  await using world = await withContainer({ commit })
  await world.control.containers.commit(me, 'web', 'app', '1')
  expect(await imageIds(world)).toEqual([null])
  await world.restart()
  expect(await imageIds(world)).toEqual([])
  const [action] = await world.control.containers.actions(me, 'web')
  expect(action).toMatchObject({ name: 'commit', error: expect.stringContaining('restarted') })
})

test('an image that its host does not have any more can be deleted', async () => {
  const commit: AgentCalls['commit'] = async () => ({ reply: { imageId: 'sha256:1', size: 1 }, output: null })
  const imageRemove: AgentCalls['imageRemove'] = async ({ engineRef }) => {
    throw new Fault('image.not-found', { image: engineRef, reason: 'pruned' })
  }
  await using world = await withContainer({ commit, imageRemove })
  const { id } = await world.control.containers.commit(me, 'web', 'app', '1')
  await expect.poll(() => imageIds(world)).toEqual(['sha256:1'])
  await world.control.images.delete(me, id)
  expect(await imageIds(world)).toEqual([])
})

test('a pull that fails is forgotten', async () => {
  const imagePull: AgentCalls['imagePull'] = async () => {
    throw new Fault('image.not-found', { image: 'nope', reason: 'no' })
  }
  await using world = await withContainer({ imagePull })
  await world.control.images.pull(admin, { repo: 'nope', tag: '1', host: 'sim' })
  await expect.poll(() => imageIds(world)).toEqual([])
})
