import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  blockOf,
  canonicalAddress,
  defaultPools,
  formatAddress,
  formatBlock,
  isForInterfaces,
  lowestFree,
  overlap,
  parseAddress,
  parseBlock,
} from './addresses.ts'

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['FD00:0:0:0::0001', 'fd00::1'],
  ['fd00:0:0:1:0:0:0:1', 'fd00:0:0:1::1'],
  ['10.1', undefined],
  ['010.0.0.1', undefined],
  ['10.0.0.256', undefined],
  ['fe80::1%eth0', undefined],
  ['0x0a000001', undefined],
  ['', undefined],
  ['10.0.0.1/24', undefined],
])('%s reads as %s', (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical)
})

test.each([
  ['10.0.0.77/24', '10.0.0.0/24'],
  ['fd00:1::9/64', 'fd00:1::/64'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0', undefined],
  ['10.0.0.0/-1', undefined],
  ['fd00::/129', undefined],
])('the block of %s is %s', (text, canonical) => {
  const block = parseBlock(text)
  expect(block && formatBlock(block)).toBe(canonical)
})

test('every address is written as it is read', () => {
  const v4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ version: 4 as const, value }))
  const v6 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => ({ version: 6 as const, value }))
  fc.assert(
    fc.property(fc.oneof(v4, v6), (address) => {
      expect(parseAddress(formatAddress(address))).toEqual(address)
    }),
  )
})

const smallBlock = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 26, max: 30 }))
  .map(([byte, prefix]) => blockOf(`10.0.0.${byte}/${prefix}`))

test('blocks overlap exactly when they share an address', () => {
  fc.assert(
    fc.property(smallBlock, smallBlock, (one, other) => {
      const addresses = Array.from({ length: 256 }, (_, byte) => blockOf('10.0.0.0/24').first + BigInt(byte))
      const inBoth = addresses.some((at) => [one, other].every(({ first, last }) => at >= first && at <= last))
      expect(overlap(one, other)).toBe(inBoth)
    }),
  )
})

test('default pools hold every address for interfaces but the gateway, wherever that is', () => {
  fc.assert(
    fc.property(smallBlock, fc.nat(255), (block, offset) => {
      const { version } = block
      const usable = Array.from({ length: Number(block.last - block.first) + 1 }, (_, index) => ({
        version,
        value: block.first + BigInt(index),
      })).filter((address) => isForInterfaces(address, block))
      const gateway = usable[offset % usable.length] ?? null
      const given = new Set<string>()
      const pools = defaultPools(block, gateway)
      for (let next = lowestFree(pools, given); next !== undefined; next = lowestFree(pools, given)) given.add(next)
      expect([...given]).toEqual(usable.filter((address) => address !== gateway).map(formatAddress))
    }),
  )
})

test('an IPv6 subnet of any size is walked from its beginning', () => {
  const block = blockOf('fd00::/64')
  const pools = defaultPools(block, { version: 6, value: block.first + 1n })
  expect(lowestFree(pools, new Set())).toBe('fd00::2')
  expect(lowestFree(pools, new Set(['fd00::2', 'fd00::3']))).toBe('fd00::4')
})
