import type { Nic } from '@gantry/model'
import { expect, test } from 'vitest'
import { addressesForDocker } from './further-addresses.ts'
import { gatewayOf, routesOf } from './nic-routes.ts'

type Route = NonNullable<Nic['binding']>['routes'][number]

const address = (of: string, prefix: number, gateway: string | null) => ({
  address: of,
  prefix,
  gateway,
  version: of.includes(':') ? (6 as const) : (4 as const),
  subnetId: `subnet of ${of}` as Nic['addresses'][number]['subnetId'],
})
const nic = (addresses: Nic['addresses'], routes: Route[] = []): Nic => ({
  portId: '01234567-89ab-4cde-8f01-23456789abcd' as Nic['portId'],
  networkId: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' as Nic['networkId'],
  mac: 'fa:16:3e:00:00:01',
  addresses,
  groups: [],
  filtered: true,
  preserve: false,
  binding: { mtu: 1450, dnsServers: [], routes, vif: null },
})
const [v4, v6] = [address('10.1.0.5', 24, '10.1.0.1'), address('fd01::5', 64, 'fd01::1')]

test('the gateway is the subnet’s, unless a route of the subnet leads everywhere', () => {
  expect(gatewayOf(nic([v4, v6]), 4)).toBe('10.1.0.1')
  expect(gatewayOf(nic([v4, v6]), 6)).toBe('fd01::1')
  expect(gatewayOf(nic([v4]), 6)).toBeNull()
  const routes = [{ destination: '0.0.0.0/0', nextHop: '10.1.0.9' }]
  expect(gatewayOf(nic([v4, v6], routes), 4)).toBe('10.1.0.9')
  expect(gatewayOf(nic([v4, v6], routes), 6)).toBe('fd01::1')
})

test('a gateway that is not on the network is none: the container would not start', () => {
  expect(gatewayOf(nic([address('10.1.0.5', 24, '10.2.0.1')]), 4)).toBeNull()
  const { binding: _, ...embedded } = nic([address('10.1.0.5', 24, '10.2.0.1')])
  expect(gatewayOf(embedded, 4)).toBe('10.2.0.1')
})

test('routes are by machines of the network, or lead onto it', () => {
  const routes = [
    { destination: '10.8.0.0/16', nextHop: '10.1.0.2' },
    { destination: '10.9.0.0/16', nextHop: '0.0.0.0' },
    { destination: '10.10.0.0/16', nextHop: '192.0.2.1' },
    { destination: 'fd08::/64', nextHop: 'fd01::2' },
    { destination: '::/0', nextHop: 'fd01::3' },
  ]
  expect(routesOf(nic([v4, v6], routes))).toEqual([
    { destination: '10.8.0.0/16', nextHop: '10.1.0.2' },
    { destination: '10.9.0.0/16', nextHop: null },
    { destination: 'fd08::/64', nextHop: 'fd01::2' },
  ])
})

test('Docker is told one address of each version; the others are added', () => {
  const more = [address('10.1.0.6', 24, '10.1.0.1'), address('fd01::6', 64, null)]
  expect(addressesForDocker(nic([v4, ...more, v6]))).toEqual({ v4, v6: more[1], further: [more[0], v6] })
  expect(addressesForDocker(nic([v6]))).toEqual({ v6, further: [] })
})
