import { createHash, randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { Digest } from '@gantry/model'
import { embeddedBlobs } from '../embedded-blobs.ts'
import { never, noLimit, uploadId } from './a-store.ts'

/**
 * Writes and removes blobs until it is killed, and says on its output what it was told is done: a line of JSON each, written
 * before anything else happens.
 */
const [folder = '', round = ''] = process.argv.slice(2)
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const blobs = await embeddedBlobs({ folder, clock: { now: () => Date.now() }, log: quiet })
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)

async function work(worker: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const name = `${round}-${worker}-${turn}`
    const id = uploadId(name)
    const hash = createHash('sha256')
    await blobs.begin(id)
    let size = 0
    for (let piece = 0; piece < 3; piece += 1) {
      const content = randomBytes(1 + Math.floor(Math.random() * 200_000))
      hash.update(content)
      size = await blobs.append(id, Readable.from([content]), { ...noLimit, offset: size }, never)
      say({ appended: name, size })
    }
    const digest = `sha256:${hash.digest('hex')}` as Digest
    say({ finishing: name, digest, size })
    await blobs.finish(id, digest)
    say({ finished: name, digest, size })
    if (turn % 3 > 0) continue
    say({ removing: digest })
    await blobs.remove(digest)
    say({ removed: digest })
  }
}

await Promise.all([0, 1, 2].map(work))
