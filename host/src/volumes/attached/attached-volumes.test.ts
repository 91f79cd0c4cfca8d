import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { fileSystemSize } from '../testing/kernel-world.ts'
import { type AttachedWorld, gib, never, openAttachedWorld } from './testing/attached-world.ts'

/** With the kernel's own loop devices and file systems: needs root. */
describe('attached volumes', () => {
  const worlds: AttachedWorld[] = []
  const newWorld = async () => {
    const made = await openAttachedWorld()
    worlds.push(made)
    return made
  }
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.end()
  })

  test.each(['ext4', 'ext3', 'ext2', 'xfs', 'btrfs'])(
    'a blank one is given a file system of the kind %s, once',
    async (fsType) => {
      const world = await newWorld()
      const file = await world.newFile('v1')
      const one = world.machine('one')
      const volume = world.volume('one', 'v1', { fsType })
      await one.mount(volume, never)
      expect(await one.isMounted('v1')).toBe(true)
      expect(readdirSync(volume.point)).toEqual([])
      await writeFile(join(volume.point, 'note'), 'kept')
      await one.unmount('v1')
      expect(existsSync(volume.point)).toBe(false)
      await world.expectNothingLeft()
      const probed = execFileSync('blkid', ['-p', '-o', 'export', file], { encoding: 'utf8' })
      expect(probed).toContain(`TYPE=${fsType}`)
      expect(probed).not.toContain('LABEL=')

      // Another machine, and what it is told has not changed yet.
      const two = world.machine('two')
      const there = world.volume('two', 'v1', { fsType })
      await two.mount(there, never)
      expect(await readFile(join(there.point, 'note'), 'utf8')).toBe('kept')
      await truncate(file, 2 * gib)
      await two.mount({ ...there, size: 2 }, never)
      // An agent that lacks this right must wait for the next mount where the file system is ext4.
      if (mayGrow || !fsType.startsWith('ext')) expect(fileSystemSize(there.point)).toBeGreaterThan(1.7 * gib)
      await two.unmount('v1')
      await truncate(file, 3 * gib)
      await one.mount({ ...volume, blank: false, size: 3 }, never)
      expect(fileSystemSize(volume.point)).toBeGreaterThan(2.7 * gib)
      expect(await readFile(join(volume.point, 'note'), 'utf8')).toBe('kept')
      await one.unmount('v1')
      await one.unmount('v1')
      await world.expectNothingLeft()
      if (mayGrow) expect(world.warnings).toEqual([])
    },
  )

  test('a file that one machine has is refused to another, by name, until it is unmounted', async () => {
    const world = await newWorld()
    await world.newFile('v1')
    const [one, two] = [world.machine('one'), world.machine('two')]
    const [here, there] = [world.volume('one', 'v1'), world.volume('two', 'v1')]
    await one.mount(here, never)
    await writeFile(join(here.point, 'note'), 'first')
    const refused = 'It is mounted on host one.'
    await expect(two.mount(there, never)).rejects.toThrow(refused)
    await expect(two.mount({ ...there, readOnly: true, blank: false }, never)).rejects.toThrow(refused)
    expect(await two.list()).toEqual([])
    // The one process is gone without a word; what it mounted is not.
    const again = world.machine('one')
    await expect(two.mount(there, never)).rejects.toThrow(refused)
    expect(await again.isMounted('v1')).toBe(true)
    await again.mount(here, never)
    await writeFile(join(here.point, 'note'), 'second')
    await again.unmount('v1')
    await two.mount(there, never)
    expect(await readFile(join(there.point, 'note'), 'utf8')).toBe('second')
    await expect(one.mount(here, never)).rejects.toThrow('It is mounted on host two.')
    await two.unmount('v1')
    await world.expectNothingLeft()
  })

  test('several machines may read one that none of them writes', async () => {
    const world = await newWorld()
    await world.newFile('v1')
    const [one, two] = [world.machine('one'), world.machine('two')]
    // Blank, and to be read: it is given a file system all the same.
    const here = world.volume('one', 'v1', { readOnly: true })
    const there = world.volume('two', 'v1', { readOnly: true, blank: false })
    await one.mount(here, never)
    await two.mount(there, never)
    await expect(writeFile(join(there.point, 'note'), '')).rejects.toThrow('EROFS')
    await expect(two.mount({ ...there, readOnly: false }, never)).rejects.toThrow('It is mounted on another host.')
    await one.unmount('v1')
    await two.mount({ ...there, readOnly: false }, never)
    await writeFile(join(there.point, 'note'), '')
    await two.unmount('v1')
    await world.expectNothingLeft()
  })
})

const effective = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
/** CAP_SYS_RESOURCE, without which the kernel lets nobody grow an ext4 file system that is mounted. */
const mayGrow = (BigInt(`0x${effective}`) & (1n << 24n)) !== 0n
