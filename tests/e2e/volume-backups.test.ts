import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Gantry, type Part, type Session, startGantry } from '../fixtures/gantry.ts'

/** Volumes that grow, are cloned and backed up, over real agents on two hosts which share nothing. */
let here: TestEngine
let there: TestEngine
let gantry: Gantry
let other: Part
let demo: Session

beforeAll(async () => {
  ;[here, there] = await Promise.all([startEngine(), startEngine()])
  await Promise.all([loadBusybox(here.socket), loadBusybox(there.socket)])
  gantry = await startGantry({ engine: here })
  other = await gantry.addHost('other-host', there)
  demo = await gantry.logIn('demo')
}, 120_000)
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await Promise.all([here?.stop(), there?.stop()])
})

async function cli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.cli(args, { user: 'demo' })
  expect(code, stderr).toBe(0)
  return stdout.trim()
}

async function admin(...args: string[]): Promise<void> {
  const { code, stderr } = await gantry.cli(args, { user: 'admin' })
  expect(code, stderr).toBe(0)
}

interface Kept {
  readonly id: string
  readonly status: string
  readonly statusReason: string | null
  readonly size: number
}

const shown = async (...noun: string[]) => JSON.parse(await cli(...noun, '--json')) as Kept

async function runWith(name: string, volume: string, command: string): Promise<void> {
  const body = {
    image: 'busybox',
    name,
    command: ['sh', '-c', `${command} && exec sleep 1000`],
    cpu: 0.1,
    memory: '64',
    mounts: [{ source: volume, destination: '/data' }],
  }
  const { status, text } = await demo.zun('POST', '/containers?run=true', body)
  expect(status, text).toBe(202)
  await demo.waitFor(name, (container) => container.status === 'Running')
}

const inside = (name: string, command: string) => cli('exec', name, 'sh', '-c', command)
const kept = () => readdirSync(join(gantry.home, 'backups'))
const halves = () => kept().filter((name) => name.endsWith('.new'))
const making = (agent: string) => readdirSync(join(gantry.home, agent, 'making'))
const hasBegun = () => expect(halves().some((name) => statSync(join(gantry.home, 'backups', name)).size > 0)).toBe(true)

test('data goes to another host by a backup, and grows and is cloned where it is', { timeout: 300_000 }, async () => {
  await admin('hosts', 'disable', 'other-host')
  await cli('volume', 'create', 'data', '--size', '1')
  await runWith(
    'writer',
    'data',
    'echo precious > /data/note && dd if=/dev/urandom of=/data/big bs=1M count=200 2>/dev/null',
  )
  await vi.waitFor(async () => expect(await inside('writer', 'ls -l /data/big')).toContain('209715200'), 60_000)
  const sum = await inside('writer', 'sha256sum < /data/big')

  await cli('volume', 'extend', 'data', '--size', '2')
  await cli('volume', 'create', 'clone', '--from-volume', 'data', '--size', '3')
  const backup = await cli('volume', 'backup', 'create', 'data', '--name', 'nightly')
  expect(await shown('volume', 'backup', 'show', 'nightly')).toMatchObject({ id: backup, status: 'available', size: 2 })
  expect(kept()).toEqual([`${backup}.tar.zst`])
  // What is written later is in neither.
  await inside('writer', 'echo later > /data/note')
  await vi.waitFor(() => expect(making('agent')).toEqual([]))

  await runWith('of-clone', 'clone', 'true')
  expect(await inside('of-clone', 'cat /data/note; sha256sum < /data/big')).toBe(`precious\n${sum}`)
  expect(await inside('of-clone', 'df -m /data | tail -1')).toMatch(/ (29|30)\d\d /)

  await admin('hosts', 'enable', 'other-host')
  await admin('hosts', 'disable', 'test-host')
  await cli('volume', 'create', 'again', '--backup', 'nightly')
  await runWith('reader', 'again', 'true')
  expect(await there.docker('ps', '--format', '{{.Names}}')).toContain('gantry-')
  expect(await inside('reader', 'cat /data/note; sha256sum < /data/big')).toBe(`precious\n${sum}`)
  await admin('hosts', 'enable', 'test-host')
  await vi.waitFor(() => expect(making('agent-other-host')).toEqual([]))
})

test('an agent that is killed in the middle leaves an error that says so, and no half', {
  timeout: 180_000,
}, async () => {
  await cli('volume', 'backup', 'create', 'data', '--name', 'broken', '--no-wait')
  await vi.waitFor(hasBegun, 30_000)
  await gantry.agent.kill9()
  const reason = 'The host of its data went away meanwhile.'
  await vi.waitFor(
    async () =>
      expect(await shown('volume', 'backup', 'show', 'broken')).toMatchObject({
        status: 'error',
        statusReason: reason,
      }),
    30_000,
  )
  expect(halves()).toEqual([])
  const refused = await gantry.cli(['volume', 'backup', 'create', 'data', '--name', 'early'], { user: 'demo' })
  expect(refused.stderr).toContain('the one that has the data is not connected')
  await gantry.agent.start()
  await vi.waitFor(() => expect(making('agent')).toEqual([]), 30_000)
  await vi.waitFor(() => cli('volume', 'backup', 'create', 'data', '--name', 'mended'), 60_000)
  expect(await inside('writer', 'cat /data/note')).toBe('later')
  for (const name of ['broken', 'mended']) await cli('volume', 'backup', 'delete', name)
})

test('a server that is killed in the middle leaves errors, and neither it nor a host keeps halves', {
  timeout: 180_000,
}, async () => {
  await cli('volume', 'backup', 'create', 'data', '--name', 'half', '--no-wait')
  await vi.waitFor(hasBegun, 30_000)
  await gantry.server.kill9()
  await gantry.server.start()
  demo = await gantry.logIn('demo')
  expect(await shown('volume', 'backup', 'show', 'half')).toMatchObject({
    status: 'error',
    statusReason: 'The server ended while it was being made; delete it and begin anew.',
  })
  expect(kept()).toHaveLength(1)
  await vi.waitFor(() => expect(making('agent')).toEqual([]), 30_000)
  await cli('volume', 'backup', 'delete', 'half')

  await vi.waitFor(() => cli('volume', 'create', 'torn', '--backup', 'nightly', '--no-wait'), 60_000)
  await vi.waitFor(() => expect([...making('agent'), ...making('agent-other-host')]).not.toEqual([]), 30_000)
  await gantry.server.kill9()
  await gantry.server.start()
  demo = await gantry.logIn('demo')
  await vi.waitFor(() => expect([...making('agent'), ...making('agent-other-host')]).toEqual([]), 30_000)
  const { id, status } = await shown('volume', 'show', 'torn')
  const files = ['agent', 'agent-other-host'].flatMap((agent) => readdirSync(join(gantry.home, agent, 'volumes')))
  expect(files.includes(`${id}.img`)).toBe(status === 'available')
  await vi.waitFor(() => cli('volume', 'delete', 'torn'), 60_000)
  await cli('volume', 'create', 'whole', '--backup', 'nightly')
  expect(other.pid).toBeDefined()
})
