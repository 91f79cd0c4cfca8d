import { expect, test } from 'vitest'
import { type Known, problemsOf } from './check-draft.ts'
import { type Draft, newDraft } from './draft.ts'

const known: Known = { exclusiveVolumes: new Set(['v1']) }
const good: Draft = { ...newDraft, image: 'nginx' }
const mount = { volume: 'v1', size: '', destination: '/data', readOnly: false }

test('what needs nothing but an image has no problems', () => {
  expect(problemsOf(good, known)).toEqual({})
})

test.each<[keyof Draft, Partial<Draft>]>([
  ['image', { image: ' ' }],
  ['image', { image: 'a b' }],
  ['name', { name: 'x' }],
  ['name', { name: '-web' }],
  ['count', { count: '0' }],
  ['count', { count: '1001' }],
  ['count', { count: '1.5' }],
  ['cpu', { cpu: '' }],
  ['cpu', { cpu: '5000' }],
  ['memory', { memory: '3' }],
  ['memory', { memory: 'much' }],
  ['disk', { disk: '-1' }],
  ['nets', { nets: [{ network: '', address: '' }] }],
  ['nets', { nets: [{ network: 'n', address: 'ten' }] }],
  ['nets', { nets: [{ network: 'n', address: '10.0.0.9' }], count: '2' }],
  ['ports', { ports: '80, http' }],
  ['ports', { ports: '70000' }],
  ['ports', { ports: '80/icmp' }],
  ['mounts', { mounts: [{ ...mount, destination: 'data' }] }],
  ['mounts', { mounts: [{ ...mount, volume: '', size: '0' }] }],
  ['mounts', { mounts: [mount], count: '2' }],
  ['mounts', { mounts: [mount, { ...mount, volume: 'v2' }] }],
  ['environment', { environment: [{ key: '', value: 'x' }] }],
  ['environment', { environment: [{ key: 'a=b', value: 'x' }] }],
  ['labels', { labels: ['a', 'a'].map((key) => ({ key, value: '' })) }],
  ['command', { command: `sh -c "oops` }],
  ['retries', { restart: 'on-failure', retries: '-1' }],
])('%s of %j is refused with a sentence, and nothing else', (field, part) => {
  const problems = problemsOf({ ...good, ...part }, known)
  expect(Object.keys(problems)).toEqual([field])
  expect(problems[field]).toMatch(/^[A-Za-z0-9].*\.$/)
})

test.each<Partial<Draft>>([
  { name: 'web-1', count: '1000', cpu: '0.01', memory: '4', disk: '0' },
  { ports: '80 443/tcp,53/udp' },
  { mounts: [mount, { ...mount, volume: '', size: '1', destination: '/new' }] },
  { restart: 'on-failure', retries: '' },
  { nets: [{ network: 'n', address: 'fd00::9' }] },
])('%j is well', (part) => {
  expect(problemsOf({ ...good, ...part }, known)).toEqual({})
})
