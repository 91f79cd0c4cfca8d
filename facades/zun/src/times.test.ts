import type { Caller, Container, EngineContainer } from '@gantry/model'
import { defaultSpec } from '@gantry/model'
import { describe, expect, test } from 'vitest'
import { fakeContainer, fakeNow, fakeVerifier } from './testing/fake-data.ts'
import { isoTime, spacedTime, statusDetail } from './times.ts'

test('times have microseconds and no zone', () => {
  expect(spacedTime(fakeNow)).toBe('2026-01-02 03:04:05.678000')
  expect(isoTime(fakeNow)).toBe('2026-01-02T03:04:05.678000')
})

describe('statusDetail', async () => {
  const caller: Caller = await fakeVerifier.verify('demo', 'req-1' as Caller['requestId'])
  const seen = (engine: Partial<EngineContainer>, change: Partial<Container> = {}): string => {
    const container = fakeContainer(1, caller, { name: 'c', spec: defaultSpec('busybox'), run: true }, [])
    const { observed } = container
    if (!observed.engine) throw new Error('the fixture has an engine container')
    return statusDetail(
      { ...container, ...change, observed: { ...observed, engine: { ...observed.engine, ...engine } } },
      fakeNow,
    )
  }
  const ago = (seconds: number) => new Date(fakeNow - seconds * 1000).toISOString().replace('Z', '123456Z')

  test.each([
    [0, 'Up 0 seconds'],
    [1, 'Up 1 second'],
    [59, 'Up 59 seconds'],
    [60, 'Up 1 min'],
    [3 * 60 + 5, 'Up 3 mins'],
    [3600, 'Up 1 hour'],
    [50 * 3600, 'Up 2 days'],
    [8 * 86_400, 'Up 1 week'],
    [800 * 86_400, 'Up 2 years'],
    [-5, 'Up 0 seconds'],
  ])('running for %d s', (seconds, text) => {
    expect(seen({ state: 'running', startedAt: ago(seconds) })).toBe(text)
  })

  test('health, ends and the rest', () => {
    expect(seen({ startedAt: ago(180), health: 'healthy' })).toBe('Up 3 mins (healthy)')
    expect(seen({ state: 'paused', startedAt: ago(180) })).toBe('Up 3 mins (paused)')
    expect(seen({ state: 'exited', exitCode: 0, finishedAt: ago(480) })).toBe('Exited(0) 8 mins ago')
    expect(seen({ state: 'created', startedAt: null })).toBe('Created')
    expect(seen({ state: 'restarting' })).toBe('Restarting')
    expect(seen({}, { status: 'Creating' })).toBe('')
  })
})
