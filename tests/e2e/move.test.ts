import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Gantry, type Part, type Session, startGantry } from '../fixtures/gantry.ts'

/** Containers that leave their host for another: two agents on two engines, which share nothing. */
let here: TestEngine
let there: TestEngine
let gantry: Gantry
let other: Part
let demo: Session

beforeAll(async () => {
  ;[here, there] = await Promise.all([startEngine(), startEngine()])
  await Promise.all([loadBusybox(here.socket), loadBusybox(there.socket)])
  gantry = await startGantry({ engine: here, agentArgs: ['--label', 'side=here'] })
  other = await gantry.addHost('other-host', there, ['--label', 'side=there'])
  demo = await gantry.logIn('demo')
}, 120_000)
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await Promise.all([here?.stop(), there?.stop()])
})

interface Shown {
  readonly id: string
  readonly status: string
  readonly host: string | null
  readonly addresses: readonly { readonly address: string }[]
}

async function shown(name: string): Promise<Shown> {
  const { code, stdout, stderr } = await gantry.cli(['show', name, '--json'], { user: 'demo' })
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Shown
}

async function admin(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.cli(args, { user: 'admin' })
  expect(code, stderr).toBe(0)
  return stdout
}

/** Administrators mean those of other projects by id. */
async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await gantry.cli(args, { user: 'admin' })
  expect(code).toBe(1)
  return stderr
}

async function runOn(side: 'here' | 'there', name: string, more: object = {}): Promise<string> {
  const command = ['sh', '-c', 'exec httpd -f -p 80']
  const body = { image: 'busybox', name, command, cpu: 0.1, memory: '32', hints: { 'label:side': side }, ...more }
  const { status, text, json } = await demo.zun('POST', '/containers?run=true', body)
  expect(status, text).toBe(202)
  await demo.waitFor(name, (container) => container.status === 'Running')
  return json.uuid
}

/** The name of the host that was there from the start. */
async function firstHost(): Promise<string> {
  const hosts = JSON.parse(await admin('hosts', '--json')) as { name: string }[]
  return hosts.find(({ name }) => name !== 'other-host')?.name ?? ''
}

async function runningOn(engine: TestEngine): Promise<string[]> {
  const label = '{{.Label "gantry.container"}}'
  const all = await engine.docker('ps', '--filter', 'label=gantry.container', '--format', label)
  return all.split('\n').filter((id) => id !== '')
}

test('a container moves with its address, and nothing of it stays behind', async () => {
  const id = await runOn('here', 'web', { hints: {} })
  const before = await shown('web')
  const [from, to] = (await runningOn(here)).includes(id) ? [here, there] : [there, here]
  await admin('move', id)
  await vi.waitFor(async () => expect(await runningOn(to)).toContain(id), 60_000)
  const after = await demo.waitFor('web', ({ status }) => status === 'Running')
  expect(after.uuid).toBe(id)
  expect((await shown('web')).addresses).toEqual(before.addresses)
  expect(await runningOn(from)).not.toContain(id)
  // Networks of the embedded cloud end at the host, so it is asked from beside it.
  await demo.zun('POST', '/containers?run=true', {
    image: 'busybox',
    name: 'asks',
    command: ['ping', '-c', '1', '-w', '20', String(before.addresses[0]?.address)],
    cpu: 0.1,
    memory: '16',
    hints: { 'label:side': to === here ? 'here' : 'there' },
  })
  await demo.waitFor('asks', ({ status }) => status === 'Stopped' || status === 'Error')
  expect((await shown('asks')).status).toBe('Stopped')
  const said = await gantry.docker(['logs', 'asks'])
  expect(said.stdout + said.stderr).toContain('bytes from')
  for (const name of ['asks', 'web']) await gantry.cli(['rm', '-f', name])
})

test('what cannot leave is refused with what to do; users may not move anything', async () => {
  const id = await runOn('here', 'bound', { mounts: [{ size: 1, destination: '/data' }] })
  expect(await refused('move', id)).toMatch(/cannot leave its host: volume .* Back the volume up/)
  expect((await demo.native('POST', `/containers/${id}/move`)).status).toBe(403)
  expect(await refused('move', '--to', 'nowhere', id)).toContain('nowhere')
  expect(await refused('move', '--lost', id)).toContain('is connected')
  expect((await shown('bound')).status).toBe('Running')
  await admin('rm', '-f', id)
})

test('a drained host gets nothing new, and keeps what cannot leave it or has nowhere to go', async () => {
  const light = await runOn('there', 'light', { hints: {} })
  const bound = await runOn('there', 'heavy', { mounts: [{ size: 1, destination: '/data' }] })
  const hinted = await runOn('there', 'hinted')
  const [host, to] = (await runningOn(there)).includes(light) ? ['other-host', here] : [await firstHost(), there]
  const drained = JSON.parse(await admin('hosts', 'drain', host, '--json'))
  expect(drained.moving).toMatchObject([{ id: light }])
  if (host === 'other-host') {
    expect(drained.staying).toMatchObject([
      { id: bound, reason: expect.stringContaining('cannot leave its host') },
      { id: hinted, reason: expect.stringContaining('without the label asked for') },
    ])
  }
  await vi.waitFor(async () => expect(await runningOn(to)).toContain(light), 60_000)
  await demo.waitFor('light', ({ status }) => status === 'Running')
  const { text } = await demo.zun('POST', '/containers', { image: 'busybox', name: 'late', cpu: 0.1, memory: '16' })
  expect((await demo.waitFor('late', ({ status }) => status === 'Created')).uuid, text).toBeTruthy()
  expect(await to.docker('ps', '-a', '--format', '{{.Names}}')).toContain(JSON.parse(text).uuid)
  await admin('hosts', 'enable', host)
  for (const name of ['light', 'heavy', 'hinted', 'late']) await gantry.cli(['rm', '-f', name])
})

test('a lost host is not waited for; when it comes back it finds that it has lost them', async () => {
  const id = await runOn('there', 'survivor', { hints: {} })
  const [lost, kept] = (await runningOn(there)).includes(id) ? [other, here] : [gantry.agent, there]
  const lostEngine = kept === here ? there : here
  const host = kept === here ? 'other-host' : await firstHost()
  await lost.kill9()
  await vi.waitFor(async () => {
    const hosts = JSON.parse(await admin('hosts', '--json')) as { name: string; connected: boolean }[]
    expect(hosts.find(({ name }) => name === host)?.connected).toBe(false)
  }, 30_000)
  await admin('move', '--lost', id)
  await vi.waitFor(async () => expect(await runningOn(kept)).toContain(id), 60_000)
  expect(await runningOn(lostEngine)).toContain(id)
  await lost.start()
  await vi.waitFor(async () => expect(await runningOn(lostEngine)).not.toContain(id), 60_000)
  await sleep(1000)
  expect(await runningOn(kept)).toContain(id)
  expect((await shown('survivor')).status).toBe('Running')
  await admin('rm', '-f', id)
})

test('a capsule moves as one', async () => {
  const capsuleVersion = 'beta'
  const container = (name: string) => ({
    image: 'busybox',
    name,
    command: ['httpd', '-f', '-p', name === 'a' ? '81' : '82'],
    resources: { requests: { cpu: 0.1, memory: 32 } },
  })
  const template = {
    capsuleVersion,
    kind: 'capsule',
    metadata: { name: 'pair' },
    spec: { containers: [container('a'), container('b')] },
  }
  const { status, text, json } = await demo.zun('POST', '/capsules', { template })
  expect(status, text).toBe(202)
  const id = json.uuid
  const running = async () => {
    const answer = await demo.zun('GET', `/capsules/${id}`)
    expect(answer.json.status, answer.text).toBe('Running')
  }
  await vi.waitFor(running, 60_000)
  const of = async (engine: TestEngine) => (await runningOn(engine)).length
  const [from, to] = (await of(here)) > 0 ? [here, there] : [there, here]
  expect(await of(from)).toBe(3)
  await admin('move', id)
  await vi.waitFor(async () => expect(await of(to)).toBe(3), 60_000)
  expect(await of(from)).toBe(0)
  await vi.waitFor(running, 60_000)
  expect((await demo.zun('DELETE', `/capsules/${id}`)).status).toBe(204)
})
