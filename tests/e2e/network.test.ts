import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Assignment, Nic } from '@gantry/model'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, startHost } from '../fixtures/host-bench.ts'
import { aGroup, aNetwork, aRouter, aRule, defaultGroup, wayOut } from '../fixtures/net-plans.ts'

/** Networks as containers meet them: every statement is made with packets. */
let engine: TestEngine
let bench: HostBench

beforeAll(async () => {
  engine = await startEngine()
  await loadBusybox(engine.socket)
})
afterAll(() => engine.stop())
afterEach(async () => {
  // While the network driver is there: the engine asks it about each.
  const ids = await engine.docker('ps', '-aq')
  if (ids !== '') await engine.docker('rm', '-f', ...ids.split('\n'))
  await bench.close()
})

/** Runs a container that answers every connection to port 80 with its name; resolves when it runs. */
async function box(name: string, nics: readonly Nic[], more: Partial<Assignment> = {}): Promise<Assignment> {
  const command = ['sh', '-c', `while true; do nc -l -p 80 -e echo ${name}; done`]
  const wish = anAssignment({ command }, { name, nics: [...nics], ...more })
  bench.assign(wish)
  const { engine: seen, failure } = await bench.settled(wish)
  expect(failure).toBe(null)
  expect(seen?.nics.toSorted()).toEqual(nics.map(({ portId }) => portId as string).toSorted())
  return wish
}

const inside = (from: Assignment, ...command: string[]) => engine.docker('exec', `gantry-${from.id}`, ...command)

/** What answers at port 80 of `to`; empty if nothing does. */
const ask = (from: Assignment, to: string) => inside(from, 'nc', '-w', '1', to, '80').catch(() => '')

const pings = (from: Assignment, to: string, ...options: string[]) =>
  inside(from, 'ping', '-c', '1', '-W', '1', ...options, to).then(
    () => true,
    () => false,
  )

describe('one network', () => {
  test('its containers reach each other by address and by name, in both versions of IP', async () => {
    bench = startHost(engine)
    const group = defaultGroup()
    const net = aNetwork(['10.20.0.0/24', 'fd20::/64'])
    bench.fabric({ networks: [net.plan], groups: [group] })
    const a = await box('alpha', [net.nic(['10.20.0.5', 'fd20::5'], [group.id])])
    await box('beta', [net.nic(['10.20.0.6', 'fd20::6'], [group.id])])
    expect(await ask(a, '10.20.0.6')).toBe('beta')
    expect(await ask(a, 'fd20::6')).toBe('beta')
    expect(await ask(a, 'beta')).toBe('beta')
    expect(await inside(a, 'ip', 'address', 'show', 'eth0')).toMatch(/10\.20\.0\.5\/24[^]*fd20::5\/64/)
  })
})
