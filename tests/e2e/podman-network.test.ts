import type { Assignment, Nic } from '@gantry/model'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loadBusybox, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, next, startHost } from '../fixtures/host-bench.ts'
import { aGroup, aNetwork, aRule } from '../fixtures/net-plans.ts'
import { startPodman } from '../fixtures/podman.ts'

/** What of networks is done another way with Podman. */
let engine: TestEngine
let bench: HostBench

beforeAll(async () => {
  engine = await startPodman()
  await loadBusybox(engine.socket)
})
afterAll(() => engine.stop())
afterEach(() => bench.close())

const ask = (from: Assignment, to: string) =>
  engine.docker('exec', `gantry-${from.id}`, 'nc', '-w', '1', to, '80').catch(() => '')

test('containers get their interfaces, under their rules, also after a stop and a new agent', async () => {
  bench = startHost(engine)
  const open = aGroup(
    aRule('egress'),
    aRule('ingress'),
    aRule('egress', { version: 6 }),
    aRule('ingress', { version: 6 }),
  )
  const shut = aGroup(aRule('egress'))
  const [net, other] = [aNetwork(['10.20.0.0/24', 'fd20::/64']), aNetwork('10.30.0.0/24')]
  const plan = { networks: [net.plan, other.plan], groups: [open, shut] }
  bench.fabric(plan)
  const box = (name: string, nics: Nic[]) => {
    const command = ['sh', '-c', `while true; do nc -l -p 80 -e echo ${name}; done`]
    return anAssignment({ command }, { name, nics })
  }
  let a = box('alpha', [net.nic(['10.20.0.5', 'fd20::5'], [open.id])])
  const b = box('beta', [net.nic(['10.20.0.6', 'fd20::6'], [open.id]), other.nic('10.30.0.6', [open.id])])
  const c = box('gamma', [net.nic('10.20.0.7', [shut.id])])
  for (const wish of [a, b, c]) bench.assign(wish)
  for (const wish of [a, b, c])
    expect(await bench.settled(wish)).toMatchObject({ failure: null, engine: { state: 'running' } })
  expect(await ask(a, '10.20.0.6')).toBe('beta')
  expect(await ask(a, 'fd20::6')).toBe('beta')
  expect(await ask(a, '10.20.0.7')).toBe('')

  a = { ...next(a, {}), nics: [...a.nics, other.nic('10.30.0.5', [open.id])] }
  bench.assign(a)
  expect((await bench.settled(a)).engine?.nics).toHaveLength(2)
  expect(await engine.docker('exec', `gantry-${a.id}`, 'ip', 'address', 'show', 'eth10')).toContain('10.30.0.5/24')
  expect(await ask(a, '10.30.0.6')).toBe('beta')

  await bench.close()
  bench = startHost(engine)
  bench.fabric(plan)
  a = { ...next(a, { power: { kind: 'stopped', graceSeconds: 0 } }), nics: a.nics.slice(1) }
  for (const wish of [a, b, c]) bench.assign(wish)
  bench.synced()
  const stopped = await bench.settled(a)
  expect(stopped.engine).toMatchObject({ state: 'exited', nics: [a.nics[0]?.portId] })
  const since = stopped.engine?.startedAt ?? null
  a = next(a, { power: { kind: 'running', since, bounce: false, graceSeconds: 0 } })
  bench.assign(a)
  await bench.settled(a)
  expect(await ask(a, '10.30.0.6')).toBe('beta')
  expect(await ask(a, '10.20.0.6')).toBe('')
  for (const wish of [a, b, c]) bench.assign(next(wish, { gone: { graceSeconds: 0 } }))
  for (const wish of [a, b, c]) expect((await bench.settled(next(wish, {}))).gone).toBe(true)
})
