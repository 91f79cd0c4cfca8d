import { describe, expect, test } from 'vitest'
import { mountPointsIn } from './mount-table.ts'
import { problemSentence } from './problem-sentence.ts'
import { ProgramError, runProgram } from './run-program.ts'

describe('what an owner reads of a failure', () => {
  test.each([
    [new ProgramError('cp', 1, "cp: error writing '/x': No space left on device"), 'The disk of the host is full.'],
    [Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' }), 'The disk of the host is full.'],
    [Object.assign(new Error('EFBIG: file too large'), { code: 'EFBIG' }), 'The host cannot keep a file of that size.'],
    [
      new ProgramError('mount', 32, 'mount: /m: failed to setup loop device for /v.img.'),
      'The host has no loop device to spare.',
    ],
    [
      new ProgramError('umount', 32, 'umount: /m: target is busy.'),
      "The host's umount failed: umount: /m: target is busy.",
    ],
    [new Error('Its data is missing on the host.'), 'Its data is missing on the host.'],
  ])('%s', (error, sentence) => {
    expect(problemSentence(error)).toBe(sentence)
  })

  test('a program that is not installed is told with its package', async () => {
    const error = await runProgram('mkfs.not-here', []).catch((error: unknown) => error)
    expect(problemSentence(error)).toBe('The host lacks mkfs.not-here; its operator must install mkfs.not-here.')
    expect(problemSentence(new ProgramError('mkfs.ext4', null, 'there is no program mkfs.ext4'))).toBe(
      'The host lacks mkfs.ext4; its operator must install e2fsprogs.',
    )
  })

  test('a program is ended with its signal, whose reason is passed on', async () => {
    const leave = new AbortController()
    const running = runProgram('sleep', ['60'], leave.signal)
    leave.abort(new Error('closing'))
    await expect(running).rejects.toThrow('closing')
  })
})

test('mount points are read with their blanks', () => {
  const lines = [
    '36 35 98:0 /a /mnt/one rw shared:1 - ext4 /dev/loop0 rw',
    '37 35 0:1 / /mnt/a\\040b\\134c rw - tmpfs none rw',
    '',
  ]
  expect(mountPointsIn(lines.join('\n'))).toEqual(['/mnt/one', '/mnt/a b\\c'])
})
