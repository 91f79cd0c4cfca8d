import { expect, test } from 'vitest'
import { hindrancesOf } from './standing.ts'

const well = {
  name: 'node7',
  connected: true,
  forcedDown: false,
  disabled: false,
  disabledReason: null,
  networkProblem: null,
  volumeProblem: null,
  used: { containers: 3, cpu: 2, memory: 512, disk: 0 },
  limits: { containers: null, cpu: 16, memory: 1024, disk: 100 },
  lastSeenAt: '2026-11-29T13:00:00Z',
}

test('a host that takes containers has nothing to say', () => {
  expect(hindrancesOf(well)).toEqual([])
})

test.each([
  [{ connected: false }, 'not connected', 'gantry hosts drain --lost node7'],
  [{ forcedDown: true }, 'declared it down', 'forcedown node7 zun-compute --unset'],
  [{ disabled: true, disabledReason: 'new disk' }, 'cordoned: new disk', 'Drain it'],
  [{ disabled: true, used: { ...well.used, containers: 0 } }, 'cordoned. What', 'Uncordon it'],
  [{ networkProblem: 'no ip6tables.' }, 'cannot build networks: no ip6tables.', 'without networks'],
  [{ volumeProblem: 'no mkfs.' }, 'cannot hold volumes: no mkfs.', 'without volumes'],
  [{ limits: { ...well.limits, containers: 3 } }, '3 of 3 containers', '--containers-per-host'],
  [{ used: { ...well.used, cpu: 16 } }, '16 of 16', '--cpu-ratio'],
  [{ used: { ...well.used, memory: 1024 } }, '1 GiB of 1 GiB', 'add a host'],
  [{ used: { ...well.used, disk: 100 } }, '100 of 100 GiB', 'still come'],
])('%j is told with what to do next', (change, why, next) => {
  const found = hindrancesOf({ ...well, ...change })
  expect(found).toHaveLength(1)
  expect(found[0]?.why).toContain(why)
  expect(found[0]?.next).toContain(next)
})

test('the gravest comes first', () => {
  const found = hindrancesOf({ ...well, connected: false, disabled: true, used: { ...well.used, cpu: 99 } })
  expect(found.map(({ why }) => why.split(' ')[2])).toEqual(['not', 'cordoned.', 'cores'])
})
