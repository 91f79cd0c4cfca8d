import { expect, test } from 'vitest'
import { registryAddresses } from './registry-addresses.ts'

test('a registry is named by its domain, with a port or for all ports', () => {
  const named = registryAddresses(['Registry.lan', 'other.lan:5000', '127.0.0.1', '[::1]', 'fd00::1'])
  const covered = ['registry.lan', 'registry.lan:5000', 'other.lan:5000', '127.0.0.1:9', '[::1]:5000', '[fd00::1]']
  expect(covered.filter((domain) => !named.covers(domain, null))).toEqual([])
  const others = ['other.lan', 'other.lan:5001', 'a.registry.lan', 'registry.lan.evil', '127.0.0.2', '[::2]:5000']
  expect(others.filter((domain) => named.covers(domain, '10.0.0.1'))).toEqual([])
})

test('a network covers what an address is in, however that is written', () => {
  const named = registryAddresses(['10.0.0.0/8', 'fd00::/8'])
  expect(named.covers('a.lan', '10.1.2.3')).toBe(true)
  expect(named.covers('a.lan', '::ffff:10.1.2.3')).toBe(true)
  expect(named.covers('a.lan', 'fd12::1')).toBe(true)
  expect(named.covers('10.1.2.3:5000', null)).toBe(true)
  expect(named.covers('a.lan', '11.1.2.3')).toBe(false)
  expect(named.covers('a.lan', null)).toBe(false)
})

test('anything else is refused', () => {
  for (const item of ['', 'http://a', 'a/b', '10.0.0.0/33', 'a:b', 'a b', 'a:1:2']) {
    expect(() => registryAddresses([item]), item).toThrow(/neither a registry .* nor a network/)
  }
})
