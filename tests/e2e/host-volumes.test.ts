import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Mount, VolumeId, VolumePlan } from '@gantry/model'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, runningPower, startHost } from '../fixtures/host-bench.ts'

let engine: TestEngine
let bench: HostBench

beforeAll(async () => {
  engine = await startEngine()
  await loadBusybox(engine.socket)
})
afterAll(() => engine.stop())
afterEach(async () => {
  await bench.close()
  // One that is told of nothing takes everything away but data.
  bench = startHost(engine)
  bench.synced()
  await expect.poll(() => engine.docker('ps', '-aq'), { timeout: 20_000 }).toBe('')
  const left = () => [...readdirSync(join(state(), 'held')), ...readdirSync(join(state(), 'mounts'))]
  await expect.poll(left, { timeout: 20_000 }).toEqual([])
  await bench.close()
})

const volume = (id: string): VolumePlan => ({ kind: 'volume', id, size: 1, source: null, made: false, gone: false })
const mountOf = (id: string, readOnly = false): Mount => ({
  kind: 'volume',
  volumeId: id as VolumeId,
  destination: '/data',
  readOnly,
})
const told = (id: string, state: string) =>
  bench.message((m) => m.kind === 'volume' && m.report.id === id && m.report.state === state)
const state = () => join(dirname(engine.socket), 'agent')

test('data goes from one container to the next, has its size as a hard limit, and goes when it is told to', async () => {
  bench = startHost(engine)
  bench.volume(volume('v1'))
  const first = anAssignment({}, { mounts: [mountOf('v1')] })
  bench.assign(first)
  expect(await bench.settled(first)).toMatchObject({ failure: null, engine: { state: 'running' } })
  const inFirst = (command: string) => engine.docker('exec', `gantry-${first.id}`, 'sh', '-c', command)
  await inFirst('echo kept > /data/note')
  expect(await inFirst('dd if=/dev/zero of=/data/big bs=1M count=1100 2>&1 || true')).toContain(
    'No space left on device',
  )
  await inFirst('rm /data/big')

  const rebuilt = next(first, { generation: 2, power: runningPower })
  bench.assign(rebuilt)
  expect(await bench.settled(rebuilt)).toMatchObject({ failure: null, engine: { generation: 2 } })
  expect(await inFirst('cat /data/note')).toBe('kept')
  const gone = next(rebuilt, { gone: { graceSeconds: 0 } })
  bench.assign(gone)
  expect(await bench.settled(gone)).toMatchObject({ gone: true })
  expect(existsSync(join(state(), 'mounts', 'v1'))).toBe(false)

  const second = anAssignment({}, { mounts: [mountOf('v1', true)] })
  bench.assign(second)
  expect(await bench.settled(second)).toMatchObject({ failure: null })
  const inSecond = (command: string) => engine.docker('exec', `gantry-${second.id}`, 'sh', '-c', command)
  expect(await inSecond('cat /data/note; touch /data/more 2>&1 || true')).toMatch(/^kept\n.*Read-only file system/)

  bench.volume({ ...volume('v1'), made: true, gone: true })
  const ended = next(second, { gone: { graceSeconds: 0 } })
  bench.assign(ended)
  await told('v1', 'gone')
  expect(existsSync(join(state(), 'volumes', 'v1.img'))).toBe(false)
})

test('a file is put where it is asked for, and is the container’s own', async () => {
  bench = startHost(engine)
  const content = Buffer.from('a=1\n').toString('base64')
  const wish = anAssignment({}, { mounts: [{ kind: 'file', destination: '/etc/deep/app.conf', content }] })
  bench.assign(wish)
  await bench.settled(wish)
  expect(await engine.docker('exec', `gantry-${wish.id}`, 'cat', '/etc/deep/app.conf')).toBe('a=1')
})

test('a container whose volume has lost its data says so and never starts on an empty one', async () => {
  bench = startHost(engine)
  bench.volume(volume('v2'))
  await told('v2', 'available')
  await rm(join(state(), 'volumes', 'v2.img'))
  const wish = anAssignment({}, { mounts: [mountOf('v2')] })
  bench.assign(wish)
  expect(await bench.settled(wish)).toMatchObject({
    engine: null,
    failure: { reason: 'Volume v2 cannot be mounted: Its data is missing on the host.' },
  })
})

test('containers keep their volumes through the end of an agent, and the next one takes them over', async () => {
  bench = startHost(engine)
  bench.volume(volume('v3'))
  const wish = anAssignment({}, { mounts: [mountOf('v3')] })
  bench.assign(wish)
  await bench.settled(wish)
  await bench.close()
  const write = () =>
    engine.docker('exec', `gantry-${wish.id}`, 'sh', '-c', 'echo still > /data/note && cat /data/note')
  expect(await write()).toBe('still')

  bench = startHost(engine)
  bench.volume({ ...volume('v3'), made: true })
  bench.assign({ ...wish, seenGeneration: 1 })
  await bench.settled(wish)
  bench.synced()
  expect(await write()).toBe('still')
  expect(readdirSync(join(state(), 'mounts'))).toEqual(['v3'])
})
