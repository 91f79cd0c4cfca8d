import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServedCloud, serveFakeCloud } from '@gantry/facade-native/testing'
import { expect, test } from 'vitest'
import { type Api, createApi } from './api.ts'
import { ContainerWatch } from './watch.ts'

interface Bench extends AsyncDisposable {
  readonly cloud: ServedCloud
  readonly api: Api
  readonly watch: ContainerWatch
  /** The connections of event streams, oldest first. */
  readonly streams: Socket[]
  /** Requests for single containers so far. */
  looks(): number
}

async function bench(): Promise<Bench> {
  const cloud = await serveFakeCloud()
  const streams: Socket[] = []
  let looks = 0
  cloud.app.server.on('request', ({ url = '', method, socket }) => {
    if (url.startsWith('/v1/events')) streams.push(socket)
    if (method === 'GET' && url.startsWith('/v1/containers/')) looks += 1
  })
  const api = await createApi({ url: `http://127.0.0.1:${cloud.port}` }, 'demo-token')
  const watch = await ContainerWatch.open(api)
  const dispose = async (): Promise<void> => {
    await watch[Symbol.asyncDispose]()
    api.close()
    await cloud[Symbol.asyncDispose]()
  }
  return { cloud, api, watch, streams, looks: () => looks, [Symbol.asyncDispose]: dispose }
}

const isStopped = ({ status }: { status: string }): boolean => status === 'Stopped'

test('waits without asking again and again', async () => {
  await using at = await bench()
  const { id } = await at.api.create({ image: 'busybox', run: true, command: ['sleep'] })
  const outcome = at.watch.until(id, isStopped)
  await sleep(200)
  const before = at.looks()
  await at.api.create({ image: 'busybox', run: true, command: ['exit', '0'] })
  await sleep(200)
  expect(at.looks()).toBe(before)
  await at.api.act(id, 'stop')
  expect(await outcome).toMatchObject({ gone: false, container: { status: 'Stopped', exitCode: 143 } })
  expect(at.looks()).toBeLessThan(before + 5)
})

test('what happened while the stream was lost is seen when it is back', async () => {
  await using at = await bench()
  const { id } = await at.api.create({ image: 'busybox', run: true, command: ['sleep'] })
  const outcome = at.watch.until(id, isStopped)
  await sleep(100)
  at.streams[0]?.destroy()
  await sleep(20)
  await at.api.act(id, 'stop')
  expect(await outcome).toMatchObject({ gone: false, container: { status: 'Stopped' } })
  expect(at.streams).toHaveLength(2)
})

test('one that removes itself leaves its exit code behind', async () => {
  await using at = await bench()
  const { id } = await at.api.create({ image: 'busybox', run: true, command: ['exit', '9'], autoRemove: true })
  await sleep(100)
  expect(await at.watch.until(id, () => false)).toEqual({ gone: true, exitCode: 9 })
})

test('what happens between a look and its answer leaves nothing behind that could fail later', async () => {
  await using at = await bench()
  const { id } = await at.api.create({ image: 'busybox', run: true, command: ['sleep'] })
  let stops = 1
  const api: Api = {
    ...at.api,
    container: async (ref) => {
      const seen = await at.api.container(ref)
      if (stops-- === 1) {
        const heard = watch.next()
        await at.api.act(id, 'stop')
        await heard
      }
      return seen
    },
  }
  const watch = await ContainerWatch.open(api)
  expect(await watch.until(id, isStopped)).toMatchObject({ gone: false, container: { status: 'Stopped' } })
  // A rejection that nobody handles would end the process, and this test.
  await watch[Symbol.asyncDispose]()
  await sleep(20)
})
