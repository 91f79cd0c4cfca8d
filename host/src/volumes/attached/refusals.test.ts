import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, writeSync } from 'node:fs'
import { appendFile, mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { problemSentence } from '../problem-sentence.ts'
import { signatureIn } from './signature.ts'
import { type AttachedWorld, gib, never, openAttachedWorld } from './testing/attached-world.ts'

/** Needs root. */
describe('what is on a volume is never written over', () => {
  const worlds: AttachedWorld[] = []
  const newWorld = async () => {
    const made = await openAttachedWorld()
    worlds.push(made)
    return made
  }
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.end()
  })

  test.each([
    ['a partition table', 'It holds a dos partition table, which cannot be mounted.', dosTable],
    ['something encrypted', 'It holds a signature of crypto_LUKS, which cannot be mounted.', luks],
    ['a part of LVM', 'It holds a signature of LVM2_member, which cannot be mounted.', lvm],
    ['swap space', 'It holds a signature of swap, which cannot be mounted.', swap],
    [
      'a file system that is unknown here',
      /^A file system of the kind \w+ cannot be mounted here; these can: ext4/,
      minix,
    ],
  ])('%s is left alone, even on a volume said to be blank', async (_, sentence, put) => {
    const world = await newWorld()
    const file = await world.newFile('v1')
    await put(file)
    const before = await head(file)
    const one = world.machine('one')
    await expect(one.mount(world.volume('one', 'v1'), never)).rejects.toThrow(sentence)
    expect((await head(file)).equals(before)).toBe(true)
    await world.expectNothingLeft()
  })

  test('a volume with no signature that is not said to be blank is left alone', async () => {
    const world = await newWorld()
    const file = await world.newFile('v1')
    const one = world.machine('one')
    const volume = world.volume('one', 'v1', { blank: false })
    await expect(one.mount(volume, never)).rejects.toThrow('It holds no file system, and is not known to be empty.')
    expect((await head(file)).every((byte) => byte === 0)).toBe(true)
    await world.expectNothingLeft()
  })

  test('one that may be blank is formatted if every byte is zero, and left alone if one is not', async () => {
    const world = await newWorld()
    const one = world.machine('one')
    const file = await world.newFile('v1')
    const volume = world.volume('one', 'v1', { blank: false, maybeBlank: true })
    writeAt(file, 700_000_001)
    await expect(one.mount(volume, never)).rejects.toThrow('it holds something: it is not formatted')
    expect(execFileSync('sh', ['-c', 'blkid -p "$1" || true', 'sh', file], { encoding: 'utf8' })).toBe('')
    writeAt(file, 700_000_001, 0)
    await one.mount(volume, never)
    await one.unmount('v1')
    // What was mounted once is known by then; a kill in the middle of the first mkfs is not its end.
    execFileSync('e2label', [file, 'gantry-new'])
    await one.mount({ ...volume, fsType: 'xfs' }, never)
    await one.unmount('v1')
    expect(execFileSync('blkid', ['-p', '-o', 'export', file], { encoding: 'utf8' })).toContain('TYPE=xfs')
    await world.expectNothingLeft()
  })

  test('what a mkfs that was cut short left is made anew only on a blank volume', async () => {
    const world = await newWorld()
    const file = await world.newFile('v1')
    execFileSync('mkfs.ext4', ['-q', '-L', 'gantry-new', file])
    const one = world.machine('one')
    const volume = world.volume('one', 'v1', { fsType: 'xfs' })
    await one.mount({ ...volume, blank: false }, never)
    await one.unmount('v1')
    expect(execFileSync('blkid', ['-p', '-o', 'export', file], { encoding: 'utf8' })).toContain('TYPE=ext4')
    await one.mount(volume, never)
    await one.unmount('v1')
    expect(execFileSync('blkid', ['-p', '-o', 'export', file], { encoding: 'utf8' })).toContain('TYPE=xfs')
    await world.expectNothingLeft()
  })

  test('a file system that nobody here can make is said so, and that it is there counts more', async () => {
    const world = await newWorld()
    const file = await world.newFile('v1')
    const one = world.machine('one')
    const volume = world.volume('one', 'v1', { fsType: 'ntfs' })
    await expect(one.mount(volume, never)).rejects.toThrow(
      'A file system of the kind ntfs cannot be mounted here; these can: ext4, ext3, ext2, xfs, btrfs.',
    )
    execFileSync('mkfs.ext4', ['-q', file])
    await one.mount(volume, never)
    await one.unmount('v1')
    await world.expectNothingLeft()
  })

  test('a full storage is an error of who writes, and does no harm', async () => {
    const world = await newWorld()
    const small = join(world.folder, 'small')
    await mkdir(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', small])
    const file = join(small, 'v1')
    await writeFile(file, '')
    await truncate(file, gib)
    const connection = { driver_volume_type: 'local', device_path: file } as { driver_volume_type: string }
    const one = world.machine('one')
    const volume = world.volume('one', 'v1', { connection })
    await one.mount(volume, never)
    await writeFile(join(volume.point, 'note'), 'kept')
    execFileSync('sync', ['-f', volume.point])
    const write = () =>
      execFileSync('dd', ['if=/dev/zero', `of=${join(volume.point, 'much')}`, 'bs=1M', 'count=64', 'conv=fsync'], {
        stdio: 'pipe',
      })
    expect(write).toThrow(/Input\/output error|No space left|Read-only/)
    await one.unmount('v1')
    // Room is made, and it goes on with all that was safe.
    execFileSync('mount', ['-o', 'remount,size=256m', small])
    await one.mount({ ...volume, blank: false }, never)
    expect(await readFile(join(volume.point, 'note'), 'utf8')).toBe('kept')
    await writeFile(join(volume.point, 'more'), 'more')
    await one.unmount('v1')
    execFileSync('e2fsck', ['-f', '-n', file], { stdio: 'pipe' })
    execFileSync('umount', [small])
    await world.expectNothingLeft()
  })

  test('a storage that is too full for a file system says so, and one is made later', async () => {
    const world = await newWorld()
    const small = join(world.folder, 'small')
    await mkdir(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', small])
    const file = join(small, 'v1')
    await writeFile(file, '')
    await truncate(file, gib)
    const one = world.machine('one')
    const connection = { driver_volume_type: 'local', device_path: file } as { driver_volume_type: string }
    const volume = world.volume('one', 'v1', { connection })
    const said = await one.mount(volume, never).then(() => '', problemSentence)
    expect(said).toMatch(/^The host's (mkfs.ext4|tune2fs|mount) failed: |full/)
    expect(await one.list()).toEqual([])
    execFileSync('mount', ['-o', 'remount,size=256m', small])
    await one.mount(volume, never)
    await one.unmount('v1')
    execFileSync('umount', [small])
    await world.expectNothingLeft()
  })

  test('while something has a file of it open it stays, and goes then', async () => {
    const world = await newWorld()
    await world.newFile('v1')
    const one = world.machine('one')
    const volume = world.volume('one', 'v1')
    await one.mount(volume, never)
    const file = await open(join(volume.point, 'note'), 'w')
    await expect(one.unmount('v1')).rejects.toThrow(/target is busy/)
    expect(await one.isMounted('v1')).toBe(true)
    await file.close()
    await one.unmount('v1')
    await world.expectNothingLeft()
  })

  test('while another view of the machine has it mounted no other machine gets it, and it can be mounted again', async () => {
    const world = await newWorld()
    await world.newFile('v1')
    const [one, two] = [world.machine('one'), world.machine('two')]
    const volume = world.volume('one', 'v1')
    await one.mount(volume, never)
    await writeFile(join(volume.point, 'note'), 'kept')
    // As a container has it; what is unmounted here is not unmounted there.
    const bind = 'mount --bind "$1" /mnt && echo ready && exec sleep 600'
    const container = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', bind, 'sh', volume.point])
    await once(container.stdout, 'data')
    await expect(one.unmount('v1')).rejects.toThrow('Something on the host still has it in use.')
    expect(await one.isMounted('v1')).toBe(false)
    expect(await one.list()).toEqual(['v1'])
    await expect(two.mount(world.volume('two', 'v1'), never)).rejects.toThrow('It is mounted on host one.')
    await one.mount(volume, never)
    expect(await readFile(join(volume.point, 'note'), 'utf8')).toBe('kept')
    container.kill('SIGKILL')
    await once(container, 'exit')
    await one.unmount('v1')
    await world.expectNothingLeft()
  })

  test('a hundred rounds leave nothing', { timeout: 240_000 }, async () => {
    const world = await newWorld()
    await Promise.all(['v1', 'v2', 'v3', 'v4'].map((name) => world.newFile(name)))
    const [one, two] = [world.machine('one'), world.machine('two')]
    const live = async (name: string) => {
      for (let round = 0; round < 25; round += 1) {
        const [machine, place] = round % 2 === 0 ? [one, 'one'] : [two, 'two']
        const volume = world.volume(place, name, { blank: round === 0 })
        await machine.mount(volume, never)
        await appendFile(join(volume.point, 'note'), `${round}\n`)
        await machine.unmount(name)
      }
      const volume = world.volume('one', name, { blank: false })
      await one.mount(volume, never)
      expect((await readFile(join(volume.point, 'note'), 'utf8')).trim().split('\n')).toHaveLength(25)
      await one.unmount(name)
    }
    await Promise.all(['v1', 'v2', 'v3', 'v4'].map(live))
    await world.expectNothingLeft()
    expect(readdirSync(join(world.folder, 'one', 'mounts'))).toEqual([])
    expect(world.warnings).toEqual([])
  })
})

test('signatures are read as blkid prints them', () => {
  expect(signatureIn('DEVNAME=/dev/x\nLABEL=a=b\nUSAGE=filesystem\nTYPE=ext4\n')).toEqual({
    kind: 'file-system',
    type: 'ext4',
    label: 'a=b',
  })
  expect(signatureIn('DEVNAME=/dev/x\nPTTYPE=gpt\n')).toEqual({ kind: 'other', what: 'a gpt partition table' })
  expect(signatureIn('USAGE=raid\nTYPE=linux_raid_member\n')).toEqual({
    kind: 'other',
    what: 'a signature of linux_raid_member',
  })
  expect(signatureIn('')).toEqual({ kind: 'other', what: 'an unknown signature' })
})

async function dosTable(file: string): Promise<void> {
  await put(file, 510, Buffer.from([0x55, 0xaa]))
  await put(file, 446, Buffer.from([0x80, 1, 1, 0, 0x83, 3, 32, 3, 0, 8, 0, 0, 0, 0, 16, 0]))
}

async function luks(file: string): Promise<void> {
  await put(file, 0, Buffer.from([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe, 0, 1]))
}

async function lvm(file: string): Promise<void> {
  const label = Buffer.alloc(512)
  label.write('LABELONE', 0)
  label.writeUInt32LE(1, 8)
  label.writeUInt32LE(32, 20)
  label.write('LVM2 001', 24)
  label.write('a'.repeat(32), 32)
  // LVM's CRC is zlib's without the inversion at either end.
  label.writeUInt32LE(~crc32(label.subarray(20), ~0xf597a6cf >>> 0) >>> 0, 16)
  await put(file, 512, label)
}

async function swap(file: string): Promise<void> {
  execFileSync('mkswap', [file], { stdio: 'pipe' })
}

async function minix(file: string): Promise<void> {
  execFileSync('mkfs.minix', [file], { stdio: 'pipe' })
}

async function put(path: string, position: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(bytes, 0, bytes.length, position)
  await file.close()
}

async function head(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  const { buffer } = await file.read(Buffer.alloc(1 << 20), 0, 1 << 20, 0)
  await file.close()
  return buffer
}

function writeAt(file: string, position: number, byte = 1): void {
  const opened = openSync(file, 'r+')
  writeSync(opened, Buffer.from([byte]), 0, 1, position)
  closeSync(opened)
}
