import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { entriesOfStat, entryOfHeader, findCommand, normal, sorted } from './entries.ts'

const folder = mkdtempSync('/tmp/gantry-entries-')
afterAll(() => rmSync(folder, { recursive: true }))

function list() {
  const [program = '', ...args] = findCommand(folder)
  return sorted(entriesOfStat(execFileSync(program, args).toString()))
}

test('whatever a file is called, it is one entry of that name', () => {
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'sub', 'deeper'), '')
  writeFileSync(join(folder, 'plain'), 'hello', { mode: 0o640 })
  writeFileSync(join(folder, 'two\nlines'), '')
  writeFileSync(join(folder, '81a4 5 0 fake'), '')
  symlinkSync('/etc', join(folder, '-link'))
  const [first, ...others] = list()
  expect(first).toMatchObject({ name: 'sub', kind: 'folder' })
  expect(others.map(({ name, kind, size }) => [name, kind, size])).toEqual([
    ['-link', 'link', 4],
    ['81a4 5 0 fake', 'file', 0],
    ['plain', 'file', 5],
    ['two\nlines', 'file', 0],
  ])
  expect(others.find(({ name }) => name === 'plain')?.mode).toBe('rw-r-----')
})

test('an entry of an archive that lies deeper tells of its folder', () => {
  const entry = (name: string, type: 'file' | 'directory') => entryOfHeader({ name, type, size: 7, mode: 0o755 })
  expect(entry('./', 'directory')).toBeUndefined()
  expect(entry('./etc/', 'directory')).toMatchObject({ name: 'etc', kind: 'folder', mode: 'rwxr-xr-x' })
  expect(entry('etc/hosts', 'file')).toMatchObject({ name: 'etc', kind: 'folder' })
  expect(entry('./hosts', 'file')).toMatchObject({ name: 'hosts', kind: 'file', size: 7 })
})

test('a path that is typed becomes one', () => {
  expect(['etc', '/a//b/./../c/', '/../..', ' / '].map(normal)).toEqual(['/etc', '/a/c', '/', '/'])
})
