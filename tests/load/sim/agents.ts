/**
 * A process with some of the simulated agents: each joins the cloud with a token of its own and holds its session, by the code of
 * the real agent. It is forked by `fleet.ts`, told what to do by one message, and tells its counts.
 */
import { limiter } from '@gantry/kernel'
import { type AgentHost, type Credentials, dialTcp, enrol, Roster, runAgentSession } from '@gantry/wire'
import { noCounts, simHost } from './sim-host.ts'

export interface Orders {
  /** One for each host. */
  readonly tokens: readonly string[]
  readonly first: number
  /** Containers that each host has room for. */
  readonly room: number
  /** `HOST:PORT` of each server. */
  readonly servers: readonly string[]
}

const silent = { info() {}, warn() {}, error() {} }
const enrolAtOnce = 8
const counts = noCounts()
const ending = new AbortController()
let joined = 0

process.once('message', (orders: Orders) => {
  setInterval(() => process.send?.({ ...counts, joined }), 250).unref()
  const joining = limiter(enrolAtOnce)
  orders.tokens.forEach((token, index) => {
    void joining(() => join(orders, token, orders.first + index)).catch(fail)
  })
})
process.once('disconnect', () => {
  ending.abort()
  process.exit(0)
})

async function join({ servers, room }: Orders, token: string, number: number): Promise<void> {
  const hostname = `sim-${number}`
  const home = servers[number % servers.length] ?? ''
  const credentials = await enrol({ dial: dialTo(home), token, hostname })
  joined += 1
  void hold(servers, credentials, simHost(hostname, room, counts)).catch(fail)
}

function hold(servers: readonly string[], credentials: Credentials, host: AgentHost): Promise<void> {
  const roster = new Roster({ named: servers, told: [], dialTo, keep: () => {} })
  return runAgentSession({
    dial: roster.dial,
    roster,
    credentials,
    renewed: async () => {},
    host,
    log: silent,
    signal: ending.signal,
  })
}

function dialTo(address: string) {
  const { hostname: host, port } = new URL(`tcp://${address}`)
  return dialTcp({ host, port: Number(port) })
}

function fail(error: unknown): void {
  console.error(error)
  process.exit(1)
}
