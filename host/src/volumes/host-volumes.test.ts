import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount, VolumeId } from '@gantry/model'
import { afterEach, describe, expect, test } from 'vitest'
import {
  assignment,
  diskUse,
  fileSystemSize,
  fill,
  id,
  mib,
  mountOf,
  never,
  openWorld,
  report,
  snapshot,
  volume,
  type World,
} from './testing/kernel-world.ts'

/** With the kernel's own loop devices and file systems: needs root. */
describe('volumes of a host', () => {
  const worlds: World[] = []
  const newWorld = async () => {
    const made = await openWorld()
    worlds.push(made)
    return made
  }
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.end()
  })

  test('a volume is made, mounted, and takes no more than its size', async () => {
    const world = await newWorld()
    expect(await world.told(volume('v1'))).toEqual(report('volume', 'v1', 'available'))
    expect(diskUse(world.file('volumes', 'v1'))).toBeLessThan(2 * mib)
    const source = await world.mount('c1', 'v1')
    expect(statSync(source)).toMatchObject({ uid: 0, mode: 0o40755 })
    expect(readdirSync(source)).toEqual([])

    await writeFile(join(source, 'small'), 'kept')
    execFileSync('fallocate', ['--length', '900MiB', join(source, 'big')])
    expect(() => fill(join(source, 'more'), 100)).toThrow(/No space left on device/)
    expect(await readFile(join(source, 'small'), 'utf8')).toBe('kept')
  })

  test('what a container deletes is given back to the disk of the host', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    const source = await world.mount('c1', 'v1')
    fill(join(source, 'big'), 64)
    await world.volumes.release(id('c1'))
    expect(diskUse(world.file('volumes', 'v1'))).toBeGreaterThan(60 * mib)
    await unlink(join(await world.mount('c1', 'v1'), 'big'))
    execFileSync('sync', ['--file-system', source])
    // The kernel discards what is free in the background.
    await expect.poll(() => diskUse(world.file('volumes', 'v1')), { timeout: 10_000 }).toBeLessThan(20 * mib)
  })

  test('data outlives the container, and the bind source is gone while nothing is mounted', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    const source = await world.mount('c1', 'v1')
    await writeFile(join(source, 'note'), 'first')
    expect(await world.mount('c1', 'v1')).toBe(source)
    await world.volumes.release(id('c1'))
    expect(existsSync(source)).toBe(false)
    await world.expectNothingMounted()

    await world.mount('c2', 'v1')
    expect(await readFile(join(source, 'note'), 'utf8')).toBe('first')
  })

  test('a volume that two containers hold stays until both have let go', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    const source = await world.mount('c1', 'v1')
    await world.mount('c2', 'v1')
    await world.volumes.release(id('c1'))
    expect(existsSync(source)).toBe(true)
    expect(await world.volumes.held()).toEqual([id('c2')])
    await world.volumes.release(id('c2'))
    expect(existsSync(source)).toBe(false)
  })

  test('a snapshot has the data of its moment, and a larger volume begins with it', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    const source = await world.mount('c1', 'v1')
    await writeFile(join(source, 'note'), 'then')
    expect(await world.told(snapshot('s1', 'v1'))).toEqual(report('snapshot', 's1', 'available'))
    // Writers are let go on.
    await writeFile(join(source, 'note'), 'now')

    await world.told({ ...volume('v2'), size: 2, source: 's1' as VolumeId })
    const copy = await world.mount('c2', 'v2')
    expect(await readFile(join(copy, 'note'), 'utf8')).toBe('then')
    expect(await readFile(join(source, 'note'), 'utf8')).toBe('now')
    expect(fileSystemSize(copy)).toBeGreaterThan(1.8 * 1024 * mib)
    expect(diskUse(world.file('volumes', 'v2'))).toBeLessThan(8 * mib)

    expect(await world.told({ ...snapshot('s1', 'v1'), gone: true })).toEqual(report('snapshot', 's1', 'gone'))
    expect(readdirSync(join(world.folder, 'snapshots'))).toEqual([])
  })

  test('a volume is deleted once no container holds it, and deleting it again is no error', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    await world.mount('c1', 'v1')
    world.volumes.take({ ...volume('v1'), gone: true })
    await expect(world.mount('c2', 'v1')).rejects.toThrow('being deleted')
    expect(existsSync(world.file('volumes', 'v1'))).toBe(true)

    const gone = world.nextReport('v1')
    await world.volumes.release(id('c1'))
    expect(await gone).toEqual(report('volume', 'v1', 'gone'))
    expect(existsSync(world.file('volumes', 'v1'))).toBe(false)
    await world.expectNothingMounted()
    expect(await world.told({ ...volume('v1'), gone: true })).toEqual(report('volume', 'v1', 'gone'))
    await expect(world.mount('c3', 'v1')).rejects.toThrow('not on this host')
  })

  test('data that is missing is an error, never a new empty volume', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    await rm(world.file('volumes', 'v1'))
    await expect(world.mount('c1', 'v1')).rejects.toThrow(
      'Volume v1 cannot be mounted: Its data is missing on the host.',
    )
    const again = await world.told({ ...volume('v1'), made: true })
    expect(again).toEqual({
      ...report('volume', 'v1', 'error'),
      reason: 'The data of the volume is missing on the host.',
    })
    expect(existsSync(world.file('volumes', 'v1'))).toBe(false)
    await expect(world.mount('c1', 'v1')).rejects.toThrow('The data of the volume is missing on the host.')
  })

  test('a snapshot of nothing, and a volume of no snapshot, say what is missing', async () => {
    const world = await newWorld()
    expect((await world.told(snapshot('s1', 'v9'))).reason).toBe('The volume it is made from is missing on the host.')
    const copy = { ...volume('v2'), source: 's9' as VolumeId }
    expect((await world.told(copy)).reason).toBe('The snapshot it is made from is missing on the host.')
  })

  test('a damaged file system is a sentence, not a mount', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    await truncate(world.file('volumes', 'v1'), 0)
    await truncate(world.file('volumes', 'v1'), 1024 * mib)
    await expect(world.mount('c1', 'v1')).rejects.toThrow(/^Volume v1 cannot be mounted: The host's e2fsck failed: /)
  })

  test('a full disk is told as such, and nothing half made is left', async () => {
    const world = await newWorld()
    await world.volumes.held()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', join(world.folder, 'making')])
    try {
      const { state, reason } = await world.told(volume('v1'))
      expect({ state, reason }).toEqual({ state: 'error', reason: 'The disk of the host is full.' })
      expect(readdirSync(join(world.folder, 'making'))).toEqual([])
    } finally {
      execFileSync('umount', [join(world.folder, 'making')])
    }
  })

  test('files are written once and are then the container’s own', async () => {
    const world = await newWorld()
    const mounts: Mount[] = [
      { kind: 'file', destination: '/etc/app.conf', content: Buffer.from('a=1').toString('base64') },
    ]
    const prepare = () => world.volumes.prepare(assignment('c1', mounts), never)
    const [bind] = await prepare()
    expect(bind).toMatchObject({ destination: '/etc/app.conf', readOnly: false })
    const source = bind?.source ?? ''
    expect(statSync(source).mode & 0o777).toBe(0o644)
    expect(await readFile(source, 'utf8')).toBe('a=1')
    await writeFile(source, 'a=2')
    await prepare()
    expect(await readFile(source, 'utf8')).toBe('a=2')
    await world.volumes.release(id('c1'))
    expect(readdirSync(join(world.folder, 'held'))).toEqual([])
  })

  test.each(['relative', '/a/../../etc', '/', '', '/.'])('a mount at %j is refused', async (destination) => {
    const world = await newWorld()
    const mounts: Mount[] = [{ kind: 'file', destination, content: '' }]
    await expect(world.volumes.prepare(assignment('c1', mounts), never)).rejects.toMatchObject({ status: 400 })
    expect(await world.volumes.held()).toEqual([])
  })

  test('a container waits for its volume, and no longer than it is wanted', async () => {
    const world = await newWorld()
    world.volumes.take(volume('v1'))
    const source = await world.mount('c1', 'v1')
    expect(readdirSync(source)).toEqual([])

    const leave = new AbortController()
    world.volumes.take(volume('v2'))
    const waiting = world.volumes.prepare(assignment('c2', [mountOf('v2')]), leave.signal)
    leave.abort(new Error('not wanted any more'))
    await expect(waiting).rejects.toThrow('not wanted any more')
  })

  describe('after the agent was killed', () => {
    test('what containers hold stays mounted, and what nobody holds is let go', async () => {
      const world = await newWorld()
      await world.told(volume('v1'))
      await world.told(volume('v2'))
      const held = await world.mount('c1', 'v1')
      await world.mount('c2', 'v2')
      await rm(join(world.folder, 'held', 'c2'), { recursive: true })

      await world.killed()
      expect(await world.volumes.held()).toEqual([id('c1')])
      expect(existsSync(held)).toBe(true)
      expect(await world.ourMounts()).toEqual([join(world.folder, 'mounts', 'v1')])
      // A plan that removes it comes before the assignments, and must wait for the running container all the same.
      world.volumes.take({ ...volume('v1'), gone: true })
      await expect(world.mount('c3', 'v1')).rejects.toThrow('being deleted')
      expect(existsSync(held)).toBe(true)
      const gone = world.nextReport('v1')
      await world.volumes.release(id('c1'))
      expect((await gone).state).toBe('gone')
    })

    test('a file system left frozen is let go on', async () => {
      const world = await newWorld()
      await world.told(volume('v1'))
      const source = await world.mount('c1', 'v1')
      execFileSync('fsfreeze', ['-f', join(world.folder, 'mounts', 'v1')])
      await world.killed()
      await world.volumes.held()
      await writeFile(join(source, 'note'), 'written')
    })

    test('what was half made is cleared away and made anew', async () => {
      const world = await newWorld()
      await world.volumes.held()
      const half = await mkdtemp(join(world.folder, 'making', 'v1.img-'))
      await writeFile(join(half, 'disk.img'), 'half')
      await world.killed()
      expect((await world.told(volume('v1'))).state).toBe('available')
      expect(readdirSync(join(world.folder, 'making'))).toEqual([])
      await world.mount('c1', 'v1')
    })

    test('a volume is mounted again after the machine was', async () => {
      const world = await newWorld()
      await world.told(volume('v1'))
      const source = await world.mount('c1', 'v1')
      await writeFile(join(source, 'note'), 'kept')
      execFileSync('umount', [join(world.folder, 'mounts', 'v1')])
      await world.killed()
      expect(existsSync(source)).toBe(false)
      await world.told({ ...volume('v1'), made: true })
      await world.mount('c1', 'v1')
      expect(await readFile(join(source, 'note'), 'utf8')).toBe('kept')
    })
  })

  test('a volume that something on the host has open is let go later', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    const source = await world.mount('c1', 'v1')
    const nosy = spawn('sleep', ['600'], { cwd: source })
    await once(nosy, 'spawn')
    await expect(world.volumes.release(id('c1'))).rejects.toThrow(/^Volume v1 cannot be unmounted: .*target is busy/)
    expect(await world.volumes.held()).toEqual([id('c1')])
    nosy.kill()
    await once(nosy, 'exit')
    await world.volumes.release(id('c1'))
    expect(await world.volumes.held()).toEqual([])
    await world.expectNothingMounted()
  })

  test('a hundred rounds leave no loop device, mount or file', { timeout: 120_000 }, async () => {
    const world = await newWorld()
    const round = async (n: number) => {
      const [v, c] = [`v${n}`, `c${n}`]
      world.volumes.take(volume(v))
      const source = await world.mount(c, v)
      await writeFile(join(source, 'note'), `${n}`)
      await world.volumes.release(id(c))
      expect((await world.told({ ...volume(v), gone: true })).state).toBe('gone')
    }
    for (let n = 0; n < 100; n += 5) await Promise.all([0, 1, 2, 3, 4].map((more) => round(n + more)))
    await world.expectNothingMounted()
    for (const name of ['volumes', 'snapshots', 'mounts', 'making', 'held']) {
      expect(readdirSync(join(world.folder, name))).toEqual([])
    }
  })
})
