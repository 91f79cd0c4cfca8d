import { describe, expect, test } from 'vitest'
import { allocationRanges, contains, firstHost, isAddressIn, sameBlock } from './cidr.ts'

describe('blocks of addresses', () => {
  test.each([
    ['10.10.0.0/16', '10.10.0.1'],
    ['10.10.3.7/16', '10.10.0.1'],
    ['192.168.1.4/31', '192.168.1.4'],
    ['192.168.1.4/32', '192.168.1.4'],
    ['fd00:31::/64', 'fd00:31::1'],
    ['::/64', '::1'],
    ['10.0.0.0/33', null],
    ['10.0.0.0', null],
  ])('the first host of %s is %s', (cidr, host) => {
    expect(firstHost(cidr)).toBe(host)
  })

  test('contain each other or not', () => {
    expect(contains('10.0.0.0/8', '10.255.0.0/16')).toBe(true)
    expect(contains('10.0.0.0/8', '11.0.0.0/16')).toBe(false)
    expect(contains('10.1.0.0/16', '10.0.0.0/8')).toBe(false)
    expect(contains('::/0', '10.0.0.0/8')).toBe(false)
    expect(sameBlock('fd00:0::/64', 'FD00::/64')).toBe(true)
    expect(sameBlock('10.0.0.0/24', '10.0.0.0/25')).toBe(false)
    expect(isAddressIn('10.0.0.0/24', '10.0.0.255')).toBe(true)
    expect(isAddressIn('10.0.0.0/24', '10.0.1.0')).toBe(false)
    expect(isAddressIn('10.0.0.0/24', 'nonsense')).toBe(false)
  })

  test.each([
    ['10.0.0.0/24', null, [], [['10.0.0.1', '10.0.0.254']]],
    ['10.0.0.0/24', null, ['10.0.0.1'], [['10.0.0.2', '10.0.0.254']]],
    [
      '10.0.0.0/24',
      null,
      ['10.0.0.254', '10.0.0.9', '10.0.0.10'],
      [
        ['10.0.0.1', '10.0.0.8'],
        ['10.0.0.11', '10.0.0.253'],
      ],
    ],
    ['10.0.0.0/24', '10.0.0.16/30', ['10.0.0.99'], [['10.0.0.16', '10.0.0.19']]],
    ['10.0.0.0/24', '10.0.0.0/30', [], [['10.0.0.1', '10.0.0.3']]],
    ['fd00::/126', null, ['fd00::1'], [['fd00::2', 'fd00::3']]],
    ['10.0.0.0/30', null, ['10.0.0.1', '10.0.0.2'], []],
  ] as const)('of %s within %s without %j', (cidr, range, except, ranges) => {
    expect(allocationRanges(cidr, range, except).map(({ start, end }) => [start, end])).toEqual(ranges)
  })
})
