import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { mountPoints } from './mount-table.ts'
import { smallDisk } from './testing/small-disk.ts'
import { volumeProblem } from './volume-problem.ts'

/** Needs root. */
describe('whether a machine can hold volumes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-volumes-'))
  chmodSync(folder, 0o777)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const askedBy = async (...under: [string, ...string[]]): Promise<string> => {
    const entry = fileURLToPath(new URL('volume-problem.ts', import.meta.url))
    const script = `import { volumeProblem } from '${entry}'; console.log(await volumeProblem('${folder}'))`
    const [program, ...args] = [...under, process.execPath, '--input-type=module', '--eval', script]
    const { stdout } = await promisify(execFile)(program, args)
    expect((await mountPoints()).filter((point) => point.startsWith(folder))).toEqual([])
    expect(readdirSync(folder)).toEqual([])
    return stdout.trim()
  }

  test('root on a whole machine finds no problem, and leaves nothing behind', async () => {
    expect(await volumeProblem(folder)).toBeNull()
    expect(await volumeProblem(folder)).toBeNull()
    expect(await askedBy('env')).toBe('null')
  })

  test('a full disk is no problem of the machine', async () => {
    const disk = await smallDisk(8)
    try {
      mkdirSync(disk.folder)
      const fill = `dd if=/dev/zero of=${join(disk.folder, 'filler')} bs=4k 2>&1 || true`
      await promisify(execFile)('sh', ['-c', fill])
      expect(await volumeProblem(disk.folder)).toBeNull()
      expect(readdirSync(disk.folder)).toEqual(['filler'])
    } finally {
      disk.end()
    }
  })

  test('a user that is not root is told so', async () => {
    expect(await askedBy('setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups')).toBe(
      'The agent does not run as root, so it cannot mount volumes.',
    )
  })

  test('root in a container without its rights, or without loop devices, is told what fails', async () => {
    const weak = ['--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin']
    expect(await askedBy('setpriv', ...weak)).toMatch(/^The host('s mount failed: | has no loop device to spare)/)
    const noDevices = 'mount -t tmpfs tmpfs /dev && exec "$@"'
    expect(await askedBy('unshare', '--mount', 'sh', '-c', noDevices, 'sh')).toMatch(
      /^The host('s (mount|losetup) failed: | has no loop device to spare)/,
    )
  })
})
