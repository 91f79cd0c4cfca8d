import type { Caller, Container, EngineContainer, ProjectId } from '@gantry/model'
import { nothingObserved } from '@gantry/model'
import { anEngineContainer } from '@gantry/model/testing'
import { expect, test } from 'vitest'
import { activitiesOf } from './activities-of.ts'
import { activityLog } from './activity.ts'

const container = (now: EngineContainer | null) =>
  ({
    id: 'c',
    name: 'web',
    projectId: 'p',
    spec: { image: 'busybox', labels: { a: 'b' } },
    wish: { power: { kind: 'running' } },
    observed: { ...nothingObserved, engine: now },
  }) as unknown as Container
const actions = (before: EngineContainer | null, after: EngineContainer, gone = false) =>
  activitiesOf(container(before), container(after), gone).map(({ action }) => action)

const created = anEngineContainer({})
const running = anEngineContainer({ state: 'running', startedAt: 't1' })
const ended = anEngineContainer({ state: 'exited', startedAt: 't1', exitCode: 3 })

test('each change is told as the engine would have told it', () => {
  expect(actions(null, created)).toEqual(['create'])
  expect(actions(created, running)).toEqual(['start'])
  expect(actions(running, running)).toEqual([])
  expect(actions(running, ended)).toEqual(['die'])
  expect(actions(created, ended)).toEqual(['start', 'die'])
  expect(actions(null, ended)).toEqual(['create', 'start', 'die'])
  expect(actions(running, anEngineContainer({ state: 'running', startedAt: 't2' }))).toEqual(['die', 'start'])
  expect(actions(running, anEngineContainer({ state: 'paused', startedAt: 't1' }))).toEqual(['pause'])
  expect(actions(ended, ended, true)).toEqual(['destroy'])
  expect(actions(running, { ...running, health: 'healthy' })).toEqual(['health_status: healthy'])
})

test('a stop is told as the engine tells it', () => {
  const stopped = { ...container(ended), wish: { power: { kind: 'stopped', graceSeconds: 10 } } } as Container
  expect(activitiesOf(container(running), stopped, false).map(({ action }) => action)).toEqual(['kill', 'die', 'stop'])
})

test('watchers hear their own project, the past first and nothing twice', async () => {
  let now = 1000
  const log = activityLog({ now: () => now })
  const caller = { projectId: 'p' as ProjectId } as Caller
  for (let n = 0; n < 300; n += 1) log.ofContainer(container(null), `n${n}`, {})
  log.note({ type: 'image', action: 'pull', id: 'x', projectId: 'other' as ProjectId, attributes: {} })
  const end = new AbortController()
  const told: string[] = []
  const read = (async () => {
    for await (const { action, attributes } of log.watch(caller, { since: 0, until: null }, end.signal)) {
      told.push(action)
      expect(attributes).toMatchObject({ image: 'busybox', name: 'web', a: 'b' })
      if (action === 'last') end.abort()
    }
  })()
  now = 2000
  log.ofContainer(container(null), 'last', {})
  await read
  expect(told).toHaveLength(257)
  expect(told[0]).toBe('n44')
})

test('a span that is over ends by itself', async () => {
  const log = activityLog({ now: () => Date.now() })
  log.ofContainer(container(null), 'start', {})
  const told: string[] = []
  const span = { since: 0, until: Date.now() + 30 }
  for await (const { action } of log.watch({ projectId: 'p' } as Caller, span, new AbortController().signal))
    told.push(action)
  expect(told).toEqual(['start'])
})

test('the past of so many projects is remembered, those in which something was done last', async () => {
  const log = activityLog({ now: () => 1000 })
  const past = async (projectId: string) => {
    const told: string[] = []
    const span = { since: 0, until: 999_999 }
    const caller = { projectId: projectId as ProjectId } as Caller
    for await (const { action } of log.watch(caller, span, AbortSignal.abort())) told.push(action)
    return told
  }
  for (let n = 0; n <= 1000; n += 1) {
    log.note({ type: 'image', action: 'pull', id: 'x', projectId: `p${n}` as ProjectId, attributes: {} })
  }
  expect([await past('p0'), await past('p1'), await past('p1000')]).toEqual([[], ['pull'], ['pull']])
})
