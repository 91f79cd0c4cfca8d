import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dockerConfig, type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/** MiB that go through one stream; the whole GiB of the promise with GANTRY_STREAM_MIB=1024. */
const mebibytes = Number(process.env['GANTRY_STREAM_MIB'] ?? 192)
/** Most that the peak of a process may rise, MiB: far less than what goes through. */
const mostRise = 96

let gantry: Gantry
let demo: Session
let env: NodeJS.ProcessEnv
let folder: string

beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
  folder = await mkdtemp('/tmp/gantry-streams-')
  const headers = { 'X-Auth-Token': demo.token, 'X-Auth-Project-Id': demo.projectId }
  env = {
    PATH: process.env['PATH'],
    DOCKER_HOST: gantry.dockerUrl.replace('http:', 'tcp:'),
    DOCKER_CONFIG: await dockerConfig(folder, headers),
  }
  await shell('docker run -d --name store --memory 2g busybox sleep 100000')
})
afterAll(async () => {
  await gantry[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** Runs a pipeline against Gantry; answers what it prints. */
async function shell(script: string): Promise<string> {
  const child = spawn('bash', ['-o', 'pipefail', '-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')])
  if (child.exitCode !== 0) throw new Error(`${script}: ${child.exitCode} ${err}`)
  return out.trim()
}

async function textOf(stream: NonNullable<ChildProcess['stdout']>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

/** The rise of both processes' peaks while `work` goes on, MiB. */
async function peakRise(work: () => Promise<unknown>): Promise<{ server: number; agent: number }> {
  const pids = { server: gantry.server.pid ?? 0, agent: gantry.agent.pid ?? 0 }
  const field = (pid: number, name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  // Once warm, so that what a process takes for good does not count.
  for (const pid of Object.values(pids)) writeFileSync(`/proc/${pid}/clear_refs`, '5')
  const before = { server: field(pids.server, 'VmRSS'), agent: field(pids.agent, 'VmRSS') }
  await work()
  return { server: field(pids.server, 'VmHWM') - before.server, agent: field(pids.agent, 'VmHWM') - before.agent }
}

const zeros = `head -c ${mebibytes}M /dev/zero`
const digest = () => {
  const hash = createHash('sha256')
  const block = Buffer.alloc(1 << 20)
  for (let count = 0; count < mebibytes; count += 1) hash.update(block)
  return hash.digest('hex')
}

test('a large stdin goes through and its end is heard on the other side', async () => {
  await shell('head -c 8M /dev/zero | docker run --rm -i busybox sha256sum')
  let told = ''
  const rise = await peakRise(async () => {
    told = await shell(`${zeros} | docker run --rm -i busybox sh -c 'sha256sum; echo after'`)
  })
  expect(told).toBe(`${digest()}  -\nafter`)
  expect(Math.max(rise.server, rise.agent)).toBeLessThan(mostRise)
})

test('docker cp moves a large file in and out in constant memory', async () => {
  await shell(`head -c 8M /dev/zero >${folder}/small; docker cp ${folder}/small store:/small`)
  await shell(`${zeros} >${folder}/large`)
  const rise = await peakRise(async () => {
    await shell(`docker cp ${folder}/large store:/large`)
    await shell(`rm ${folder}/large; docker cp store:/large ${folder}/back`)
  })
  expect(await shell(`sha256sum <${folder}/back`)).toBe(`${digest()}  -`)
  expect(await shell('docker exec store sha256sum /large')).toBe(`${digest()}  /large`)
  expect(Math.max(rise.server, rise.agent)).toBeLessThan(mostRise)
})

test('docker save and load move a large image in constant memory', async () => {
  await shell('docker exec store test -e /large && docker commit store big:1 >/dev/null')
  const rise = await peakRise(async () => {
    await shell(`docker save big:1 >${folder}/image.tar`)
    await shell(`docker rmi big:1 >/dev/null; docker load -q <${folder}/image.tar`)
  })
  expect(await shell('docker run --rm big:1 sha256sum /large')).toBe(`${digest()}  /large`)
  expect(Math.max(rise.server, rise.agent)).toBeLessThan(mostRise)
})

test('an exec whose host is lost in the middle fails and says why', async () => {
  const begun = `${folder}/begun`
  writeFileSync(begun, '')
  const exec = shell(`docker exec store sh -c 'echo begun; sleep 1000' >${begun}`)
  const failed = expect(exec).rejects.toThrow(/ 1 error from daemon in stream: .*(broke off|not connected)/)
  await expect.poll(() => readFileSync(begun, 'utf8'), { timeout: 60_000 }).toBe('begun\n')
  await gantry.agent.kill9()
  await failed
  await gantry.agent.start()
})

test('a reader that stands still holds the container back, and nothing is kept for it', async () => {
  const size = 64 << 20
  await shell(`docker create -i --name gusher busybox sh -c 'cat >/dev/null; head -c ${size} /dev/zero'`)
  const socket = await attach('/containers/gusher/attach?stream=1&stdin=1&stdout=1')
  await shell('docker start gusher')
  socket.pause()
  socket.end()
  const rise = await peakRise(async () => {
    await new Promise((resolve) => setTimeout(resolve, 3000))
  })
  expect(Math.max(rise.server, rise.agent)).toBeLessThan(mostRise)
  expect(await shell("docker inspect -f '{{.State.Running}}' gusher")).toBe('true')
  let got = 0
  for await (const chunk of socket) got += (chunk as Buffer).length
  // Each piece of the engine's has eight bytes before it.
  expect(got).toBeGreaterThan(size)
  expect(got).toBeLessThan(size * 1.01)
  expect(await shell('docker wait gusher')).toBe('0')
})

/** As a client that reads by hand; the connection after the answer 101. */
async function attach(path: string): Promise<Socket> {
  const asked = request(`${gantry.dockerUrl}/v1.41${path}`, {
    method: 'POST',
    headers: {
      connection: 'Upgrade',
      upgrade: 'tcp',
      'x-auth-token': demo.token,
      'x-auth-project-id': demo.projectId,
    },
  })
  asked.end()
  const [, socket] = (await once(asked, 'upgrade')) as [unknown, Socket]
  return socket
}

test('quiet streams stay open', async () => {
  const events = spawn('docker', ['events'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const logs = spawn('docker', ['logs', '-f', 'store'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  // The client writes the time and the rest of a line one after the other.
  const first = once(createInterface({ input: events.stdout }), 'line')
  await new Promise((resolve) => setTimeout(resolve, 6000))
  expect([events.exitCode, logs.exitCode]).toEqual([null, null])
  await shell("docker exec store sh -c 'echo hello >/proc/1/fd/1'")
  expect(await first).toEqual([expect.stringContaining('exec_create')])
  const ended = Promise.all([once(events, 'close'), once(logs, 'close')])
  events.kill()
  logs.kill()
  await ended
})
