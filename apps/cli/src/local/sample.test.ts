import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseOpenrc } from '../openrc.ts'
import { eventData } from './cloud.ts'
import { type Notice, progressTo } from './progress.ts'
import { isReachable, isStatic } from './sample-image.ts'
import { tar } from './tar.ts'

test('an openrc is read as a shell would', () => {
  const text =
    '# comment\nexport OS_PASSWORD=\'a b"c\'\nexport OS_USERNAME=demo\nOS_REGION_NAME="x\\"y"\nexport PATH=/bin\n'
  expect(parseOpenrc(text)).toEqual({ OS_PASSWORD: 'a b"c', OS_USERNAME: 'demo', OS_REGION_NAME: 'x"y' })
})

test('events are put together from any chunks', async () => {
  async function* chunks() {
    for (const chunk of ['data: {"a"', ':"é"}\n\nda', 'ta: 2\n', ': note\n']) yield Buffer.from(chunk)
  }
  const found: string[] = []
  for await (const data of eventData(chunks())) found.push(data)
  expect(found).toEqual(['', '{"a":"é"}', '2'])
})

test('the machine’s tar reads our archives', () => {
  const archive = tar([
    { kind: 'folder', path: 'tmp/', mode: 0o1777 },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, content: Buffer.from('x'.repeat(513)) },
    { kind: 'link', path: 'bin/sh', target: 'busybox' },
  ])
  const listed = execFileSync('tar', ['-tvf', '-'], { input: archive, encoding: 'utf8' })
  expect(listed).toMatch(/drwxrwxrwt.* tmp\/\n-rwxr-xr-x.* 513 .*bin\/busybox\nlrwxrwxrwx.*bin\/sh -> busybox/)
  expect(() => tar([{ kind: 'folder', path: 'x'.repeat(101), mode: 0 }])).toThrow(RangeError)
})

test('a program that needs a loader is not static', () => {
  expect(isStatic(readFileSync(process.execPath).subarray(0, 65_536))).toBe(false)
  expect(isStatic(Buffer.from('#!/bin/sh\n'))).toBe(false)
})

test('a host that cannot be reached is known within the time', async () => {
  expect(await isReachable('127.0.0.1', 1, 3000)).toBe(false)
  const began = performance.now()
  expect(await isReachable('192.0.2.1', 443, 100)).toBe(false)
  expect(performance.now() - began).toBeLessThan(1000)
})

test('a step is told with its time, and a failed one as not done', async () => {
  const told: Notice[] = []
  let now = 0
  const progress = progressTo(
    (notice) => told.push(notice),
    () => (now += 500),
  )
  await progress.step(
    'Work',
    async (say) => say('half'),
    () => 'Worked',
  )
  await expect(progress.step('Fail', async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(told).toMatchObject([
    { kind: 'begin', text: 'Work' },
    { kind: 'detail', text: 'half' },
    { kind: 'end', text: 'Worked', ok: true, ms: 500 },
    { kind: 'begin', text: 'Fail' },
    { kind: 'end', ok: false },
  ])
})
