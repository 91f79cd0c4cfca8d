import { expect, test } from 'vitest'
import { fitsPattern, nameOf, newName, notFound } from './names.ts'

test.each([
  ['busybox', 'busybox', 'latest'],
  ['docker.io/library/busybox:1', 'busybox', '1'],
  ['index.docker.io/team/app', 'team/app', 'latest'],
  ['docker.io/team/library/app', 'team/library/app', 'latest'],
  ['reg.example:5000/a/b:2', 'reg.example:5000/a/b', '2'],
  [`a@sha256:${'0'.repeat(64)}`, 'a', `sha256:${'0'.repeat(64)}`],
])('%s is %s, %s', (text, repo, tag) => {
  expect(nameOf(text)).toEqual({ repo, tag })
})

test.each([
  '',
  'Upper',
  'a/Upper',
  '/a',
  'a/',
  'a//b',
  '../a',
  'a b',
  'a:b:c/d',
  'gantry.build',
  'gantry.build/steps',
  'docker.io/gantry.build/steps',
  'gantry-0123456789abcdef0123456789abcdef',
  'gantry-0123456789abcdef0123456789abcdef/a',
  'untagged/gantry-0123456789abcdef0123456789abcdef/a',
  'reg.example/gantry-0123456789ABCDEF0123456789ABCDEF/a',
  'a'.repeat(201),
])('%s names nothing', (repo) => {
  expect(() => newName(repo, '1')).toThrow('invalid reference format')
})

test.each(['', '-a', 'a/b', 'a b', 'x'.repeat(129), 'sha256:abc'])('%s is no tag', (tag) => {
  expect(() => newName('a', tag)).toThrow('invalid tag format')
})

test('what is missing is told with the tag that was meant', () => {
  expect(notFound('a').details['image']).toBe('a:latest')
  expect(notFound('reg:5000/a').details['image']).toBe('reg:5000/a:latest')
  expect(notFound('a:1').details['image']).toBe('a:1')
})

test.each([
  ['busybox', true],
  ['busybox:1', true],
  ['busy*', true],
  ['*:1', true],
  ['busybo?', true],
  ['busy', false],
  ['*:2', false],
  ['b(u|s)+', false],
  ['*', true],
  ['*'.repeat(40), true],
  ['b*x*', true],
  ['*:*', true],
  ['b*y', false],
  ['*/*', false],
])('pattern %s fits busybox:1: %s', (pattern, fits) => {
  expect(fitsPattern(pattern, { repo: 'busybox', tag: '1' })).toBe(fits)
})

test('no pattern keeps the server busy', () => {
  const began = performance.now()
  expect(fitsPattern(`${'*a'.repeat(2000)}b`, { repo: 'a'.repeat(200), tag: '1' })).toBe(false)
  expect(performance.now() - began).toBeLessThan(1000)
})
