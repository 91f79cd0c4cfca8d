import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/** Containers on one instance; what must hold holds for any. */
const ratio = Number(process.env['DEMAND_RATIO'] ?? 3)

let engine: TestEngine
let gantry: Gantry
let demo: Session
let admin: Session
beforeAll(async () => {
  // Instances reach the server over the engine's bridge, which therefore is in the machine's own network.
  engine = await startEngine({ network: 'host' })
  await loadBusybox(engine.socket)
  const demand = ['--compute', 'embedded', '--compute-engine', engine.url, '--hosts-ratio', `${ratio}`]
  gantry = await startGantry({ engine, serverArgs: [...demand, '--hosts-linger', '2'] })
  demo = await gantry.logIn('demo')
  admin = await gantry.logIn('admin')
  // The engine's own host takes nothing: all that runs, runs on instances.
  expect((await admin.native('POST', '/hosts/test-host/disable', { reason: 'test' })).status).toBeLessThan(300)
}, 120_000)
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await engine?.stop()
})

const instances = async () =>
  (await engine.docker('ps', '-aq', '--filter', 'label=gantry.compute')).split('\n').filter((line) => line !== '')

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (Date.now() > end) throw new Error(`This did not come about: ${what}.\n${await gantry.logs()}`)
  }
}

describe('hosts on demand in system containers', () => {
  test(`${ratio + 1} containers at ${ratio} to one run on two instances, which go when they are empty`, async () => {
    const began = Date.now()
    const names = Array.from({ length: ratio + 1 }, (_, n) => `c${n}`)
    for (const name of names) {
      const body = { name, image: 'busybox', command: ['sh', '-c', 'echo here is $HOSTNAME; sleep 3600'], memory: '32' }
      const { status, text } = await demo.zun('POST', '/containers?run=true', body)
      expect(status, text).toBe(202)
    }
    const running = []
    for (const name of names) {
      running.push(await demo.waitFor(name, ({ status }) => status === 'Running' || status === 'Error', 60))
    }
    expect(running.map(({ status_reason: reason }) => reason)).toEqual(names.map(() => null))
    const seconds = (Date.now() - began) / 1000
    process.stdout.write(`${names.length} containers on new instances ran after ${seconds.toFixed(1)} s\n`)
    const on = new Map<string, number>()
    for (const name of names) {
      const { json } = await admin.zun('GET', `/containers/${name}?all_projects=1`)
      const host = String(json['host'])
      on.set(host, (on.get(host) ?? 0) + 1)
    }
    expect([...on.values()].sort((a, b) => b - a)).toEqual([ratio, 1])
    expect(await instances()).toHaveLength(2)

    // In the engine within, over the session that its agent made.
    const { text } = await demo.zun('GET', '/containers/c0/logs?stdout=true')
    expect(text).toMatch(/here is/)
    const said = await demo.zun('POST', '/containers/c0/execute?command=cat%20/proc/1/comm&run=true&interactive=false')
    expect(said.json['output'], said.text).toMatch(/sh|sleep/)

    for (const name of names) await demo.zun('DELETE', `/containers/${name}?stop=true&timeout=1`)
    await until(async () => (await instances()).length === 0, 'no instance is left')
    const hosts = async () => (await admin.native('GET', '/hosts')).json['hosts'] as unknown as { name: string }[]
    await until(async () => (await hosts()).length === 1, 'their hosts are forgotten')
  }, 90_000)
})
