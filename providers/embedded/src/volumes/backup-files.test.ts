import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { BackupId } from '@gantry/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { backupFiles } from './backup-files.ts'

const run = promisify(execFile)
const never = new AbortController().signal
const [one, two] = ['one' as BackupId, 'two' as BackupId]
const content = randomBytes(3 << 20)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-backups-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('what is kept can be read, and has the digest that is told', async () => {
  const files = backupFiles(join(folder, 'deep', 'er'))
  const digest = await files.keep(one, Readable.from([content.subarray(0, 999), content.subarray(999)]), never)
  expect(digest).toBe(createHash('sha256').update(content).digest('hex'))
  expect((await buffer(await files.read(one))).equals(content)).toBe(true)
  await files.remove(one)
  await files.remove(one)
  await expect(files.read(one)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('content that breaks off, or is no longer wanted, leaves nothing', async () => {
  const files = backupFiles(folder)
  async function* breaking() {
    yield content
    throw new Error('the line broke')
  }
  await expect(files.keep(one, Readable.from(breaking()), never)).rejects.toThrow('the line broke')
  const leave = new AbortController()
  const endless = new Readable({ read: () => undefined })
  endless.push(content)
  const keeping = files.keep(one, endless, leave.signal)
  await expect.poll(() => readdir(folder)).toEqual(['one.tar.zst.new'])
  leave.abort()
  await expect(keeping).rejects.toThrow()
  expect(endless.destroyed).toBe(true)
  expect(await readdir(folder)).toEqual([])
})

test('only what is named is left, and no half', async () => {
  const files = backupFiles(folder)
  await files.keep(one, Readable.from([content]), never)
  await files.keep(two, Readable.from([content]), never)
  await writeFile(join(folder, 'two.tar.zst.new'), 'half')
  await files.keepOnly(new Set([one]))
  expect(await readdir(folder)).toEqual(['one.tar.zst'])
})

test.skipIf(process.getuid?.() !== 0)('a full disk is told, and what was there before is whole', async () => {
  await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder])
  try {
    const files = backupFiles(join(folder, 'backups'))
    await files.keep(one, Readable.from([content]), never)
    const more = Readable.from([content, content, content])
    await expect(files.keep(two, more, never)).rejects.toMatchObject({ code: 'store.full' })
    expect(await readdir(join(folder, 'backups'))).toEqual(['one.tar.zst'])
    expect((await buffer(await files.read(one))).equals(content)).toBe(true)
  } finally {
    await run('umount', [folder])
  }
})
