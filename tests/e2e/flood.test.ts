import { Agent, request } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openFilesOf, pushed, residentOf, silent, watched } from '../fixtures/flood.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/**
 * One tenant floods a whole server in every way that a client has, while another goes on working. Bounds are wide, for machines that
 * do much besides; without the limits of docs/operate/limits.md they are missed by far, or the server dies.
 */
let gantry: Gantry
let mallory: Session
let ada: Session
let before = { server: 0, agent: 0 }
const late: Promise<boolean>[] = []

/** MiB. An idle server has about 280, an agent 150. */
const most = { server: 800, agent: 500 }
/** Milliseconds that one of a hundred requests of the other tenant may take longer than. */
const slowest = 30_000

beforeAll(async () => {
  gantry = await startGantry()
  mallory = await gantry.logIn('demo')
  ada = await gantry.newTenant('ada')
  before = { server: openFilesOf(pid('server')), agent: openFilesOf(pid('agent')) }
  await mallory.zun('POST', '/containers?run=true', loud)
  await mallory.waitFor('loud', (one) => one.status === 'Running')
})
afterAll(() => gantry?.[Symbol.asyncDispose]())

const loud = {
  name: 'loud',
  image: 'busybox:latest',
  command: ['sh', '-c', 'yes | head -c 20000000; sleep 1000'],
  memory: '64',
  cpu: 0.5,
}

function pid(part: 'server' | 'agent'): number {
  return gantry[part].pid ?? 0
}

/** Ada is answered all the while, and neither process grows beyond its bound. */
async function survived(flood: () => Promise<void>): Promise<number> {
  const probe = async () => {
    const { status, text } = await ada.native('GET', '/containers')
    expect(status, text).toBe(200)
  }
  const agent = { peak: 0 }
  const looking = setInterval(() => (agent.peak = Math.max(agent.peak, residentOf(pid('agent')))), 100)
  const { peak, latencies } = await watched(pid('server'), probe, flood).finally(() => clearInterval(looking))
  expect(latencies.length).toBeGreaterThan(5)
  expect(latencies[Math.floor(latencies.length * 0.99)]).toBeLessThan(slowest)
  expect([peak, agent.peak]).toEqual([expect.toSatisfy(below(most.server)), expect.toSatisfy(below(most.agent))])
  return peak
}

function below(bound: number) {
  return (value: number) => value < bound
}

function head(method: string, path: string, more: Record<string, string> = {}, token = mallory.token): string {
  const shown = { 'x-auth-token': token, authorization: `Bearer ${token}`, 'x-auth-project-id': mallory.projectId }
  const lines = Object.entries({ host: 'x', ...shown, ...more }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

function many(count: number, url: string, text: string): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, () => silent(url, text)))
}

test('connections that say nothing, or not all, do not last', async () => {
  const agents = `http://${gantry.agents}`
  const begun = 'GET /v1/containers HTTP/1.1\r\nHost: x\r\n'
  const hello = '\x16\x03\x01'
  for (const [url, text] of [
    [gantry.api, ''],
    [gantry.api, begun],
    [gantry.dockerUrl, begun],
    [gantry.dockerTlsUrl, hello],
    [agents, ''],
    [agents, hello],
  ] as const) {
    for (const socket of await many(100, url, text)) {
      late.push(
        new Promise(
          (resolve) =>
            void socket
              .resume()
              .once('end', () => resolve(true))
              .once('close', () => resolve(true)),
        ),
      )
    }
  }
  await survived(() => sleep(1000))
})

test('thousands of requests at once are answered or refused with the time to come back', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 3000 })
  const { hostname, port } = new URL(gantry.api)
  const ask = () =>
    new Promise<string>((resolve) => {
      const asked = request({
        hostname,
        port,
        path: '/v1/containers',
        agent,
        headers: { 'x-auth-token': mallory.token },
      })
      asked.once('response', (answer) => {
        const { statusCode, headers } = answer
        answer
          .resume()
          .once('end', () => resolve(`${statusCode} ${headers['retry-after'] === undefined ? '' : 'later'}`))
      })
      asked.once('error', (error) => resolve(String(error))).end()
    })
  const told = new Set<string>()
  await survived(async () => {
    for (let round = 0; round < 3; round += 1) {
      for (const each of await Promise.all(Array.from({ length: 3000 }, ask))) told.add(each)
    }
  })
  agent.destroy()
  // The kernel has room for some hundreds that the server has not accepted yet, and resets others if the machine is slow.
  const fine = ['200 ', '429 later', '503 later', 'Error: read ECONNRESET']
  expect(fine).toEqual(expect.arrayContaining([...told]))
  expect(told).toContain('200 ')
})

test('bodies without end are cut off, whoever sends them and wherever to', async () => {
  const upgrade = { connection: 'Upgrade', upgrade: 'tcp' }
  const places = [
    [gantry.api, 'POST', '/v1/containers', {}],
    [gantry.api, 'GET', '/v1/containers', {}],
    [gantry.api, 'POST', '/container/v1/containers', {}],
    [gantry.api, 'POST', '/identity/v3/auth/tokens', {}],
    [gantry.api, 'POST', '/image/v2/images', {}],
    [gantry.api, 'PUT', '/v2/demo/x/manifests/1', {}],
    [gantry.api, 'GET', '/metrics', {}],
    [gantry.api, 'POST', '/nowhere', {}],
    [gantry.dockerUrl, 'POST', '/containers/create', {}],
    [gantry.dockerUrl, 'POST', '/exec/x/start', {}],
    [gantry.dockerUrl, 'POST', '/exec/x/start', upgrade],
  ] as const
  const outcomes: string[] = []
  await survived(async () => {
    const all = places.flatMap(([url, method, path, more]) =>
      [mallory.token, 'nonsense'].flatMap((token) =>
        [true, false].flatMap((isChunked) => {
          const length = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': '10000000000' }
          const text = head(method, path, { 'content-type': 'application/json', ...length, ...more }, token)
          return Array.from({ length: 2 }, async () => {
            const { status, closed } = await pushed(url, text, isChunked, 24)
            if (!closed) outcomes.push(`${text.slice(0, 300)}: ${status}, and it stays open`)
            if (![200, 401, 413].includes(status) && !closed) outcomes.push(`${text.slice(0, 300)}: ${status}`)
          })
        }),
      ),
    )
    await Promise.all(all)
  })
  expect(outcomes).toEqual([])
})

test('thousands of streams that nobody reads cost a bounded share, time and again', async () => {
  const args = Buffer.from(JSON.stringify({ command: ['yes'] })).toString('base64url')
  const none = { 'content-length': '0' }
  const sockets: Socket[] = []
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
  const flood = async () => {
    const open = async (count: number, url: string, text: string) => {
      sockets.push(...(await many(count, url, text)))
    }
    const peak = await survived(async () => {
      await open(60, gantry.api, head('GET', '/v1/containers/loud/logs?follow=yes'))
      await open(40, gantry.dockerUrl, head('GET', '/containers/loud/logs?stdout=1&follow=1'))
      await open(30, gantry.api, head('POST', `/v1/containers/loud/exec?args=${args}`, none))
      await open(20, gantry.dockerUrl, head('POST', '/containers/loud/attach?stream=1&stdout=1', none))
      for (const url of await Promise.all(Array.from({ length: 10 }, socketOfYes))) sockets.push(await webSocket(url))
      const slow = await silent(gantry.api, head('POST', `/v1/containers/loud/exec?args=${args}`, none))
      sockets.push(slow)
      const reading = setInterval(() => slow.read(1000), 1000)
      await open(1200, gantry.api, head('GET', '/v1/events'))
      await open(500, gantry.dockerUrl, head('GET', '/events'))
      await open(500, gantry.dockerUrl, head('POST', '/containers/loud/wait', none))
      const metrics = async () => (await fetch(`${gantry.api}/metrics`)).text()
      const limited = 'gantry_limited_total{limit="streams of your project at the same time"}'
      await expect.poll(metrics, { timeout: 60_000, interval: 500 }).toContain(limited)
      await sleep(3000)
      clearInterval(reading)
    })
    const hers = await fetch(`${gantry.api}/v1/events`, { headers: { 'x-auth-token': ada.token } })
    expect(hers.status).toBe(200)
    await hers.body?.cancel()
    for (const socket of sockets.splice(0)) socket.destroy()
    await filesAreBack()
    return peak
  }
  const first = await flood()
  const second = await flood()
  expect(second).toBeLessThan(first + 100)
})

/** The address of an interactive session whose process prints without end. */
async function socketOfYes(): Promise<URL> {
  const { json, text } = await mallory.zun('POST', '/containers/loud/execute?run=false&interactive=true&command=yes')
  const { proxy_url: url } = json as unknown as Record<string, string>
  if (url === undefined) throw new Error(text)
  return new URL(url)
}

function webSocket({ host, pathname, search }: URL): Promise<Socket> {
  const asked = { 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version': '13', host }
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-protocol': 'binary' }
  return silent(`http://${host}`, head('GET', `${pathname}${search}`, { ...asked, ...upgrade }))
}

/** But for connections of this test's own requests, which are kept for the next, and those of the agent to its engine. */
async function filesAreBack(): Promise<void> {
  const open = async () => {
    // Who was attached to a quiet container, and went, is found out when it says something.
    await gantry.docker(['exec', 'loud', 'sh', '-c', 'echo here > /proc/1/fd/1'])
    return { server: openFilesOf(pid('server')), agent: openFilesOf(pid('agent')) }
  }
  await expect.poll(async () => (await open()).server, { timeout: 60_000 }).toBeLessThan(before.server + 45)
  await expect.poll(async () => (await open()).agent, { timeout: 60_000 }).toBeLessThan(before.agent + 60)
}

test('afterwards all is as it was', async () => {
  expect(await Promise.all(late)).not.toContain(false)
  await filesAreBack()
  expect((await mallory.zun('GET', '/containers/loud')).json.status).toBe('Running')
  const processes = async () => {
    const { stdout } = await gantry.docker(['top', 'loud'])
    return { own: stdout.includes('sleep 1000'), left: / yes$/m.test(stdout) }
  }
  await expect.poll(processes, { timeout: 30_000 }).toEqual({ own: true, left: false })
  const { code, stdout } = await gantry.docker(['exec', 'loud', 'echo', 'here'])
  expect([code, stdout]).toEqual([0, 'here\n'])
})
