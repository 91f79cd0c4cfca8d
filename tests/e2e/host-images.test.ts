import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { ImageSource } from '@gantry/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBig } from '../fixtures/big-image.ts'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, startHost } from '../fixtures/host-bench.ts'
import { startPodman } from '../fixtures/podman.ts'
import { startRegistry, type TestRegistry } from '../fixtures/registry.ts'

const pass = 'only-for-this-host'
const signal = new AbortController().signal

/** A host whose server is a registry that lets its pass in, over a line that a test can cut. */
describe.each([
  ['Docker', startEngine],
  ['Podman', startPodman],
])('images of a host with %s', (_name, start) => {
  let engine: TestEngine
  let registry: TestRegistry
  let bench: HostBench
  let isAway = false
  const lines = new Set<Socket>()

  const dialRegistry = async (): Promise<Socket> => {
    if (isAway) throw new Error('the server is away')
    const line = createConnection({ host: '127.0.0.1', port: Number(registry.domain.split(':')[1]) })
    lines.add(line)
    line.once('close', () => lines.delete(line))
    await once(line, 'connect')
    return line
  }
  const cut = () => {
    for (const line of lines) line.resetAndDestroy()
  }
  const source = (repository: string, reference: string): ImageSource => ({ repository, reference, pass })
  const fetch = (repository: string, reference: string, imageId: string | null, engineRef: string | null = null) =>
    bench.host.calls.imageFetch({ source: source(repository, reference), imageId, engineRef }, { signal })
  const give = async (engineRef: string) => {
    const target = source('incoming', 'x')
    return (await bench.host.calls.imageGive({ engineRef, target }, { signal })).reply
  }
  const served = (what: RegExp) => registry.served.filter((line) => what.test(line))
  const copies = async () => (await bench.host.calls.imageCopies({}, { signal })).reply.imageIds
  const forget = (imageId: string) => bench.host.calls.imageForget({ imageIds: [imageId] }, { signal })
  /** As the agent remembers it. */
  const ownAddress = async () =>
    `127.0.0.1:${await readFile(join(dirname(engine.socket), 'agent/registry-port'), 'utf8')}`
  const ids = async () => (await engine.docker('images', '-aq', '--no-trunc')).split('\n')

  beforeAll(async () => {
    registry = await startRegistry({ username: 'gantry', password: pass })
    engine = await start()
    await loadBusybox(engine.socket)
    bench = startHost(engine, { dialRegistry, resyncMs: 500 })
  })
  afterAll(async () => {
    await bench?.close()
    await engine?.stop()
    await registry?.[Symbol.asyncDispose]()
  })

  test('are given, forgotten and fetched again, by what they are', async () => {
    const look = await bench.host.calls.imageLook({ engineRef: 'busybox:latest' }, { signal })
    const given = await give('busybox:latest')
    expect(given).toEqual({ ...look.reply, digest: expect.stringMatching(/^sha256:/) })
    expect(given.layers).toHaveLength(1)
    expect(await copies()).toEqual([given.imageId])

    await forget(given.imageId)
    expect(await copies()).toEqual([])
    expect(await ids()).toContain(given.imageId)
    await engine.docker('rmi', 'busybox:latest')
    expect(await ids()).not.toContain(given.imageId)

    const { reply } = await fetch('incoming', given.digest, given.imageId)
    expect(reply.imageId).toBe(given.imageId)
    expect(reply.layers).toEqual(given.layers)
    expect(await copies()).toEqual([given.imageId])
    await fetch('incoming', given.digest, given.imageId, 'busybox:latest')
    const before = registry.served.length
    await fetch('incoming', given.digest, given.imageId)
    expect(registry.served).toHaveLength(before)
  })

  test('run by their id, fetched once for all who want them at once', async () => {
    const given = await give('busybox:latest')
    const blob = served(/GET .*blobs/).length
    await forget(given.imageId)
    await engine.docker('rmi', 'busybox:latest')
    const imageSource = source('incoming', given.digest)
    const wishes = Array.from({ length: 12 }, () =>
      anAssignment({ image: 'mine:1', pullPolicy: 'always' }, { imageRef: given.imageId, imageSource }),
    )
    for (const wish of wishes) bench.assign(wish)
    const all = await Promise.all(wishes.map((wish) => bench.settled(wish)))
    expect(all.map(({ engine: seen, failure }) => seen?.state ?? failure?.reason)).toEqual(wishes.map(() => 'running'))
    expect(all[0]?.engine?.imageDigest).toBe(given.imageId)
    // Its configuration and its one layer.
    expect(served(/GET .*blobs/).length - blob).toBe(2)

    await forget(given.imageId)
    expect(await ids()).toContain(given.imageId)
    for (const wish of wishes) bench.assign(next(wish, { gone: { graceSeconds: 0 } }))
    await Promise.all(wishes.map((wish) => bench.settled(next(wish, {}))))
    await expect.poll(ids, { timeout: 10_000 }).not.toContain(given.imageId)
  })

  test('of another registry are kept by their name, or by their digest', async () => {
    const repository = 'upstream/docker.io/library/busybox'
    const tagged = anAssignment({ image: 'busybox' }, { imageSource: source(repository, 'latest') })
    bench.assign(tagged)
    expect((await bench.settled(tagged)).engine?.state).toBe('running')
    expect(await engine.docker('images', '--format', '{{.Repository}}:{{.Tag}}')).toMatch(/(^|\/)busybox:latest$/m)

    const { digest } = await give('busybox:latest')
    const imageRef = `busybox@${digest}`
    const pinned = anAssignment({ image: imageRef }, { imageSource: source('incoming', digest) })
    bench.assign(pinned)
    expect((await bench.settled(pinned)).failure).toBeNull()
    for (const wish of [tagged, pinned]) bench.assign(next(wish, { gone: { graceSeconds: 0 } }))
  })

  test('that are refused are so in the words of the server', async () => {
    await expect(give('nobody/has:this')).rejects.toMatchObject({ code: 'image.not-found' })
    const look = bench.host.calls.imageLook({ engineRef: `sha256:${'0'.repeat(64)}` }, { signal })
    await expect(look).rejects.toMatchObject({ code: 'image.not-found' })
    const mine = await give('busybox:latest')
    const other = `${await ownAddress()}/incoming:${mine.imageId.slice(7, 39)}`
    await engine.docker('inspect', other)
    await expect(give(other)).rejects.toMatchObject({ code: 'image.not-found' })
    const thief = anAssignment({ image: other })
    bench.assign(thief)
    expect((await bench.settled(thief)).failure?.reason).toContain(`there is no image ${other}`)
    const unknown = fetch('incoming', `sha256:${'a'.repeat(64)}`, null)
    await expect(unknown).rejects.toMatchObject({ code: 'registry.refused' })

    const wrong = { ...source('incoming', 'latest'), pass: 'wrong' }
    const stranger = bench.host.calls.imageFetch({ source: wrong, imageId: null, engineRef: null }, { signal })
    await expect(stranger).rejects.toMatchObject({ code: 'registry.refused', message: 'authentication required' })

    const nowhere = anAssignment({ image: 'nothing:1' })
    bench.assign(nowhere)
    expect((await bench.settled(nowhere)).failure?.reason).toBe(
      'Image nothing:1 is not on the host and could not be pulled: there is no registry to get it from',
    )
  })

  test('are fetched to the end when the server was away, or the line broke', async () => {
    await loadBig(engine, 40)
    const given = await give('big:1')
    await forget(given.imageId)
    await engine.docker('rmi', 'big:1')

    isAway = true
    cut()
    await expect(fetch('incoming', given.digest, given.imageId)).rejects.toMatchObject({ code: 'registry.unreachable' })
    const wish = anAssignment({}, { imageRef: given.imageId, imageSource: source('incoming', given.digest) })
    bench.assign(wish)
    await bench.message((m) => m.kind === 'engine')
    await new Promise((resolve) => setTimeout(resolve, 500))
    isAway = false
    const cutting = setInterval(cut, 150)
    setTimeout(() => clearInterval(cutting), 1500)
    expect((await bench.settled(wish)).engine?.state).toBe('running')
  }, 90_000)
})
