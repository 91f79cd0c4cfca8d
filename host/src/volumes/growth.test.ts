import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { VolumeId } from '@gantry/model'
import { afterEach, describe, expect, test } from 'vitest'
import { fileSystemBytes } from './file-system-bytes.ts'
import { mayGrowMounted } from './growth.ts'
import { smallDisk } from './testing/small-disk.ts'
import { fileSystemSize, fill, id, mib, openWorld, report, volume, type World } from './testing/kernel-world.ts'

const gib = 1024 * mib
const online = await mayGrowMounted()
const grown = { ...volume('v1'), size: 3, made: true }

/** With the kernel's own loop devices and file systems: needs root. */
describe('a volume that is to have more room', () => {
  const worlds: World[] = []
  const newWorld = async () => {
    const made = await openWorld()
    worlds.push(made)
    return made
  }
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.end()
  })

  test.runIf(online)('gets it while a container writes', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    const source = await world.mount('c1', 'v1')
    await writeFile(join(source, 'note'), 'kept')
    expect(await world.told(grown)).toEqual(report('volume', 'v1', 'available'))
    expect(fileSystemSize(source)).toBeGreaterThan(2.8 * gib)
    execFileSync('fallocate', ['--length', '2GiB', join(source, 'big')])
    // Told again, as at every connection.
    expect(await world.told(grown)).toEqual(report('volume', 'v1', 'available'))
    await world.volumes.release(id('c1'))
    await world.expectNothingMounted()
    expect(await fileSystemBytes(world.file('volumes', 'v1'))).toBe(3 * gib)
    execFileSync('e2fsck', ['-f', '-n', world.file('volumes', 'v1')], { stdio: 'pipe' })
    expect(await readFile(join(await world.mount('c2', 'v1'), 'note'), 'utf8')).toBe('kept')
  })

  test.skipIf(online)('gets it once no container has it, where the kernel allows no more', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    const source = await world.mount('c1', 'v1')
    await writeFile(join(source, 'note'), 'kept')
    const reason =
      'It could not be given 3 GiB: The host lacks the right to do so while a container has it (CAP_SYS_RESOURCE).'
    expect(await world.told(grown)).toEqual({ ...report('volume', 'v1', 'available'), reason })
    // Its container may be started anew meanwhile.
    expect(await world.mount('c1', 'v1')).toBe(source)
    const done = world.nextReport('v1')
    await world.volumes.release(id('c1'))
    expect(await done).toEqual(report('volume', 'v1', 'available'))
    await world.expectNothingMounted()
    expect(fileSystemSize(await world.mount('c2', 'v1'))).toBeGreaterThan(2.8 * gib)
    expect(await readFile(join(source, 'note'), 'utf8')).toBe('kept')
  })

  test('gets it while nobody has it, and is mounted nowhere then', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    expect(await world.told(grown)).toEqual(report('volume', 'v1', 'available'))
    await world.expectNothingMounted()
    expect(await fileSystemBytes(world.file('volumes', 'v1'))).toBe(3 * gib)
    execFileSync('e2fsck', ['-f', '-n', world.file('volumes', 'v1')], { stdio: 'pipe' })
  })

  test('gets it where an agent was killed between the file and the file system', async () => {
    const world = await newWorld()
    await world.told(volume('v1'))
    await truncate(world.file('volumes', 'v1'), 3 * gib)
    await world.killed()
    expect(await world.told(grown)).toEqual(report('volume', 'v1', 'available'))
    expect(await fileSystemBytes(world.file('volumes', 'v1'))).toBe(3 * gib)
  })

  test('never becomes smaller', async () => {
    const world = await newWorld()
    await world.told({ ...volume('v1'), size: 2 })
    expect(await world.told({ ...volume('v1'), made: true })).toEqual(report('volume', 'v1', 'available'))
    expect(statSync(world.file('volumes', 'v1')).size).toBe(2 * gib)
    expect(await fileSystemBytes(world.file('volumes', 'v1'))).toBe(2 * gib)
  })
})

describe('a clone', () => {
  test('begins with what its volume has, and goes its own way from there', async () => {
    const world = await openWorld()
    try {
      await world.told(volume('v1'))
      const source = await world.mount('c1', 'v1')
      await writeFile(join(source, 'note'), 'then')
      const clone = { ...volume('v2'), size: 2, source: 'v1' as VolumeId, sourceKind: 'volume' as const }
      expect(await world.told(clone)).toEqual(report('volume', 'v2', 'available'))
      await writeFile(join(source, 'note'), 'now')
      const copy = await world.mount('c2', 'v2')
      expect(await readFile(join(copy, 'note'), 'utf8')).toBe('then')
      expect(fileSystemSize(copy)).toBeGreaterThan(1.8 * gib)
      expect(await world.told({ ...clone, id: 'v3', source: 'v9' as VolumeId })).toMatchObject({
        state: 'error',
        reason: 'The volume it is made from is missing on the host.',
      })
    } finally {
      await world.end()
    }
  })
})

/** The agent's folder on a file system of its own with little room. */
describe('on a full disk', () => {
  const full = 'The disk of the host is full.'

  test('nothing that is written, grown or copied does damage, and all is said', async () => {
    const disk = await smallDisk(160)
    const world = await openWorld(disk.folder)
    try {
      await world.told(volume('v1'))
      await writeFile(join(await world.mount('c1', 'v1'), 'note'), 'kept')
      await world.volumes.release(id('c1'))
      fill(join(disk.folder, 'of-others'), 110)
      expect(await world.told({ ...volume('v1'), size: 3, made: true })).toMatchObject({
        state: 'available',
        reason: `It could not be given 3 GiB: ${full}`,
      })
      expect(await fileSystemBytes(world.file('volumes', 'v1'))).toBe(gib)

      const source = await world.mount('c1', 'v1')
      // More than there is below: the kernel says so when it is to be safe on disk.
      expect(() => fill(join(source, 'big'), 100)).toThrow()
      const copy = { ...volume('v2'), source: 'v1' as VolumeId, sourceKind: 'volume' as const }
      expect(await world.told(copy)).toMatchObject({ state: 'error', reason: full })
      expect(existsSync(world.file('volumes', 'v2'))).toBe(false)
      await world.volumes.release(id('c1'))
      await world.expectNothingMounted()

      execFileSync('rm', [join(disk.folder, 'of-others')])
      expect(await readFile(join(await world.mount('c2', 'v1'), 'note'), 'utf8')).toBe('kept')
      await world.volumes.release(id('c2'))
      execFileSync('e2fsck', ['-f', '-n', world.file('volumes', 'v1')], { stdio: 'pipe' })
    } finally {
      await world.end()
      disk.end()
    }
  })
})
