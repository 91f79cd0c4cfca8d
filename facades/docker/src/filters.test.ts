import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filtersOf, isTrue, matchesAny, matchesLabels, matchesName } from './filters.ts'

test('both encodings mean the same', () => {
  const known = ['label', 'name']
  expect([...filtersOf('{"label":{"a=b":true,"c":true}}', known)]).toEqual([['label', ['a=b', 'c']]])
  expect([...filtersOf('{"label":["a=b", "c"]}', known)]).toEqual([['label', ['a=b', 'c']]])
  expect(filtersOf(undefined, known).size).toBe(0)
  expect(filtersOf('{"name":[]}', known).size).toBe(0)
})

test.each(['{', '[]', '3', '"x"', '{"label":3}', '{"label":null}'])('%s is refused', (text) => {
  expect(() => filtersOf(text, ['label'])).toThrow(/invalid filters/)
})

test('an unknown key is named', () => {
  expect(() => filtersOf('{"x":["y"]}', ['label'])).toThrow("Invalid filter 'x'")
})

test('labels are all needed, other values are alternatives', () => {
  const filters = filtersOf('{"label":["a=1","b"],"name":["x","y"]}', ['label', 'name'])
  expect(matchesLabels(filters, { a: '1', b: 'anything' })).toBe(true)
  expect(matchesLabels(filters, { a: '2', b: '' })).toBe(false)
  expect(matchesLabels(filters, { a: '1' })).toBe(false)
  expect(matchesAny(filters, 'name', (value) => value === 'y')).toBe(true)
  expect(matchesAny(filters, 'name', (value) => value === 'z')).toBe(false)
  expect(matchesAny(filters, 'id', () => false)).toBe(true)
  const without = filtersOf('{"label!":["a=1"]}', ['label!'])
  expect(matchesLabels(without, { a: '1' })).toBe(false)
  expect(matchesLabels(without, { a: '2' })).toBe(true)
})

test('names are expressions, but none that could run for ever', () => {
  expect(matchesName('^/we', '/web', 'web')).toBe(true)
  expect(matchesName('e', 'web')).toBe(true)
  expect(matchesName('^eb$', 'web')).toBe(false)
  expect(matchesName('(', 'a(b')).toBe(true)
  expect(matchesName('^(a+)+$', `${'a'.repeat(5000)}b`)).toBe(false)
})

test('any text is read as a boolean', () => {
  fc.assert(fc.property(fc.string(), (text) => typeof isTrue(text) === 'boolean'))
  for (const no of ['', '0', 'no', 'False', 'none', undefined, null]) expect(isTrue(no)).toBe(false)
  for (const yes of ['1', 'true', 'True', 'yes', true]) expect(isTrue(yes)).toBe(true)
})
