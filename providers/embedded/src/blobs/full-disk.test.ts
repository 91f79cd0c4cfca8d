import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { embeddedBlobs } from './embedded-blobs.ts'
import { digestOf, never, noLimit, uploadId } from './testing/a-store.ts'

const run = promisify(execFile)
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

test.skipIf(process.getuid?.() !== 0)('a full disk is told, and an upload goes on when there is room', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-full-'))
  await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])
  try {
    const blobs = await embeddedBlobs({ folder, clock: { now: () => Date.now() }, log: quiet })
    const id = uploadId('u')
    const content = Buffer.alloc(3 << 20, 7)
    await blobs.begin(id)
    expect(await blobs.append(id, Readable.from([content]), noLimit, never)).toBe(content.length)
    const more = Readable.from([content, content])
    await expect(blobs.append(id, more, noLimit, never)).rejects.toMatchObject({ code: 'store.full' })
    const received = await blobs.received(id)
    expect(received).toBeGreaterThanOrEqual(content.length)
    await run('mount', ['-o', 'remount,size=16m', folder])
    const whole = Buffer.alloc(3 * content.length, 7)
    await blobs.append(id, Readable.from([whole.subarray(received)]), { ...noLimit, offset: received }, never)
    expect(await blobs.finish(id, digestOf(whole))).toEqual({ size: whole.length })
  } finally {
    await run('umount', [folder])
    await rm(folder, { recursive: true })
  }
})
