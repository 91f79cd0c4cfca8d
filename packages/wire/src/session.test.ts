import { once } from 'node:events'
import { connect } from 'node:net'
import tls from 'node:tls'
import { text } from 'node:stream/consumers'
import { PassThrough, type Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRequest } from '@gantry/ca'
import { type Assignment, type ContainerId, nothingObserved } from '@gantry/model'
import { afterEach, describe, expect, test } from 'vitest'
import { dialTcp } from './dial.ts'
import type { AgentMessage } from './messages.ts'
import {
  assignment,
  credentialsFrom,
  facts,
  fakeHost,
  hostId,
  memoryReports,
  relayBench,
  until,
  unreliableLine,
} from './test-harness.ts'

const signal = new AbortController().signal
const observed = (id: string): AgentMessage => ({
  kind: 'observed',
  id: id as ContainerId,
  observed: nothingObserved,
  gone: false,
})

let bench: Awaited<ReturnType<typeof relayBench>>
afterEach(() => bench.close())

test('a connection that never says whose it is, is closed', async () => {
  bench = await relayBench({ handshakeMs: 200 })
  const socket = connect(bench.relay.port, '127.0.0.1')
  const closed = once(socket.on('error', () => undefined).resume(), 'close')
  await closed
})

test('connections of which nobody knows whose they are, are bounded, and agents come in all the same', async () => {
  bench = await relayBench({ mostHandshakes: 5 })
  const strangers = Array.from({ length: 12 }, () => connect(bench.relay.port, '127.0.0.1'))
  let refused = 0
  for (const socket of strangers) socket.on('error', () => undefined).once('close', () => (refused += 1))
  await until(() => refused === 7)
  for (const socket of strangers) socket.destroy()
  await until(() => refused === 12)
  // Those that were known, and have gone, count no more.
  for (let round = 0; round < 12; round += 1) {
    const socket = tls.connect({ port: bench.relay.port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.on('error', () => undefined).resume()
    await once(socket, 'close')
  }
  const agent = fakeHost()
  await bench.agent(agent.host)
  await until(() => agent.told.includes('synced'))
})

describe('a session', () => {
  test('begins with hello, brings every assignment, then synced, then what changes', async () => {
    const { reports, seen } = memoryReports(() => [assignment('a'), assignment('b', 2)])
    bench = await relayBench({ reports })
    const agent = fakeHost()
    await bench.agent(agent.host)
    await until(() => agent.told.includes('synced'))
    bench.relay.links.assign(hostId, assignment('b', 3))
    bench.relay.links.assign(hostId, assignment('c'))
    await until(() => agent.told.length === 6)
    expect(agent.told).toEqual(['session', 'a@1', 'b@2', 'synced', 'b@3', 'c@1'])
    expect(seen).toEqual([`connected ${hostId}`])
    expect(bench.relay.connectedCount()).toBe(1)
  })

  test('neither loses nor reorders what is assigned while the sync is being read', async () => {
    const reading = Promise.withResolvers<Assignment[]>()
    const { reports, seen } = memoryReports(() => reading.promise)
    bench = await relayBench({ reports })
    const agent = fakeHost()
    await bench.agent(agent.host)
    await until(() => seen.length === 1)
    bench.relay.links.assign(hostId, assignment('older', 1))
    bench.relay.links.assign(hostId, assignment('newer', 5))
    bench.relay.links.assign(hostId, assignment('unknown', 1))
    reading.resolve([assignment('older', 2), assignment('newer', 4), assignment('same', 1)])
    await until(() => agent.told.includes('synced'))
    expect(agent.told.slice(1, -1).sort()).toEqual(['newer@5', 'older@2', 'same@1', 'unknown@1'])
  })

  test('brings thousands of assignments to an agent', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => assignment(`c${index}`))
    bench = await relayBench({ reports: memoryReports(() => many).reports })
    const agent = fakeHost()
    await bench.agent(agent.host)
    await until(() => agent.told.includes('synced'), 'all is told', 15_000)
    expect(agent.told).toHaveLength(5002)
  })

  test('reports in order; states and steps go on together, all else waits for them', async () => {
    const { reports, seen } = memoryReports()
    let [begun, atOnce, most, left] = [0, 0, 0, -1]
    const slow = {
      ...reports,
      observed: async (_: unknown, id: ContainerId) => {
        seen.push(`${id} ${begun}`)
        begun += 1
        atOnce += 1
        most = Math.max(most, atOnce)
        await sleep(Math.random() * 40)
        atOnce -= 1
      },
      engine: async () => {
        left = atOnce
        seen.push('engine')
      },
    }
    bench = await relayBench({ reports: slow })
    const agent = fakeHost()
    await bench.agent(agent.host)
    for (let i = 0; i < 500; i += 1) agent.send(observed(`c${i}`))
    agent.send({
      kind: 'step',
      id: 'x' as ContainerId,
      version: 1,
      step: 'start',
      startedAt: 1,
      finishedAt: 2,
      error: null,
    })
    agent.send({ kind: 'engine', up: false, reason: 'stopped' })
    await until(() => seen.length === 503)
    expect(seen.slice(1)).toEqual([...Array.from({ length: 500 }, (_, i) => `c${i} ${i}`), 'step start', 'engine'])
    // They were bounded, and none was under way any more when it mattered.
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(256)
    expect(left).toBe(0)
  })

  test('takes new facts within the session', async () => {
    const { reports, seen } = memoryReports(() => [assignment('a')])
    bench = await relayBench({ reports })
    const agent = fakeHost()
    await bench.agent(agent.host)
    agent.send({ kind: 'hello', facts })
    await until(() => agent.told.length === 4)
    expect(agent.told).toEqual(['session', 'a@1', 'synced', 'a@1'])
    expect(seen).toEqual([`connected ${hostId}`, `connected ${hostId}`])
  })

  test('is ended by a bad message, with a line in the log, and a new one begins', async () => {
    const { reports, seen } = memoryReports()
    bench = await relayBench({ reports })
    const agent = fakeHost()
    await bench.agent(agent.host)
    agent.send({ kind: 'observed', id: 'x' } as unknown as AgentMessage)
    await until(() => seen.length === 3)
    expect(seen).toEqual([`connected ${hostId}`, `disconnected ${hostId}`, `connected ${hostId}`])
    expect(bench.log.messages.join('\n')).toContain('bad message')
  })

  test('is ended by a report that fails, so that the next one tells everything again', async () => {
    const { reports, seen } = memoryReports()
    bench = await relayBench({ reports: { ...reports, engine: () => Promise.reject(new Error('database away')) } })
    const agent = fakeHost()
    await bench.agent(agent.host)
    agent.send({ kind: 'engine', up: true, reason: '' })
    await until(() => agent.told.filter((line) => line === 'session').length === 2)
    await until(() => seen.length === 3)
    expect(bench.log.messages.join('\n')).toContain('database away')
  })

  test('is ended at once by what was under way when it failed, also if nothing is said any more', async () => {
    const { reports } = memoryReports()
    const writing = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    let tries = 0
    const report = () => {
      tries += 1
      begun.resolve()
      return tries === 1 ? writing.promise : Promise.resolve()
    }
    bench = await relayBench({ reports: { ...reports, observed: report } })
    const agent = fakeHost()
    await bench.agent(agent.host)
    agent.send(observed('a'))
    await begun.promise
    // The link waits for the next message by then.
    await sleep(50)
    writing.reject(new Error('disk full'))
    await until(() => agent.told.filter((line) => line === 'session').length === 2)
    expect(bench.log.messages.join('\n')).toContain('disk full')
  })

  test('ends with the agent: reported once, and the host is unreachable', async () => {
    const { reports, seen } = memoryReports()
    bench = await relayBench({ reports })
    const stop = new AbortController()
    const { running } = await bench.agent(fakeHost().host, { signal: stop.signal })
    stop.abort()
    await running
    await until(() => seen.length === 2)
    expect(seen).toEqual([`connected ${hostId}`, `disconnected ${hostId}`])
    expect(bench.relay.links.connected(hostId)).toBe(false)
    expect(bench.relay.connectedCount()).toBe(0)
    expect(() => bench.relay.links.calls(hostId)).toThrow(expect.objectContaining({ code: 'host.unreachable' }))
  })
})

describe('after a break', () => {
  test('of the relay, the agent comes back and gets a full sync', async () => {
    const { reports, seen } = memoryReports(() => [assignment('a')])
    bench = await relayBench({ reports })
    const agent = fakeHost()
    await bench.agent(agent.host)
    await until(() => agent.told.length === 3)
    await bench.restart()
    await until(() => agent.told.length === 6)
    expect(agent.told).toEqual(['session', 'a@1', 'synced', 'session', 'a@1', 'synced'])
    expect(seen).toEqual([`connected ${hostId}`, `disconnected ${hostId}`, `connected ${hostId}`])
  })

  test('of a line that nobody closed, a second connection replaces the first at once', async () => {
    const { reports, seen } = memoryReports()
    bench = await relayBench({ reports, keepaliveMs: 60_000 })
    const line = await unreliableLine(bench.relay.port)
    await bench.agent(fakeHost().host, { dial: dialTcp({ host: '127.0.0.1', port: line.port }) })
    line.freeze()
    const second = fakeHost()
    await bench.agent(second.host)
    await until(() => seen.length === 3, 'the second is connected', 3000)
    expect(seen).toEqual([`connected ${hostId}`, `disconnected ${hostId}`, `connected ${hostId}`])
    expect(bench.relay.connectedCount()).toBe(1)
    await expect(bench.relay.links.calls(hostId).stats({ id: 'x' as ContainerId }, { signal })).rejects.toMatchObject({
      code: 'request.unsupported',
    })
    line.close()
  })

  test('that both ends noticed, the next session begins when the last report of the one before is made', async () => {
    const { reports, seen } = memoryReports()
    const store = Promise.withResolvers<void>()
    let begun = false
    const slow = () => {
      begun = true
      return store.promise
    }
    bench = await relayBench({ reports: { ...reports, observed: slow } })
    const line = await unreliableLine(bench.relay.port)
    const agent = fakeHost()
    await bench.agent(agent.host, { dial: dialTcp({ host: '127.0.0.1', port: line.port }) })
    agent.send(observed('c'))
    await until(() => begun)
    line.cut()
    await until(() => bench.relay.connectedCount() === 0)
    await until(() => agent.told.length === 3, 'the agent is back')
    await sleep(50)
    expect(seen).toEqual([`connected ${hostId}`])
    store.resolve()
    await until(() => bench.relay.connectedCount() === 1, 'the second is connected')
    expect(seen).toEqual([`connected ${hostId}`, `disconnected ${hostId}`, `connected ${hostId}`])
    line.close()
  })

  test('when replaced, streams under way on the old session run to their end', async () => {
    bench = await relayBench()
    const output = new PassThrough()
    const first = fakeHost({
      archiveGet: async () => ({ reply: { name: 'x', size: 1, mode: 1, mtime: '', linkTarget: '' }, output }),
    })
    const stop = new AbortController()
    await bench.agent(first.host, { signal: stop.signal })
    const call = await bench.relay.links.calls(hostId).archiveGet({ id: 'x' as ContainerId, path: '/' }, { signal })
    output.write('before ')
    const second = fakeHost()
    await bench.agent(second.host)
    await until(() => second.told.includes('synced'))
    output.end('after')
    expect(await text(call.output as Readable)).toBe('before after')
    stop.abort()
  })
})

describe('a certificate', () => {
  test("of another CA, one that has ended, and one that is not an agent's are refused", async () => {
    bench = await relayBench()
    const other = await relayBench()
    const foreign = { ...(await credentialsFrom(other.ca)), ca: bench.ca.certificate }
    const server = await bench.ca.issueServer(['x'])
    const notAnAgent = { ...(await credentialsFrom(bench.ca)), ...server }
    const { key, csr } = await createRequest('x')
    const ofUser = { ...(await credentialsFrom(bench.ca)), ...(await bench.ca.signUser(csr, hostId)), key }
    const agents = [fakeHost(), fakeHost(), fakeHost()] as const
    for (const [index, credentials] of [foreign, notAnAgent, ofUser].entries()) {
      void bench.agent((agents[index] as (typeof agents)[0]).host, { credentials, wait: false })
    }
    await until(() => bench.log.messages.filter((line) => line.startsWith('connection refused')).length >= 6)
    expect(agents.flatMap((agent) => agent.told)).toEqual([])
    expect(bench.relay.connectedCount()).toBe(0)
    await other.close()
  })

  test('that has ended is refused by the relay even if the agent believes in it', async () => {
    bench = await relayBench()
    const credentials = await credentialsFrom(bench.ca, hostId, 2000)
    const began = Date.now()
    const stopped = { now: () => began }
    await sleep(2100)
    const agent = fakeHost()
    void bench.agent(agent.host, { credentials, clock: stopped, wait: false })
    await until(() => bench.log.messages.some((line) => line.startsWith('connection refused')))
    expect(agent.told).toEqual([])
  })

  test('that has ended stops the agent with a sentence', async () => {
    bench = await relayBench()
    const credentials = await credentialsFrom(bench.ca, hostId, -1000)
    const { running } = await bench.agent(fakeHost().host, { credentials, wait: false })
    await expect(running).rejects.toMatchObject({ code: 'agent.certificate-ended' })
  })

  test('is renewed within the session, which goes on, and the next session uses the new one', async () => {
    const { reports, seen } = memoryReports()
    // Five minutes of its life lie in the past, so two thirds are over at once.
    bench = await relayBench({ reports, sign: (csr, id) => bench.ca.signAgent(csr, id, 3_600_000) })
    const credentials = await credentialsFrom(bench.ca, hostId, 3000)
    const stored: string[] = []
    const agent = fakeHost()
    await bench.agent(agent.host, { credentials, renewed: async (next) => void stored.push(next.certificate) })
    await until(() => stored.length === 1)
    expect(stored[0]).not.toBe(credentials.certificate)
    await sleep(3200)
    expect(seen).toEqual([`connected ${hostId}`])
    expect(bench.relay.links.connected(hostId)).toBe(true)
    await bench.restart()
    await until(() => bench.relay.links.connected(hostId))
  })

  test('that is not renewed ends the session with it', async () => {
    const { reports, seen } = memoryReports()
    bench = await relayBench({ reports, sign: () => Promise.reject(new Error('host removed')) })
    const credentials = await credentialsFrom(bench.ca, hostId, 2500)
    const { running } = await bench.agent(fakeHost().host, { credentials })
    await expect(running).rejects.toMatchObject({ code: 'agent.certificate-ended' })
    await until(() => seen.length === 2)
  })
})
