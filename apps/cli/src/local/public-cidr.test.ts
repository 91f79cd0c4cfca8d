import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { freePublicCidr } from './public-cidr.ts'

const at = (cidr: string): NetworkInterfaceInfo =>
  ({
    address: cidr.split('/')[0] ?? '',
    netmask: '',
    family: cidr.includes(':') ? 'IPv6' : 'IPv4',
    mac: '',
    internal: false,
    cidr,
    ...(cidr.includes(':') ? { scopeid: 0 } : {}),
  }) as NetworkInterfaceInfo

test.each([
  ['nothing near', ['10.0.0.7/24', '127.0.0.1/8', 'fe80::1/64'], '172.24.4.0/22'],
  ['another cloud of this kind', ['172.24.4.1/22'], '172.24.8.0/22'],
  ['an address within', ['172.24.7.130/32'], '172.24.8.0/22'],
  ['a network around several', ['172.24.6.9/20'], '172.24.16.0/22'],
  ['nothing free at all', ['172.16.0.1/12'], '172.24.4.0/22'],
])('the public network keeps clear of %s', (_, cidrs, expected) => {
  expect(freePublicCidr({ lo: undefined, eth0: cidrs.map(at) })).toBe(expected)
})
