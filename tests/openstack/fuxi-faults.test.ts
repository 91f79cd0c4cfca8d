/** What becomes of Docker's volumes when Cinder, the plugin or the machine dies. */
import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type CinderProxy, cinderProxy } from './fixtures/cinder-proxy.ts'
import { type FuxiHost, type FuxiWorld, fuxiWorld } from './fixtures/fuxi-world.ts'
import { eventually } from './fixtures/test-cloud.ts'

const run = promisify(execFile)
/** Times that a volume comes and goes; the hundred take a while on a small machine. */
const rounds = Number(process.env['FUXI_ROUNDS'] ?? 10)

let proxy: CinderProxy
let world: FuxiWorld
let host: FuxiHost

beforeAll(async () => {
  proxy = await cinderProxy()
  world = await fuxiWorld(proxy.url)
  host = world.a
}, 180_000)

afterEach(async () => {
  await world.clear()
}, 120_000)

afterAll(async () => {
  await world.end()
  await proxy[Symbol.asyncDispose]()
}, 120_000)

const create = (name: string) => host.engine.docker('volume', 'create', '--driver', 'fuxi', name)
/** A container that has it until it is removed. */
const hold = (volume: string, name = 'holder') =>
  host.engine.docker('run', '-d', '--name', name, '--network=none', '-v', `${volume}:/x`, 'busybox', 'sleep', '600')
const inHolder = (line: string) => host.engine.docker('exec', 'holder', 'sh', '-c', line)
const records = () => readdir(join(host.fuxi.stateDir, 'volumes'))

test('Cinder dies: who has a volume goes on, who wants one is told, and what could not be given back is, later', async () => {
  const { fuxi, engine } = host
  await create('held')
  await create('wanted')
  await hold('held')
  await proxy.goAway()
  try {
    await inHolder('echo still writing > /x/f && sync')
    await expect(host.run('wanted', 'true')).rejects.toThrow(/Cinder does not answer/)
    await expect(create('new')).rejects.toThrow(/Cinder does not answer/)
    await expect(engine.docker('volume', 'rm', 'wanted')).rejects.toThrow(/Cinder does not answer/)
    expect(await engine.docker('volume', 'inspect', 'held', '--format', '{{.Mountpoint}}')).toContain('/cinder/held')
    // Another container of the host needs nobody's leave.
    expect(await host.run('held', 'cat /var/www/f')).toBe('still writing')
    await engine.docker('rm', '-f', 'holder')
    expect((await fuxi.call('VolumeDriver.Get', { Name: 'held' })).Volume?.Mountpoint).toBe('')
    expect(await records()).toHaveLength(1)
    // A plugin that begins now has nobody to ask: one that said that there is no such volume would have Docker make one.
    await fuxi.kill9()
    await fuxi.start()
    expect(await engine.docker('volume', 'ls', '-q', '--filter', 'driver=fuxi')).toBe('held\nwanted')
    await expect(host.run('held', 'true')).rejects.toThrow(/Cinder does not answer/)
    await fuxi.kill9()
    await rm(join(fuxi.stateDir, 'known-cinder.json'))
    await fuxi.start()
    await expect(fuxi.call('VolumeDriver.Get', { Name: 'held' })).rejects.toThrow(/hang up/)
    await expect(host.run('held', 'true')).rejects.toThrow(/VolumeDriver\.Get/)
    expect(await engine.docker('volume', 'ls', '-q', '--filter', 'driver=local')).toBe('')
  } finally {
    await proxy.comeBack()
  }
  await world.nothingAttached()
  expect(await host.run('held', 'cat /var/www/f')).toBe('still writing')
}, 180_000)

test('the plugin is killed: the container does not notice, and its end ends the stay', async () => {
  const { fuxi, engine } = host
  await create('stays')
  await hold('stays')
  await fuxi.kill9()
  await inHolder('echo one > /x/f')
  await fuxi.start()
  await inHolder('echo two >> /x/f')
  expect((await fuxi.call('VolumeDriver.Get', { Name: 'stays' })).Volume?.Mountpoint).toContain('/cinder/stays')
  // Longer than it takes to find that nobody uses a volume.
  await new Promise((resolve) => setTimeout(resolve, 8000))
  await inHolder('echo three >> /x/f')
  await engine.docker('rm', '-f', 'holder')
  await world.nothingAttached()
  expect(await world.b.run('stays', 'cat /var/www/f')).toBe('one\ntwo\nthree')
}, 120_000)

test('the container ends while the plugin is away', async () => {
  const { fuxi, engine } = host
  await create('orphan')
  await hold('orphan')
  await inHolder('echo kept > /x/f')
  await fuxi.kill9()
  const removing = engine.docker('rm', '-f', 'holder')
  await eventually('its process to be gone', async () => (await engine.docker('ps', '-q')) === '')
  await fuxi.start()
  await removing
  await world.nothingAttached()
  expect(await world.b.run('orphan', 'cat /var/www/f')).toBe('kept')
}, 180_000)

test('Docker did not hear that a volume was mounted', async () => {
  await create('phantom')
  expect((await host.fuxi.call('VolumeDriver.Mount', { Name: 'phantom', ID: 'nobody' })).Err).toBe('')
  expect(await world.attachments()).toHaveLength(1)
  await world.nothingAttached()
}, 60_000)

test('the machine starts anew', async () => {
  const { fuxi } = host
  await create('booted')
  const { Mountpoint = '' } = await fuxi.call('VolumeDriver.Mount', { Name: 'booted', ID: 'before' })
  await writeFile(join(Mountpoint, 'f'), 'kept', { flush: true })
  await fuxi.kill9()
  // What a start of the machine leaves: no mount, no loop device, another id.
  await run('umount', [Mountpoint])
  const id = (await world.volumeNamed('booted'))?.id ?? ''
  for (const line of await world.loopsOf(id)) await run('losetup', ['-d', line.split(' ')[0] ?? ''])
  const path = join(fuxi.stateDir, 'volumes/booted.json')
  const record = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...record, bootId: 'another' }))
  await fuxi.start(['--no-sweep'])
  await world.nothingAttached()
  expect(await world.b.run('booted', 'cat /var/www/f')).toBe('kept')
}, 120_000)

test('the state folder is lost: what Cinder says this host has is given back, or known again where it is mounted', async () => {
  const { fuxi, engine } = host
  await create('gone')
  await create('there')
  await hold('there')
  await inHolder('echo kept > /x/f')
  // Reserved and claimed by this host, which does not know any more.
  const { cinder, context } = world
  const gone = (await world.volumeNamed('gone'))?.id ?? ''
  const { id } = await cinder.attachments.create({ volume_uuid: gone, connector: { host: 'host-a' } }, context())
  await cinder.attachments.complete(id, context())
  const [claim] = Object.entries((await world.volumeNamed('there'))?.metadata ?? {}).flatMap(([key, value]) =>
    key.startsWith('fuxi_at_') ? [value] : [],
  )
  await cinder.setMetadata(gone, { [`fuxi_at_${id}`]: claim ?? '' }, context())
  await fuxi.kill9()
  await rm(join(fuxi.stateDir, 'volumes'), { recursive: true })
  await fuxi.start()
  await eventually('one of them', async () => (await world.attachments()).length === 1)
  await inHolder('cat /x/f')
  await eventually('it to be known', async () => (await records()).includes('there.json'))
  expect((await fuxi.call('VolumeDriver.Remove', { Name: 'there' })).Err).toMatch(/in use/)
  await engine.docker('rm', '-f', 'holder')
  await world.nothingAttached()
  expect(await world.b.run('there', 'cat /var/www/f')).toBe('kept')
}, 120_000)

test('what engines keep asking is answered from memory', async () => {
  const { fuxi } = host
  await create('asked')
  await fuxi.call('VolumeDriver.Get', { Name: 'asked' })
  proxy.calls.length = 0
  for (let time = 0; time < 200; time += 1) {
    expect((await fuxi.call('VolumeDriver.Get', { Name: 'asked' })).Volume?.Name).toBe('asked')
    expect((await fuxi.call('VolumeDriver.Get', { Name: 'of-another-driver' })).Err).toMatch(/no volume/)
    expect((await fuxi.call('VolumeDriver.List')).Volumes).toHaveLength(1)
  }
  // Lists, now and then; nothing for each question, and nothing that changes anything.
  expect(proxy.calls.length).toBeLessThan(60)
  expect(proxy.calls.every((call) => call === 'GET /volumes/detail')).toBe(true)
  expect(await world.attachments()).toEqual([])
}, 120_000)

test(
  `${rounds} times onto the host and off it leave nothing`,
  async () => {
    const { fuxi } = host
    await create('round')
    for (let round = 1; round <= rounds; round += 1) {
      const { Mountpoint = '', Err } = await fuxi.call('VolumeDriver.Mount', { Name: 'round', ID: `${round}` })
      expect(Err).toBe('')
      if (round > 1) expect(await readFile(join(Mountpoint, 'f'), 'utf8')).toBe(`${round - 1}`)
      await writeFile(join(Mountpoint, 'f'), `${round}`)
      expect((await fuxi.call('VolumeDriver.Unmount', { Name: 'round', ID: `${round}` })).Err).toBe('')
    }
    await world.nothingAttached()
    const volume = await world.volumeNamed('round')
    expect(volume).toMatchObject({ status: 'available', metadata: { volume_from: 'fuxi', fstype: 'ext4' } })
    expect(Object.keys(volume?.metadata ?? {}).toSorted()).toEqual(['fstype', 'volume_from'])
    expect(await world.loopsOf(volume?.id ?? '')).toEqual([])
  },
  60_000 + rounds * 20_000,
)
