import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { diskImages } from './disk-images.ts'
import { programsUnder } from './run-program.ts'
import { openStateFolders } from './state-folders.ts'
import { volumeMounts } from './volume-mounts.ts'

/** Needs root. */
test('a copy that is cut short, at any moment, lets the writers go on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-volumes-'))
  const programs = programsUnder(join(folder, 'lock'))
  const folders = await openStateFolders(folder)
  const images = diskImages(folders, programs)
  const mounts = volumeMounts(folders, programs)
  const file = join(folders.volumes, 'v1.img')
  try {
    await images.makeEmpty(file, 1, new AbortController().signal)
    const data = await mounts.mount('v1')
    execFileSync('dd', ['if=/dev/urandom', `of=${join(data, 'big')}`, 'bs=1M', 'count=200'], { stdio: 'pipe' })
    const point = await mounts.pointOf('v1')
    const copy = join(folders.snapshots, 's1.img')
    for (const ms of [0, 4, 8, 16, 32, 64]) {
      const leave = new AbortController()
      const copying = images.makeCopy(copy, { file, point }, 1, leave.signal).then(
        () => 'whole',
        (error: unknown) => error,
      )
      await sleep(ms)
      leave.abort(new Error('leaving'))
      expect(['whole', leave.signal.reason]).toContain(await copying)
      await programs.allEnded()
      // The kernel refuses to let go on what goes on already.
      expect(() => execFileSync('fsfreeze', ['--unfreeze', String(point)], { stdio: 'pipe' })).toThrow(
        /Invalid argument/,
      )
    }
    await images.makeCopy(copy, { file, point }, 1, new AbortController().signal)
    execFileSync('e2fsck', ['-f', '-n', copy], { stdio: 'pipe' })
    await mounts.unmount('v1')
  } finally {
    if ((await mounts.pointOf('v1')) !== null) execFileSync('umount', ['--lazy', join(folders.mounts, 'v1')])
    await rm(folder, { recursive: true, force: true })
  }
})
