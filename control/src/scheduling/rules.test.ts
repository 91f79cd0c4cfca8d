import type { Host, HostId } from '@gantry/model'
import { expect, test } from 'vitest'
import { simFacts } from '../testing/sim-host.ts'
import { rulesOf } from './rules.ts'

const host = {
  id: 'id-1' as HostId,
  name: 'node1',
  availabilityZone: 'north',
  facts: { ...simFacts, labels: { disk: 'ssd', rack: '7' } },
} as unknown as Host

function holds(hints: Record<string, string>, labels: Record<string, string> = {}): boolean {
  return rulesOf({ hints, labels, image: 'busybox' }).hosts.every((rule) => rule.holds(host))
}

test.each([
  [{ 'label:disk': 'ssd' }, true],
  [{ 'label:disk': 'hdd' }, false],
  [{ constraints: 'node.labels.disk==ssd, rack!=8' }, true],
  [{ constraints: '["node.labels.disk==ssd","node.hostname!=node1"]' }, false],
  [{ constraints: 'node.platform.arch==amd64,node.platform.os==linux,node.zone==north' }, true],
  [{ constraints: 'node.labels.toString!=x' }, true],
  [{ query: '["=", "$free_ram_mb", 1]' }, true],
])('%j', (hints, expected) => {
  expect(holds(hints)).toBe(expected)
})

test("Docker's users say the same with labels", () => {
  expect(holds({}, { 'com.docker.swarm.constraints': '["disk==hdd"]' })).toBe(false)
  expect(holds({}, { 'com.gantry.hint.label:disk': 'ssd' })).toBe(true)
  const { neighbours } = rulesOf({
    hints: {},
    labels: { 'com.docker.swarm.affinities': '["container!=web","image==redis"]' },
    image: 'redis',
  })
  expect(neighbours).toMatchObject([
    { apart: true, meansItself: false },
    { apart: false, meansItself: true },
  ])
})

test('with and without others: by name, id, label and image', () => {
  const self = { labels: { app: 'web' }, image: 'nginx' }
  const { neighbours } = rulesOf({
    ...self,
    hints: { affinity: 'db', anti_affinity: 'app==web', different_host: '["id-9"]' },
  })
  const other = { id: 'id-9', name: 'db', image: 'redis', labels: { app: 'web' }, hostId: host.id }
  expect(neighbours.map((rule) => [rule.apart, rule.matches(other), rule.meansItself])).toEqual([
    [false, true, false],
    [true, true, true],
    [true, true, false],
  ])
})

test.each([
  [{ constraints: 'disk' }, /KEY==VALUE/],
  [{ constraints: 'node.colour==red' }, /no property node.colour/],
  [{ constraints: '[1]' }, /JSON array of texts/],
  [{ constraints: '[' }, /JSON array of texts/],
  [{ constraints: 'disk==~ssd' }, /softly/],
  [{ constraints: Array.from({ length: 40 }, (_, index) => `a==${index}`).join() }, /at most 32/],
])('%j is refused', (hints, problem) => {
  expect(() => rulesOf({ hints, labels: {}, image: '' })).toThrow(problem)
})
