import { expect, test } from 'vitest'
import { layout, mostContainers, type Parts } from './layout.ts'

const network = (id: string, rest: object = {}) => ({
  id,
  name: id,
  external: false,
  shared: false,
  createdAt: id,
  ...rest,
})
const container = (name: string, ...networks: string[]) => ({
  id: `id-${name}`,
  name,
  status: 'Running',
  addresses: networks.map((one) => ({ network: one, port: `port-${name}-${one}`, address: `${one}-of-${name}` })),
})
const parts = (rest: object): Parts => ({
  networks: [],
  subnets: [],
  routers: [],
  floatingIps: [],
  ports: [],
  containers: [],
  ...rest,
})

test('the way out comes last, and shared networks only where something is on them', () => {
  const networks = [network('a'), network('b', { shared: true }), network('out', { external: true })]
  const routers = [{ id: 'r', name: '', gateway: { networkId: 'out', address: '172.24.4.2' }, interfaces: [] }]
  const subnets = [{ networkId: 'a', cidr: '10.0.0.0/24' }]
  const { lanes, rows } = layout(parts({ networks, routers, subnets }))
  expect(lanes.map(({ id }) => id)).toEqual(['a', 'out'])
  expect(lanes[0]?.cidrs).toEqual(['10.0.0.0/24'])
  expect(rows[0]).toMatchObject({ kind: 'router', touches: [{ lane: 1, label: '172.24.4.2' }] })
})

test('a container touches its networks, and that of its floating IP', () => {
  const networks = [network('a'), network('b'), network('out', { external: true })]
  const floatingIps = [{ networkId: 'out', address: '172.24.4.9', portId: 'port-web-a' }]
  const { rows } = layout(parts({ networks, floatingIps, containers: [container('web', 'b', 'a'), container('lone')] }))
  expect(rows).toHaveLength(1)
  expect(rows[0]?.touches).toEqual([
    { lane: 0, label: 'a-of-web', isFloating: false },
    { lane: 1, label: 'b-of-web', isFloating: false },
    { lane: 2, label: '172.24.4.9', isFloating: true },
  ])
})

test('several addresses on one network are one touch', () => {
  const web = container('web', 'a', 'a')
  const { rows } = layout(parts({ networks: [network('a')], containers: [web] }))
  expect(rows[0]?.touches).toEqual([{ lane: 0, label: 'a-of-web, a-of-web', isFloating: false }])
})

test('those beyond the first are told together by their networks', () => {
  const many = Array.from({ length: mostContainers + 5 }, (_none, index) => container(`c${index}`, 'a'))
  const others = [container('x', 'b'), container('y', 'b')]
  const { rows } = layout(parts({ networks: [network('a'), network('b')], containers: [...others, ...many] }))
  expect(rows).toHaveLength(mostContainers + 2)
  expect(rows.slice(mostContainers).map(({ name, touches }) => [name, touches[0]?.lane])).toEqual([
    ['5 more containers', 0],
    ['2 more containers', 1],
  ])
  expect(rows.slice(0, 3).map(({ name }) => name)).toEqual(['c0', 'c1', 'c2'])
})
