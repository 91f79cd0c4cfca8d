import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres, type TestPostgres } from '@gantry/store/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Gantry, type Part, type Session, startGantry } from '../fixtures/gantry.ts'
import { type SecondServer, secondServer } from '../fixtures/second-server.ts'

/** Two servers, two hosts. One host is lost, and the server that makes its containers anew elsewhere dies at it. */
const many = 8
let postgres: TestPostgres
let here: TestEngine
let there: TestEngine
let gantry: Gantry
let second: SecondServer
let lost: Part
let fence: string
let url: string
let sessions: readonly [Session, Session]

beforeAll(async () => {
  postgres = await startPostgres()
  ;[here, there] = await Promise.all([startEngine(), startEngine()])
  await Promise.all([loadBusybox(here.socket), loadBusybox(there.socket)])
  fence = join(there.socket, '../fence')
  await writeFile(fence, fenceScript(), { mode: 0o700 })
  url = await postgres.database()
  const database = ['--database', url]
  const serverArgs = [...database, '--evacuate', 'all', '--evacuate-after', '20', '--fence-command', fence]
  gantry = await startGantry({ engine: here, serverArgs })
  second = secondServer(gantry, serverArgs)
  await second.start()
  lost = await gantry.addHost('other-host', there)
  const env = { ...(await gantry.env()), OS_AUTH_URL: `${second.api()}/identity/v3` }
  sessions = [await gantry.logIn('demo'), await second.as(env)]
}, 180_000)
afterAll(async () => {
  await second?.kill9()
  await gantry?.[Symbol.asyncDispose]()
  await Promise.all([here?.stop(), there?.stop()])
  await postgres?.[Symbol.asyncDispose]()
})

/** The machine is off when it answers, which it does not before the test says so. */
function fenceScript(): string {
  const docker = `docker -H unix://${there.socket}`
  return `#!/bin/sh
${docker} ps -q | xargs -r ${docker} kill >/dev/null
echo $PPID >>"$0.log"
until [ -e "$0.go" ]; do sleep 0.1; done
`
}

const within = { timeout: 120_000, interval: 100 }
/** The servers that asked for the machine to be switched off. */
const askers = async () => (await readFile(`${fence}.log`, 'utf8')).trim().split('\n').map(Number)

/** The server that evacuates cannot write this container, and dies when it comes to it. Returns which one that is. */
async function killAt(id: string): Promise<number | undefined> {
  await vi.waitFor(async () => expect(await askers()).toHaveLength(1), within)
  const [pid] = await askers()
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  await holder.query('begin')
  await holder.query('select id from containers where id = $1 for update', [id])
  await writeFile(`${fence}.go`, '')
  await vi.waitFor(async () => {
    const { rows } = await holder.query("select 1 from pg_locks where not granted and locktype = 'transactionid'")
    expect(rows).toHaveLength(1)
  }, within)
  await (pid === gantry.server.pid ? gantry.server : second).kill9()
  await holder.end()
  return pid
}

async function admin(...args: string[]): Promise<void> {
  const { code, stderr } = await gantry.cli(args, { user: 'admin' })
  expect(code, stderr).toBe(0)
}

async function runningOn(engine: TestEngine): Promise<string[]> {
  const label = '{{.Label "gantry.container"}}'
  const all = await engine.docker('ps', '--filter', 'label=gantry.container', '--format', label)
  return all.split('\n').filter((id) => id !== '')
}

test('what one server leaves half evacuated another finishes: all of it runs once, and was made anew once', async () => {
  await admin('hosts', 'cordon', 'test-host', '--reason', 'the test')
  const [first] = sessions
  const ids: string[] = []
  for (let at = 0; at < many; at += 1) {
    const body = { image: 'busybox', name: `both-${at}`, command: ['sleep', '100000'], cpu: 0.1, memory: '32' }
    const { status, text, json } = await first.zun('POST', '/containers?run=true', body)
    expect(status, text).toBe(202)
    ids.push(json.uuid)
  }
  await Promise.all(ids.map((id) => first.waitFor(id, ({ status }) => status === 'Running')))
  expect((await runningOn(there)).toSorted()).toEqual(ids.toSorted())
  await admin('hosts', 'uncordon', 'test-host')

  const pids = [gantry.server.pid, second.pid]
  await lost.kill9()
  const dead = await killAt(ids[many / 2] ?? '')
  expect(pids).toContain(dead)
  const left = sessions[dead === pids[0] ? 1 : 0]
  await Promise.all(ids.map((id) => left.waitFor(id, ({ status }) => status === 'Running', 90)))
  expect((await runningOn(here)).toSorted()).toEqual(ids.toSorted())
  expect(await runningOn(there)).toEqual([])
  expect(new Set(await askers())).toEqual(new Set(pids))
  for (const id of ids) {
    const { text } = await left.zun('GET', `/containers/${id}/container_actions`)
    const { containerActions } = JSON.parse(text) as { containerActions: { action: string }[] }
    expect(containerActions.filter(({ action }) => action === 'move')).toHaveLength(1)
  }

  await lost.start()
  await vi.waitFor(async () => expect(await there.docker('ps', '-aq')).toBe(''), { timeout: 60_000, interval: 250 })
  expect((await runningOn(here)).toSorted()).toEqual(ids.toSorted())
}, 300_000)
