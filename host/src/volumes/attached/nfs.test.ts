import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from '@gantry/model'
import { afterEach, describe, expect, test } from 'vitest'
import { nfsArguments } from './nfs-connector.ts'
import { type AttachedWorld, never, openAttachedWorld } from './testing/attached-world.ts'

const exported = '192.0.2.1:/volumes'

/** The export is a folder of this machine, mounted where Cinder would have it: many kernels have no NFS. Needs root. */
describe('volumes on NFS', () => {
  const worlds: AttachedWorld[] = []
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.end()
  })

  const newWorld = async () => {
    const world = await openAttachedWorld()
    worlds.push(world)
    const base = join(world.folder, 'cinder')
    const point = join(base, createHash('md5').update(exported).digest('hex'))
    mkdirSync(point, { recursive: true })
    execFileSync('mount', ['--bind', join(world.folder, 'storage'), point])
    const connection = (name: string, format: string) =>
      ({
        driver_volume_type: 'nfs',
        export: exported,
        name,
        format,
        options: null,
        mount_point_base: base,
      }) as Connection
    return { world, connection, point, leave: () => execFileSync('umount', [point]) }
  }

  test('a file of an export that Cinder has mounted is mounted from there', async () => {
    const { world, connection, leave } = await newWorld()
    await world.newFile('volume-1')
    const one = world.machine('one')
    const volume = world.volume('one', 'v1', { connection: connection('volume-1', 'raw') })
    await one.mount(volume, never)
    await writeFile(join(volume.point, 'note'), 'kept')
    const two = world.machine('two')
    const there = world.volume('two', 'v1', { connection: connection('volume-1', 'raw') })
    await expect(two.mount(there, never)).rejects.toThrow('It is mounted on host one.')
    await one.unmount('v1')
    await two.mount(there, never)
    expect(await readFile(join(there.point, 'note'), 'utf8')).toBe('kept')
    await two.unmount('v1')
    leave()
    await world.expectNothingLeft()
  })

  test('a volume with a snapshot is mounted, and the snapshot stays as it was', { timeout: 60_000 }, async () => {
    const { world, connection, leave } = await newWorld()
    const base = await world.newFile('volume-1')
    const one = world.machine('one')
    const raw = world.volume('one', 'v1', { connection: connection('volume-1', 'raw') })
    await one.mount(raw, never)
    await writeFile(join(raw.point, 'note'), 'then')
    await one.unmount('v1')
    const overlay = `${base}.snapshot`
    const options = ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', 'volume-1', overlay]
    execFileSync('qemu-img', options, { cwd: join(world.folder, 'storage') })

    const volume = { ...raw, blank: false, connection: connection('volume-1.snapshot', 'qcow2') }
    await one.mount(volume, never)
    expect(await readFile(join(volume.point, 'note'), 'utf8')).toBe('then')
    await writeFile(join(volume.point, 'note'), 'now')
    const bytes = Buffer.alloc(32 << 20, 'gantry')
    await writeFile(join(volume.point, 'much'), bytes)
    const two = world.machine('two')
    const there = { ...world.volume('two', 'v1'), blank: false, connection: volume.connection }
    await expect(two.mount(there, never)).rejects.toThrow('It is mounted on host one.')
    // The process is gone without a word; what it started is not.
    const again = world.machine('one')
    await again.mount(volume, never)
    expect(await again.isMounted('v1')).toBe(true)
    await again.unmount('v1')

    await two.mount(there, never)
    expect(await readFile(join(there.point, 'note'), 'utf8')).toBe('now')
    expect(bytes.equals(await readFile(join(there.point, 'much')))).toBe(true)
    await two.unmount('v1')
    const snapshot = execFileSync('debugfs', ['-R', 'cat note', base], { encoding: 'utf8', stdio: 'pipe' })
    expect(snapshot).toBe('then')
    execFileSync('e2fsck', ['-f', '-n', base], { stdio: 'pipe' })
    execFileSync('qemu-img', ['check', '-q', overlay])
    leave()
    await world.expectNothingLeft()
    expect(execFileSync('ps', ['-ef'], { encoding: 'utf8' })).not.toContain(world.folder)
  })

  test('what the storage says of mounting is said to mount', () => {
    expect(nfsArguments({ driver_volume_type: 'nfs' })).toEqual(['-t', 'nfs', '-o', 'nodev'])
    const connection = { driver_volume_type: 'nfs', options: '-o vers=4.1,soft' } as Connection
    expect(nfsArguments(connection)).toEqual(['-t', 'nfs', '-o', 'nodev,vers=4.1,soft'])
  })

  test.each([
    [{ name: '../../etc/shadow' }, 'The storage told an impossible name of the nfs connection.'],
    [{ name: undefined }, 'The storage did not tell name of the nfs connection.'],
    [{ format: 'vmdk' }, 'The volume is kept as vmdk, which cannot be mounted here.'],
    [
      { driver_volume_type: 'fibre_channel' },
      /^The host cannot reach volumes of the kind fibre_channel; it can reach: /,
    ],
  ])('a connection that cannot be is refused: %j', async (changes, sentence) => {
    const { world, connection, leave } = await newWorld()
    const one = world.machine('one')
    const wrong = { ...connection('volume-1', 'raw'), ...changes } as Connection
    await expect(one.mount(world.volume('one', 'v1', { connection: wrong }), never)).rejects.toThrow(sentence)
    leave()
    await world.expectNothingLeft()
  })
})
