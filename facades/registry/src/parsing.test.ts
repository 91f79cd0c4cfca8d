import { describe, expect, test } from 'vitest'
import { parseBasic } from './basic.ts'
import { parsePath } from './paths.ts'
import { parseContentRange, parseRange } from './ranges.ts'
import { parseScopes } from './scopes.ts'

describe('paths', () => {
  test('the last words count, since names may hold them too', () => {
    expect(parsePath('demo/app/blobs/uploads')).toEqual({ kind: 'uploads', name: 'demo/app' })
    expect(parsePath('demo/app/blobs/uploads/')).toEqual({ kind: 'uploads', name: 'demo/app' })
    expect(parsePath('demo/app/blobs/uploads/1')).toEqual({ kind: 'upload', name: 'demo/app', id: '1' })
    expect(parsePath('demo/blobs/blobs/uploads/1')).toEqual({ kind: 'upload', name: 'demo/blobs', id: '1' })
    expect(parsePath('demo/blobs/uploads/blobs/sha256:1')).toMatchObject({ kind: 'blob', name: 'demo/blobs/uploads' })
    expect(parsePath('demo/tags/tags/list')).toEqual({ kind: 'tags', name: 'demo/tags' })
    expect(parsePath('a/b/c/manifests/v1')).toEqual({ kind: 'manifest', name: 'a/b/c', reference: 'v1' })
    expect(parsePath('a/b/referrers/sha256:1')).toEqual({ kind: 'referrers', name: 'a/b', digest: 'sha256:1' })
  })

  test('what is none of them is none', () => {
    for (const path of ['', 'demo', 'tags/list', '/manifests/x', 'demo/manifests/', 'demo/manifests/a/b']) {
      expect(parsePath(path)).toBeNull()
    }
  })
})

describe('ranges', () => {
  test('one part of the bytes', () => {
    expect(parseRange('bytes=0-0', 10)).toEqual({ start: 0, end: 0 })
    expect(parseRange('bytes=5-', 10)).toEqual({ start: 5, end: 9 })
    expect(parseRange('bytes=-3', 10)).toEqual({ start: 7, end: 9 })
    expect(parseRange('bytes=-30', 10)).toEqual({ start: 0, end: 9 })
    expect(parseRange('bytes=5-100', 10)).toEqual({ start: 5, end: 9 })
  })

  test('what cannot be had, and what is no matter', () => {
    for (const text of ['bytes=10-', 'bytes=-0', 'bytes=5-4', 'bytes=x-y', 'bytes=-']) {
      expect(parseRange(text, 10)).toBe('unsatisfiable')
    }
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable')
    for (const text of [undefined, 'lines=1-2', 'bytes=0-1,3-4']) expect(parseRange(text, 10)).toBeNull()
  })

  test('of chunks', () => {
    expect(parseContentRange('0-4')).toEqual({ start: 0, end: 4 })
    expect(parseContentRange('bytes 5-9/*')).toEqual({ start: 5, end: 9 })
    for (const text of ['', '5', '5-', '5-4', '-5', 'a-b', '0-99999999999999999'])
      expect(parseContentRange(text)).toBeNull()
  })
})

test('scopes of one parameter and of several', () => {
  expect(parseScopes(['repository:demo/app:pull,push repository:a/b:pull', 'registry:catalog:*', 'nonsense'])).toEqual([
    { type: 'repository', name: 'demo/app', actions: ['pull', 'push'] },
    { type: 'repository', name: 'a/b', actions: ['pull'] },
    { type: 'registry', name: 'catalog', actions: ['*'] },
  ])
  expect(parseScopes(['repository(plugin):host:5000/x:pull,pull'])).toEqual([
    { type: 'repository', name: 'host:5000/x', actions: ['pull'] },
  ])
  expect(parseScopes([Array.from({ length: 1000 }, (_, n) => `repository:a/${n}:pull`).join(' ')])).toHaveLength(32)
})

test('a login with colons in its password', () => {
  const header = `Basic ${Buffer.from('demo/eva:a:b:ü').toString('base64')}`
  expect(parseBasic(header)).toEqual({ username: 'demo/eva', password: 'a:b:ü' })
  for (const text of [undefined, 'Basic', 'Bearer x', `Basic ${Buffer.from('nobody').toString('base64')}`]) {
    expect(parseBasic(text)).toBeNull()
  }
})
