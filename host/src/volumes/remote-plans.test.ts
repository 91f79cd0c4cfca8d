import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection, RemoteVolume, VolumePlan } from '@gantry/model'
import { afterEach, describe, expect, test } from 'vitest'
import { assignment, id, mountOf, never, openWorld, report, volume, type World } from './testing/kernel-world.ts'

/** With the kernel's own loop devices and file systems: needs root. */
describe('volumes of other services on a host', () => {
  const worlds: World[] = []
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.end()
  })

  /** The storage is a file in the same place. */
  const newWorld = async () => {
    const world = await openWorld()
    worlds.push(world)
    const file = join(world.folder, 'v1.storage')
    await writeFile(file, '')
    await truncate(file, 2 ** 30)
    const plan = (remote: Partial<RemoteVolume> = {}, more: Partial<VolumePlan> = {}): VolumePlan => {
      const connection = { driver_volume_type: 'local', device_path: file } as Connection
      return {
        ...volume('v1'),
        ...more,
        remote: { connection, fsType: 'ext4', blank: true, readOnly: false, ...remote },
      }
    }
    return { world, plan }
  }

  test('a container waits until the storage lets the host at it, and then it is mounted and told', async () => {
    const { world, plan } = await newWorld()
    world.volumes.take(plan({ connection: null }))
    const mounting = world.mount('c1', 'v1')
    const told = world.nextReport('v1')
    world.volumes.take(plan())
    const source = await mounting
    expect(await told).toEqual(report('volume', 'v1', 'available'))
    expect(readdirSync(source)).toEqual([])
    await writeFile(join(source, 'note'), 'kept')

    // A second one has the same, and the last one takes it away.
    expect(await world.mount('c2', 'v1')).toBe(source)
    await world.volumes.release(id('c1'))
    expect(await readFile(join(source, 'note'), 'utf8')).toBe('kept')
    // What is told meanwhile, and after a restart, is answered: it is there.
    expect(await world.told(plan({ blank: false }))).toEqual(report('volume', 'v1', 'available'))
    await world.volumes.release(id('c2'))
    expect(existsSync(source)).toBe(false)
    await world.expectNothingMounted()
    expect(await world.told(plan({}, { gone: true }))).toEqual(report('volume', 'v1', 'gone'))
    await expect(world.mount('c3', 'v1')).rejects.toThrow('It is not on this host.')
  })

  test('a storage that does not let the host at it says why', async () => {
    const { world, plan } = await newWorld()
    world.volumes.take(plan({ connection: null, problem: 'The storage is out of order.' }))
    await expect(world.mount('c1', 'v1')).rejects.toThrow('Volume v1 cannot be mounted: The storage is out of order.')
    expect(await world.volumes.held()).toEqual([])
  })

  test('what cannot be mounted is told, and tried again', async () => {
    const { world, plan } = await newWorld()
    world.volumes.take(plan({ blank: false }))
    const told = world.nextReport('v1')
    const reason = 'It holds no file system, and is not known to be empty.'
    await expect(world.mount('c1', 'v1')).rejects.toThrow(`Volume v1 cannot be mounted: ${reason}`)
    expect(await told).toEqual({ ...report('volume', 'v1', 'error'), reason })
    execFileSync('mkfs.ext4', ['-q', join(world.folder, 'v1.storage')])
    await world.mount('c1', 'v1')
    await world.volumes.release(id('c1'))
    await world.expectNothingMounted()
  })

  test('it is taken from the host once no container has it, whatever the plan says first', async () => {
    const { world, plan } = await newWorld()
    world.volumes.take(plan())
    const source = await world.mount('c1', 'v1')
    world.volumes.take(plan({}, { gone: true }))
    await expect(world.volumes.prepare(assignment('c2', [mountOf('v1')]), never)).rejects.toThrow(
      'It is being taken from the host.',
    )
    expect(existsSync(source)).toBe(true)
    const gone = world.nextReport('v1')
    await world.volumes.release(id('c1'))
    expect((await gone).state).toBe('gone')
    expect(existsSync(join(world.folder, 'v1.storage'))).toBe(true)
    await world.expectNothingMounted()
  })

  test('after the agent was killed what containers hold stays, and the rest is let go', async () => {
    const { world, plan } = await newWorld()
    world.volumes.take(plan())
    const source = await world.mount('c1', 'v1')
    await world.killed()
    expect(await world.volumes.held()).toEqual([id('c1')])
    await writeFile(join(source, 'note'), 'kept')
    expect(await world.told(plan({ blank: false }))).toEqual(report('volume', 'v1', 'available'))

    // The machine itself: engines that start containers by themselves must find nothing there.
    execFileSync('umount', [source])
    execFileSync('umount', [join(source, '..')])
    await world.killed()
    expect(existsSync(source)).toBe(false)
    expect(await world.told(plan({ blank: false }))).toEqual(report('volume', 'v1', 'available'))
    expect(await readFile(join(source, 'note'), 'utf8')).toBe('kept')

    execFileSync('rm', ['-r', join(world.folder, 'held', 'c1')])
    await world.killed()
    expect(await world.volumes.held()).toEqual([])
    await world.expectNothingMounted()
  })

  test('its machine is told of by name and address', async () => {
    const { world } = await newWorld()
    expect(await world.volumes.connector()).toMatchObject({ ip: expect.stringMatching(/^[\d.]+$/), os_type: 'linux' })
  })
})
