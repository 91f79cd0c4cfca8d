import { describe, expect, test } from 'vitest'
import { copyPlan, type Destination, folderEntry } from './copy-plan.ts'
import { copySources } from './copy-sources.ts'
import { FileTree, type TreeEntry, treePath } from './file-tree.ts'
import { goPattern, hasWildcards } from './go-match.ts'
import { ignoredBy } from './ignore-list.ts'

const entry = (kind: TreeEntry['kind'], target = ''): TreeEntry => ({ ...folderEntry(1), kind, target, mode: 0o644 })
const tree = new FileTree(
  new Map([
    ['', entry('folder')],
    ['a.txt', entry('file')],
    ['b.txt', entry('file')],
    ['sub', entry('folder')],
    ['sub/c.txt', entry('file')],
    ['link', entry('link', 'sub/c.txt')],
    ['folder', entry('link', '/sub')],
    ['out', entry('link', '../../../etc/passwd')],
    ['loop', entry('link', 'loop')],
  ]),
  '/nowhere',
)
const missing: Destination = { kind: 'missing', base: '/', below: ['x', 'y'] }
const folder: Destination = { kind: 'folder', base: '/x/y', below: [] }

function paths(sources: string[], destination: string, there: Destination, owner = { uid: 1, gid: 2 }): string[] {
  const found = copySources(tree, sources, 'COPY')
  const entries = copyPlan(tree, { sources: found, destination, there, owner, now: 5 })
  return entries.map(({ path, entry: { kind, uid } }) => `${path} ${kind} ${uid}`)
}

describe('copyPlan', () => {
  test('a file to a new name', () => {
    expect(paths(['a.txt'], '/x/y', missing)).toEqual(['x folder 1', 'x/y file 1'])
  })
  test('a file into a folder, new or there', () => {
    expect(paths(['a.txt'], '/x/y/', missing)).toEqual(['x folder 1', 'x/y folder 1', 'x/y/a.txt file 1'])
    expect(paths(['a.txt'], '/x/y', folder)).toEqual(['a.txt file 1'])
  })
  test('what is in a folder, not the folder', () => {
    expect(paths(['sub'], '/x/y', missing)).toEqual(['x folder 0', 'x/y folder 1', 'x/y/c.txt file 1'])
    expect(paths(['sub'], '/x/y', folder)).toEqual(['c.txt file 1'])
  })
  test('a link is followed, and keeps its name', () => {
    expect(paths(['link'], '/x/y', folder)).toEqual(['link file 1'])
    expect(paths(['folder'], '/x/y', folder)).toEqual(['c.txt file 1'])
  })
  test('a folder has no place where a file is', () => {
    expect(() => paths(['sub'], '/x', { kind: 'other', base: '/', below: ['x'] })).toThrow(/non-directory/)
  })
})

describe('copySources', () => {
  test('patterns', () => {
    expect(copySources(tree, ['*.txt', '/sub/c*'], 'COPY').map(({ path }) => path)).toEqual([
      'a.txt',
      'b.txt',
      'sub/c.txt',
    ])
  })
  test.each(['none', 'out', 'loop', '../a.txt', 'http://x/y', '*.none'])('%s is refused', (source) => {
    expect(() => copySources(tree, [source], 'COPY')).toThrow(/^COPY failed/)
  })
})

test('names of a tar stay inside', () => {
  expect(treePath('./a/../b/')).toBe('b')
  expect(treePath('/etc/passwd')).toBe('etc/passwd')
  expect(treePath('./')).toBe('')
  expect(treePath('../x')).toBeNull()
  expect(treePath('a/../../x')).toBeNull()
})

test('patterns as Go knows them', () => {
  const fits = (pattern: string, path: string) => goPattern(pattern)?.test(path)
  expect(fits('*.t?t', 'a.txt')).toBe(true)
  expect(fits('*', 'a/b')).toBe(false)
  expect(fits('[a-c]x', 'bx')).toBe(true)
  expect(fits('[^a-c]x', 'bx')).toBe(false)
  expect(fits('\\*x', '*x')).toBe(true)
  expect(fits('a.b', 'axb')).toBe(false)
  expect(goPattern('[')).toBeNull()
  expect(goPattern('a\\')).toBeNull()
  expect(hasWildcards('a\\*b')).toBe(false)
  expect(hasWildcards('a[b')).toBe(true)
})

test('what a .dockerignore leaves out', () => {
  const ignored = ignoredBy('# no\n*.md\n!keep.md\n**/deep\nDocker*\n')
  expect(['x.md', 'keep.md', 'a/b/deep', 'deep', 'deep/er', 'Dockerfile', 'a/x.md', 'src'].map(ignored)).toEqual([
    true,
    false,
    true,
    true,
    true,
    true,
    false,
    false,
  ])
})
