/**
 * `gantry fuxi` is killed at every point of a volume's way onto a host and off it: before and after each program that it starts,
 * and before and after each call by which it changes something in Cinder. Afterwards a new one runs, and nothing may be lost,
 * made twice or left over. A sample of the points unless FUXI_ALL_CUTS is set.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allOf, type VolumeService, volumeService } from '@gantry/openstack'
import {
  type DeadlyPrograms,
  deadlyPrograms,
  type Moment,
} from '../../host/src/volumes/attached/testing/deadly-programs.ts'
import { type CinderProxy, cinderProxy } from './fixtures/cinder-proxy.ts'
import { type FuxiProcess, fuxiProcess } from './fixtures/fuxi-process.ts'
import { eventually, type TestCloud, testCloud } from './fixtures/test-cloud.ts'

const run = promisify(execFile)
const all = process.env['FUXI_ALL_CUTS'] !== undefined
/** Points of each kind that are tried unless all are. */
const sample = 3

let cloud: TestCloud
let cinder: VolumeService
let proxy: CinderProxy
let fuxi: FuxiProcess
let folder: string

beforeAll(async () => {
  cloud = await testCloud()
  const { member } = await cloud.newProject()
  cinder = volumeService(cloud.session(member))
  proxy = await cinderProxy()
  fuxi = await fuxiProcess({ cloud, user: member, host: 'host-k', cinder: proxy.url })
  folder = await mkdtemp('/tmp/gantry-cuts-')
}, 60_000)

afterAll(async () => {
  await fuxi[Symbol.asyncDispose]()
  for (const { id } of await allOf(cinder.attachments.list({}, cloud.context()))) {
    await cinder.attachments.remove(id, cloud.context())
  }
  for (const { id } of await allOf(cinder.volumes.list({}, cloud.context()))) {
    await cinder.volumes.remove(id, cloud.context())
  }
  await eventually('no volume', async () => (await allOf(cinder.volumes.list({}, cloud.context()))).length === 0)
  await proxy[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
  await cloud[Symbol.asyncDispose]()
}, 60_000)

/** Where it is killed: at the how manyeth program or call, from 1; 0: nowhere. */
interface Cut {
  readonly kind: 'program' | 'call'
  readonly at: number
  readonly moment: Moment
}

let made = 0

/** A new volume comes, is written to, goes, comes and goes. Says which programs and changing calls there were to be killed at. */
async function live(cut: Cut) {
  made += 1
  const name = `cut-${made}`
  const what = `${cut.kind} ${cut.at} ${cut.moment}`
  const programs = await deadlyPrograms(join(folder, name))
  const calls = await begin(name, programs, cut)
  const wrote = await untilKilled(name)
  await fuxi.kill9()
  proxy.watch = null

  await fuxi.start()
  // What Docker says of containers that it started.
  if (wrote) expect((await fuxi.call('VolumeDriver.Unmount', { Name: name, ID: 'one' })).Err, what).toBe('')
  const again = await fuxi.call('VolumeDriver.Mount', { Name: name, ID: 'two' })
  expect(again.Err, what).toBe('')
  const note = join(again.Mountpoint ?? '', 'note')
  if (wrote) expect(await readFile(note, 'utf8'), what).toBe('kept')
  else await writeFile(note, 'kept')
  expect((await fuxi.call('VolumeDriver.Unmount', { Name: name, ID: 'two' })).Err, what).toBe('')
  await nothingLeft(what)
  if (!wrote) {
    await fuxi.call('VolumeDriver.Mount', { Name: name, ID: 'three' })
    expect(await readFile(note, 'utf8'), what).toBe('kept')
    await fuxi.call('VolumeDriver.Unmount', { Name: name, ID: 'three' })
  }
  expect((await fuxi.call('VolumeDriver.Remove', { Name: name })).Err, what).toBe('')
  await nothingLeft(what)
  await fuxi.stop()
  return { programs: await programs.started(), calls }
}

/** Makes the volume, with the plugin that is to be killed. Resolves with a list that its changing calls are going to be in. */
async function begin(name: string, programs: DeadlyPrograms, { kind, at, moment }: Cut): Promise<string[]> {
  await fuxi.start([], programs.env(kind === 'program' ? at : 0, moment))
  expect((await fuxi.call('VolumeDriver.Create', { Name: name })).Err).toBe('')
  const calls: string[] = []
  proxy.watch = async (call, now) => {
    if (call.startsWith('GET')) return
    if (now === 'before') calls.push(call)
    if (kind !== 'call' || calls.length !== at || now !== moment) return
    await fuxi.kill9()
    throw new Error('Nobody is there to hear the answer.')
  }
  return calls
}

/** True: the container wrote what it had to before the kill. */
async function untilKilled(name: string): Promise<boolean> {
  let wrote = false
  try {
    const { Mountpoint = '', Err } = await fuxi.call('VolumeDriver.Mount', { Name: name, ID: 'one' })
    expect(Err).toBe('')
    await writeFile(join(Mountpoint, 'note'), 'kept', { flush: true })
    wrote = true
    await fuxi.call('VolumeDriver.Unmount', { Name: name, ID: 'one' })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!['ECONNRESET', 'ECONNREFUSED', 'ENOENT', 'EPIPE'].includes(code)) throw error
  }
  return wrote
}

async function nothingLeft(what: string): Promise<void> {
  await eventually(`nothing to be left after ${what}`, async () => {
    const attachments = await allOf(cinder.attachments.list({}, cloud.context()))
    const volumes = await allOf(cinder.volumes.list({}, cloud.context()))
    const claims = volumes
      .flatMap(({ metadata }) => Object.keys(metadata ?? {}))
      .filter((key) => key.startsWith('fuxi_at'))
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).includes(`${fuxi.volumeDir}/`)
    const { stdout: loops } = await run('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])
    const looped = volumes.some(({ id }) => loops.includes(id))
    const records = await readdir(join(fuxi.stateDir, 'volumes'))
    return attachments.length === 0 && claims.length === 0 && !mounts && !looped && records.length === 0
  })
}

function sampled<T>(list: readonly T[]): T[] {
  if (all || list.length <= sample) return [...list]
  // Others each day, the same in each run of it.
  const first = Math.floor(Date.now() / 86_400_000) % Math.ceil(list.length / sample)
  return list.filter((_, at) => at % Math.ceil(list.length / sample) === first)
}

test(
  'a plugin that is killed anywhere loses nothing, makes nothing twice and leaves nothing',
  async () => {
    const { programs, calls } = await live({ kind: 'program', at: 0, moment: 'before' })
    expect(programs).toContain('mkfs.ext4')
    expect(calls).toContain('POST /attachments')
    if (all) console.log(programs.join(' '), calls.join(', '))
    const moments = ['before', 'after'] as const
    const cuts = [
      ...sampled(
        programs.flatMap((_, at) => moments.map((moment) => ({ kind: 'program' as const, at: at + 1, moment }))),
      ),
      ...sampled(calls.flatMap((_, at) => moments.map((moment) => ({ kind: 'call' as const, at: at + 1, moment })))),
    ]
    for (const cut of cuts) {
      const began = Date.now()
      await live(cut)
      if (all) console.log(`${cut.kind} ${cut.at} ${cut.moment}: ${Date.now() - began} ms`)
    }
  },
  all ? 3_600_000 : 480_000,
)
