import type { ContainerView } from '@gantry/facade-native/views'
import { expect, test } from 'vitest'
import { containersOf, countByStatus, rowsOf } from './rows.ts'
import { containerSearch } from './search.ts'

const one = (name: string, more: Partial<ContainerView> = {}) =>
  ({
    id: `id-${name}`,
    name,
    image: 'nginx',
    status: 'Running',
    statusReason: null,
    host: null,
    labels: {},
    addresses: [],
    memory: 512,
    cpu: 1,
    createdAt: '2026-11-29T10:00:00Z',
    ...more,
  }) as unknown as ContainerView
const names = (rows: readonly ContainerView[]) => rows.map(({ name }) => name)

test('the newest come first, unless asked otherwise; numbers in names count', () => {
  const all = [one('web-10'), one('web-2'), one('old', { createdAt: '2025-01-01T00:00:00Z' })]
  expect(names(rowsOf(all, {}))).toEqual(['web-2', 'web-10', 'old'])
  expect(names(rowsOf(all, { sort: 'name' }))).toEqual(['old', 'web-2', 'web-10'])
  expect(names(rowsOf(all, { sort: 'name', order: 'desc' }))).toEqual(['web-10', 'web-2', 'old'])
})

test('every word must be found, in whatever a person would look for', () => {
  const all = [
    one('web', { labels: { tier: 'front' }, addresses: [{ address: '10.7.0.9' }] as never }),
    one('db', { image: 'postgres', labels: { tier: 'back' } }),
  ]
  expect(names(rowsOf(all, { q: 'tier=front' }))).toEqual(['web'])
  expect(names(rowsOf(all, { q: 'tier POST' }))).toEqual(['db'])
  expect(names(rowsOf(all, { q: '10.7' }))).toEqual(['web'])
  expect(rowsOf(all, { q: 'web postgres' })).toEqual([])
})

test('several statuses may be asked for', () => {
  const all = [one('a'), one('b', { status: 'Error' }), one('c', { status: 'Stopped' })]
  expect(names(rowsOf(all, { status: 'Error,Stopped', sort: 'name' }))).toEqual(['b', 'c'])
  expect(countByStatus([...all, one('d')])[0]).toEqual(['Running', 2])
})

test('one that is in two pages is one', () => {
  const page = { containers: [one('a')], next: null }
  expect(containersOf([page, page])).toHaveLength(1)
})

test('what is not known in the address is left out', () => {
  expect(containerSearch({ q: 7, sort: 'nonsense', order: 'asc', status: ['x'], extra: 1 })).toEqual({
    q: '7',
    order: 'asc',
  })
})
