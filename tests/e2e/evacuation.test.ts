import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Line, lineTo } from '../fixtures/cut-line.ts'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/** A host that is cut off: what may run elsewhere stops there first, runs on here, and the host is used again when it is back. */
let here: TestEngine
let there: TestEngine
let gantry: Gantry
let line: Line
let demo: Session

beforeAll(async () => {
  ;[here, there] = await Promise.all([startEngine(), startEngine()])
  await Promise.all([loadBusybox(here.socket), loadBusybox(there.socket)])
  const serverArgs = ['--evacuate', 'auto', '--evacuate-after', '20']
  gantry = await startGantry({ engine: here, serverArgs })
  line = await lineTo(gantry.agents)
  await gantry.addHost('other-host', there, [], line.address)
  demo = await gantry.logIn('demo')
}, 120_000)
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await line?.[Symbol.asyncDispose]()
  await Promise.all([here?.stop(), there?.stop()])
})

async function admin(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.cli(args, { user: 'admin' })
  expect(code, stderr).toBe(0)
  return stdout
}

async function runThere(name: string, autoHeal: boolean): Promise<string> {
  const command = ['sh', '-c', 'exec httpd -f -p 80']
  const body = { image: 'busybox', name, command, cpu: 0.1, memory: '32', auto_heal: autoHeal }
  const { status, text, json } = await demo.zun('POST', '/containers?run=true', body)
  expect(status, text).toBe(202)
  await demo.waitFor(name, (container) => container.status === 'Running')
  return json.uuid
}

async function runningOn(engine: TestEngine): Promise<string[]> {
  const label = '{{.Label "gantry.container"}}'
  const all = await engine.docker('ps', '--filter', 'label=gantry.container', '--format', label)
  return all.split('\n').filter((id) => id !== '')
}

async function startOf(engine: TestEngine, id: string): Promise<string> {
  return engine.docker('inspect', '--format', '{{.State.StartedAt}}', `gantry-${id}`)
}

test('what may run elsewhere never runs twice, what may not goes on, and the host is used again', async () => {
  await admin('hosts', 'cordon', 'test-host', '--reason', 'the test')
  const brief = await runThere('brief', true)
  const keeps = await runThere('keeps', false)
  const kept = await startOf(there, keeps)

  // Cut off for longer than a lease, but not for as long as a lost host: it stops, and goes on where it was.
  const before = await startOf(there, brief)
  line.cut()
  await vi.waitFor(async () => expect(await runningOn(there)).toEqual([keeps]), { timeout: 17_000, interval: 250 })
  line.mend()
  await vi.waitFor(async () => expect(await runningOn(there)).toContain(brief), { timeout: 30_000, interval: 250 })
  expect(await startOf(there, brief)).not.toBe(before)
  await demo.waitFor('brief', ({ status }) => status === 'Running')
  expect(await runningOn(here)).toEqual([])
  await admin('hosts', 'uncordon', 'test-host')

  line.cut()
  const both: string[] = []
  await vi.waitFor(
    async () => {
      const [near, far] = await Promise.all([runningOn(here), runningOn(there)])
      both.push(...near.filter((id) => far.includes(id)))
      expect(near).toEqual([brief])
    },
    { timeout: 60_000, interval: 250 },
  )
  expect(both).toEqual([])
  expect(await runningOn(there)).toEqual([keeps])
  await demo.waitFor('brief', ({ status }) => status === 'Running')

  line.mend()
  await vi.waitFor(async () => expect(await there.docker('ps', '-a', '--format', '{{.Names}}')).not.toContain(brief), {
    timeout: 30_000,
    interval: 250,
  })
  await sleep(500)
  expect(await runningOn(here)).toEqual([brief])
  expect(await startOf(there, keeps)).toBe(kept)
  await admin('hosts', 'drain', '--wait', 'test-host')
  expect(await runningOn(here)).toEqual([])
  expect((await runningOn(there)).toSorted()).toEqual([brief, keeps].toSorted())
  // Words of the command line for where a container may run.
  const rules = ['--constraint', 'node.hostname==other-host', '--anti-affinity', 'brief']
  const refused = await gantry.cli(['run', '-d', ...rules, 'busybox', 'sleep', '60'])
  expect(refused.code).toBe(125)
  expect(refused.stderr).toMatch(/1 of 2 is disabled.*1 of 2 is with a container it must not be with/s)
  expect(await admin('hosts', 'why', keeps)).toMatch(/test-host +no .*disabled/)
}, 180_000)
