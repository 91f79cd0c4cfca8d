import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { dialTcp } from './dial.ts'
import { createRelay, type Relay } from './relay.ts'
import { Roster } from './roster.ts'
import { parseFromAgent, parseFromRelay } from './session-messages.ts'
import {
  assignment,
  credentialsFrom,
  fakeHost,
  hostId,
  memoryLog,
  memoryReports,
  temporaryCa,
  until,
} from './test-harness.ts'
import { runAgentSession } from './agent-session.ts'

const rosterOf = (named: readonly string[], told: readonly string[] = [], kept: string[][] = []) =>
  new Roster({
    named,
    told,
    dialTo: (address) => {
      const [host = '', port] = address.split(':')
      return dialTcp({ host, port: Number(port) }, 500)
    },
    keep: (addresses) => kept.push([...addresses]),
  })

describe('a roster', () => {
  test('has each server once in a round, the lost one last, and only then says that it is time to wait', () => {
    const names = fc.uniqueArray(fc.constantFrom('a:1', 'b:1', 'c:1', 'd:1', 'e:1'), { minLength: 2 })
    fc.assert(
      fc.property(names, names, fc.nat(20), (named, told, before) => {
        const roster = rosterOf(named, told)
        for (let at = 0; at < before; at += 1) roster.moveOn()
        roster.settled()
        const lost = roster.turn
        const seen: string[] = []
        while (roster.moveOn()) seen.push(roster.turn)
        expect([...seen].sort()).toEqual([...new Set([...named, ...told])].sort())
        expect(seen.at(-1)).toBe(lost)
      }),
    )
  })

  test('of one server always waits', () => {
    const roster = rosterOf(['a:1'])
    expect([roster.turn, roster.moveOn(), roster.moveOn(), roster.turn]).toEqual(['a:1', false, false, 'a:1'])
  })

  test('keeps what it was told when that is new, and never forgets what was named', () => {
    const kept: string[][] = []
    const roster = rosterOf(['a:1'], [], kept)
    roster.heard(['b:1', 'c:1'])
    roster.heard(['c:1', 'b:1'])
    roster.heard([])
    roster.heard(['c:1'])
    expect(kept).toEqual([['b:1', 'c:1'], ['c:1']])
    roster.settled()
    roster.moveOn()
    expect(roster.turn).toBe('c:1')
  })
})

describe('an agent of several servers', () => {
  const ending: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end()
  })

  /** Two relays of one cloud, and an agent that was told of the first alone. */
  async function pair(assigned = () => [assignment('a')]) {
    const ca = await temporaryCa()
    const certificate = await ca.issueServer(['localhost'])
    const log = memoryLog()
    const relays: Relay[] = []
    const addresses = () => relays.map(({ port }) => `127.0.0.1:${port}`)
    const seen: string[][] = []
    const start = async () => {
      const { reports, seen: mine } = memoryReports(assigned)
      seen.push(mine)
      const relay = await createRelay({
        ...certificate,
        listen: { host: '127.0.0.1', port: 0 },
        ca: ca.certificate,
        reports,
        enrol: async () => ({ hostId, deployment: 'test' }),
        sign: (csr, id) => ca.signAgent(csr, id),
        servers: addresses,
        log,
      })
      relays.push(relay)
      ending.push(() => relay.close())
      return relay
    }
    const [first, second] = [await start(), await start()]
    const agent = fakeHost()
    const kept: string[][] = []
    const roster = rosterOf([`127.0.0.1:${first.port}`], [], kept)
    const stop = new AbortController()
    const running = runAgentSession({
      dial: roster.dial,
      roster,
      credentials: await credentialsFrom(ca),
      renewed: async () => undefined,
      host: agent.host,
      log,
      signal: stop.signal,
    })
    ending.push(async () => {
      stop.abort()
      await running
    })
    await until(() => agent.told.includes('synced'))
    return { first, second, start, agent, seen, kept, addresses }
  }
  const sessionsOf = (told: readonly string[]) => told.filter((word) => word === 'session').length

  test('is told of the others, and goes to one within a second or so when its own dies', async () => {
    const { first, second, agent, kept, addresses } = await pair()
    expect(kept).toEqual([addresses()])
    const began = performance.now()
    await first.close()
    await until(() => second.links.connected(hostId))
    expect(performance.now() - began).toBeLessThan(2000)
    expect(sessionsOf(agent.told)).toBe(2)
  })

  test('is sent away by a draining one without losing a report, and not let in there again', async () => {
    const { first, second, agent, seen } = await pair()
    for (let at = 0; at < 200; at += 1) {
      agent.send({ kind: 'engine', up: true, reason: '' })
      if (at === 100) void first.drain(0, AbortSignal.timeout(5000))
    }
    await first.drain(0, AbortSignal.timeout(5000))
    await until(() => second.links.connected(hostId))
    expect(seen[0]?.filter((word) => word === 'engine true')).toHaveLength(200)
    expect(seen[0]?.at(-1)).toBe(`disconnected ${hostId}`)
    await second.close()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(first.connectedCount()).toBe(0)
  })

  test('hears of servers that come', async () => {
    const { first, start, kept, addresses } = await pair()
    await start()
    first.serversChanged()
    await until(() => kept.length === 2)
    expect(kept.at(-1)).toEqual(addresses())
    expect(addresses()).toHaveLength(3)
  })
})

test('either end of a session passes over messages of a kind that only a newer version knows', () => {
  const line = JSON.stringify({ kind: 'of-a-newer-version', more: 1 })
  expect([parseFromRelay(line), parseFromAgent(line)]).toEqual([null, null])
  expect(() => parseFromRelay(JSON.stringify({ kind: 'assign' }))).toThrow('bad message')
})
