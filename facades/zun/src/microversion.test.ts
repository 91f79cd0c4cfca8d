import { describe, expect, test } from 'vitest'
import { parseMicroversion, requireMinor } from './microversion.ts'

describe('parseMicroversion', () => {
  test.each([
    [undefined, 1],
    ['container 1.1', 1],
    ['container 1.40', 40],
    ['container latest', 40],
    ['container LATEST', 40],
    ['compute 2.1, container 1.12', 12],
  ])('%s', (header, minor) => {
    expect(parseMicroversion(header)).toBe(minor)
  })

  test.each([
    '1.12',
    'Container 1.12',
    'compute 2.1',
    'container',
    'container 1.latest',
    'container 1',
    'container 1.1.1',
    'container x.y',
    '',
  ])('"%s" is 406', (header) => {
    expect(() => parseMicroversion(header)).toThrow(expect.objectContaining({ status: 406 }))
  })

  test.each(['1.0', '1.41', '0.9', '2.1', '1.999999'])('%s is 406 and tells the range', (version) => {
    expect(() => parseMicroversion(`container ${version}`)).toThrow(
      expect.objectContaining({ status: 406, extra: { min_version: '1.1', max_version: '1.40' } }),
    )
  })
})

test('a field below its version is 400', () => {
  expect(() => requireMinor(8, 9, 'hostname')).toThrow(
    expect.objectContaining({ status: 400, kebab: 'invalid-param-in-version' }),
  )
  expect(() => requireMinor(9, 9, 'hostname')).not.toThrow()
})
