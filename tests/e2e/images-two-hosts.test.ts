import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBig } from '../fixtures/big-image.ts'
import { startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Gantry, type Part, type Session, startGantry } from '../fixtures/gantry.ts'

const run = promisify(execFile)

/** Two machines, as far as their engines can tell: each has its own images and its own network. */
let here: TestEngine
let there: TestEngine
let gantry: Gantry
let other: Part
let demo: Session

beforeAll(async () => {
  ;[here, there] = await Promise.all([startEngine(), startEngine()])
  gantry = await startGantry({ engine: here, publish: false, agentArgs: ['--label', 'side=here'] })
  other = await gantry.addHost('other-host', there, ['--label', 'side=there'])
  demo = await gantry.logIn('demo')
  const admin = await gantry.logIn('admin')
  const quota = await admin.zun('PUT', `/quotas/${demo.projectId}`, { containers: 100 })
  if (quota.status !== 200) throw new Error(quota.text)
}, 120_000)
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await Promise.all([here?.stop(), there?.stop()])
})

/** Pushes a new image of about `mebibytes` as anybody would, so that no engine of the cloud has it. Answers its layers' digests. */
async function push(name: string, mebibytes: number): Promise<readonly string[]> {
  const tar = join(gantry.home, 'push.tar')
  await loadBig(here, mebibytes, 'pushed:1')
  await here.docker('save', '-o', tar, 'pushed:1')
  await here.docker('rmi', 'pushed:1')
  const { OS_USERNAME: user, OS_PASSWORD: password } = await gantry.env()
  const target = `docker://${new URL(gantry.api).host}/demo/${name}`
  const login = [`${user}:${password}`]
  await run('skopeo', ['copy', '--dest-tls-verify=false', '--dest-creds', ...login, `docker-archive:${tar}`, target])
  await rm(tar)
  const shown = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', '--creds', ...login, target])
  const { layers } = JSON.parse(shown.stdout) as { layers: { digest: string }[] }
  return layers.map(({ digest }) => digest)
}

/** Makes a container of the image on one side, without starting it. */
async function create(name: string, image: string, side: 'here' | 'there', more: object = {}): Promise<void> {
  const body = { image, name, cpu: 0.1, memory: '16', hints: { 'label:side': side }, ...more }
  const { status, text } = await demo.zun('POST', '/containers', body)
  if (status !== 202) throw new Error(`${status} ${text}`)
}
const created = (name: string, seconds = 120) =>
  demo.waitFor(
    name,
    ({ status, status_reason }) => {
      if (status === 'Error') throw new Error(`${name}: ${status_reason}`)
      return status === 'Created'
    },
    seconds,
  )

/** What hosts have asked for. */
async function requests(): Promise<string[]> {
  const log = await readFile(join(gantry.home, 'server.log'), 'utf8')
  return log.split('\n').filter((line) => line.includes('"path":"/v2/gantry/') && line.includes('"method":"GET"'))
}

async function reads(digest: string): Promise<number> {
  return (await requests()).filter((line) => line.includes(`/blobs/${digest}`)).length
}

test('an image that was pushed once runs on both', async () => {
  await push('small:1', 1)
  for (const side of ['here', 'there'] as const) await create(`on-${side}`, 'small:1', side)
  for (const side of ['here', 'there']) {
    await created(`on-${side}`)
    expect((await demo.zun('POST', `/containers/on-${side}/start`)).status).toBe(202)
    await demo.waitFor(`on-${side}`, ({ status }) => status === 'Running')
  }
  const ids = await Promise.all([here, there].map((engine) => engine.docker('images', '-q', '--no-trunc')))
  expect(ids[0]).toBe(ids[1])
}, 120_000)

test('fifty at once on one host read each layer of 100 MB once', async () => {
  const layers = await push('big:1', 100)
  const names = Array.from({ length: 50 }, (_, at) => `many-${at}`)
  await Promise.all(names.map((name) => create(name, 'big:1', 'there')))
  await Promise.all(names.map((name) => created(name)))
  for (const layer of layers) expect(await reads(layer)).toBe(1)
}, 300_000)

test.each([
  ['the agent', () => other],
  ['the server', () => gantry.server],
])(
  'a container comes to be though %s is killed while its image is fetched',
  async (_name, part) => {
    const container = `without-${_name.replaceAll(' ', '-')}`
    await push(`${container}:1`, 100)
    const before = (await requests()).length
    await create(container, `${container}:1`, 'there')
    // The manifest has been read, and the layer takes a while.
    await expect.poll(async () => (await requests()).length, { interval: 20, timeout: 20_000 }).toBeGreaterThan(before)
    await sleep(200)
    await part().kill9()
    await part().start()
    await created(container)
  },
  300_000,
)

test('what is committed on one host runs on the other', async () => {
  const commit = await gantry.docker(['commit', 'on-here', 'committed:1'])
  expect(commit.code, commit.stderr).toBe(0)
  await create('copy', 'committed:1', 'there')
  await created('copy')
}, 120_000)
