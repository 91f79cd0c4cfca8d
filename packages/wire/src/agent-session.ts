import { createRequest } from '@gantry/ca'
import { setTimeout as sleep } from 'node:timers/promises'
import { backoff, type Clock, Fault, faultFrom, reasonOf, systemClock } from '@gantry/kernel'
import { type AgentConnection, connectAgent } from './agent-connection.ts'
import type { AgentHost } from './agent-host.ts'
import { compileCalls } from './call-checks.ts'
import { type Credentials, lifetimeOf } from './credentials.ts'
import type { Dial } from './dial.ts'
import type { Log } from './log.ts'
import type { Roster } from './roster.ts'

const longestTimer = 2 ** 31 - 1
const keepaliveMs = 15_000
/** Where there is another server to go to, a silent one is given up sooner. */
const impatientMs = 4000

/** How a session was over, and the longest wait, in milliseconds, before the next server is dialled. Of a dead one all agents come at once. */
const longestPause = { letGo: 50, broken: 1000, refused: 100 }

export interface AgentSessionOptions {
  readonly dial: Dial
  /** The servers, if there may be several; `dial` is its own then. */
  readonly roster?: Roster
  readonly credentials: Credentials
  /** The certificate was renewed: these replace the old ones, and must be stored. */
  readonly renewed: (credentials: Credentials) => Promise<void>
  readonly host: AgentHost
  readonly log: Log
  /** Ends it. */
  readonly signal: AbortSignal
  /** Between two pings, milliseconds; 15 s unless told, 4 s if there are several servers. */
  readonly keepaliveMs?: number
  /** A session that lasted so long starts the back-off anew, milliseconds; 10 s unless told. */
  readonly stableMs?: number
  readonly clock?: Clock
  /** A number in [0, 1); `Math.random` unless told. */
  readonly random?: () => number
}

/**
 * Keeps a host connected with a relay until the signal is aborted: dials, serves, and dials again, the next server soon, and after a
 * round through all of them with a jittered wait of 200 ms to 10 s. Renews the certificate at two thirds of its life, within the running session. Rejects with
 * `agent.certificate-ended` if it has ended, since nothing but a new token helps then.
 */
export async function runAgentSession(options: AgentSessionOptions): Promise<void> {
  const { log, signal, roster, stableMs = 10_000, clock = systemClock, random = Math.random } = options
  const checks = compileCalls()
  let credentials = options.credentials
  for (let attempt = 0; !signal.aborted; ) {
    const { endsAt } = lifetimeOf(credentials)
    if (endsAt <= clock.now()) {
      throw new Fault('agent.certificate-ended', { host: credentials.hostId, at: new Date(endsAt).toISOString() })
    }
    const startedAt = clock.now()
    let ending: keyof typeof longestPause = 'refused'
    try {
      const connection = await connectAgent({
        ...options,
        credentials,
        checks,
        keepaliveMs: options.keepaliveMs ?? (roster?.several ? impatientMs : keepaliveMs),
        heardServers: (addresses) => roster?.heard(addresses),
        synced: () => roster?.settled(),
      })
      ending = 'broken'
      log.info({ host: credentials.hostId }, 'connected')
      const stopRenewing = keepRenewed(connection, credentials, clock, log, async (next) => {
        credentials = next
        await options.renewed(next)
      })
      await connection.closed.finally(stopRenewing)
      ending = 'letGo'
      log.info({ host: credentials.hostId }, 'disconnected')
    } catch (error) {
      if (signal.aborted) return
      log.warn({ host: credentials.hostId, reason: reasonOf(error) }, 'session failed')
    }
    if (clock.now() - startedAt >= stableMs) attempt = 0
    if (roster?.moveOn()) await sleep(random() * longestPause[ending], undefined, { signal }).catch(() => {})
    else await backoff(attempt++, { baseMs: 200, maxMs: 10_000 }, signal).catch(() => {})
  }
}

/** Renews over this connection whenever it is due; a failed try is repeated after a tenth of what is left. */
function keepRenewed(
  connection: AgentConnection,
  first: Credentials,
  clock: Clock,
  log: Log,
  store: (credentials: Credentials) => Promise<void>,
): () => void {
  let credentials = first
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const plan = (at: number) => {
    if (stopped) return
    timer = setTimeout(check, Math.min(longestTimer, Math.max(0, at - clock.now())), at)
  }
  const check = (at: number) => {
    if (clock.now() < at) return plan(at)
    renew().then(plan, (error: unknown) => {
      log.warn({ host: credentials.hostId, reason: reasonOf(error) }, 'certificate not renewed yet')
      const left = lifetimeOf(credentials).endsAt - clock.now()
      plan(clock.now() + Math.max(1000, left / 10))
    })
  }
  const renew = async () => {
    const { key, csr } = await createRequest(credentials.hostId)
    const answer = await connection.renew(csr)
    if (answer.kind === 'fault') throw faultFrom(answer.fault)
    credentials = { ...credentials, key, certificate: answer.certificate }
    await store(credentials)
    log.info({ host: credentials.hostId }, 'certificate renewed')
    return lifetimeOf(credentials).renewAt
  }
  plan(lifetimeOf(credentials).renewAt)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
