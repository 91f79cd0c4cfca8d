import { backoff, Fault, reasonOf, systemClock } from '@gantry/kernel'
import { createHost } from '@gantry/host'
import {
  type AgentHost,
  type Credentials,
  dialTcp,
  enrol,
  lifetimeOf,
  registryDial,
  runAgentSession,
} from '@gantry/wire'
import type { Logger } from 'pino'
import { type CredentialFile, credentialFile } from './credential-file.ts'
import { type AgentOptions, UsageError } from './options.ts'

export interface RunAgent {
  readonly options: AgentOptions
  readonly version: string
  readonly log: Logger
  /** The first session has all assignments. Called once. */
  readonly onReady: () => void
  /** Ends the agent; containers go on. */
  readonly signal: AbortSignal
}

/** One agent's life: joins if it must, then keeps its engine as its server wishes until the signal is aborted. */
export async function runAgent({ options, version, log, onReady, signal }: RunAgent): Promise<void> {
  const dial = dialTcp(options.server)
  const file = credentialFile(options.stateDir)
  const credentials = await join(options, file, log, signal)
  let newest = credentials
  const host = createHost({
    socketPath: options.engineSocket,
    // With the host's id, so that two agents of one cloud on one engine never take each other's containers for orphans.
    deployment: `${credentials.deployment}/${credentials.hostId}`,
    name: options.name,
    labels: options.labels,
    agentVersion: version,
    allowPrivileged: options.allowPrivileged,
    startsAtOnce: options.startsAtOnce,
    stateDir: options.stateDir,
    dialRegistry: registryDial({ dial, credentials: () => newest }),
    ...(options.engineNetns !== null && { engineNetns: options.engineNetns }),
    clock: systemClock,
    log,
  })
  try {
    const renewed = (next: Credentials) => {
      newest = next
      return file.save(next)
    }
    await runAgentSession({ dial, credentials, renewed, host: announced(host, onReady), log, signal })
  } finally {
    await host.close()
  }
}

/** The credentials of an earlier run, or new ones for the join token. */
async function join(
  { server, joinToken, name, stateDir }: AgentOptions,
  file: CredentialFile,
  log: Logger,
  signal: AbortSignal,
): Promise<Credentials> {
  const stored = await file.load()
  if (stored && (joinToken === null || lifetimeOf(stored).endsAt > systemClock.now())) return stored
  if (joinToken === null) {
    throw new UsageError(
      `${stateDir} holds no host key yet: put a join token in GANTRY_JOIN_TOKEN for the first start.`,
    )
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      const credentials = await enrol({ dial: dialTcp(server), token: joinToken, hostname: name, signal })
      await file.save(credentials)
      log.info({ host: credentials.hostId }, 'joined')
      return credentials
    } catch (error) {
      // A refusal stays one; a server that is not there yet may come.
      if (error instanceof Fault && !error.retry) throw error
      signal.throwIfAborted()
      log.warn({ reason: reasonOf(error) }, 'cannot join yet')
      await backoff(attempt, { baseMs: 100, maxMs: 10_000 }, signal)
    }
  }
}

/** `host`, telling once that a relay has sent everything. */
function announced(host: AgentHost, onReady: () => void): AgentHost {
  let ready = false
  return {
    facts: () => host.facts(),
    calls: host.calls,
    session: (send, signal) => {
      const take = host.session(send, signal)
      return (message) => {
        take(message)
        if (message.kind !== 'synced' || ready) return
        ready = true
        onReady()
      }
    },
  }
}
