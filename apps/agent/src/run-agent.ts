import { readFile } from 'node:fs/promises'
import { backoff, Fault, reasonOf, systemClock } from '@gantry/kernel'
import { createHost } from '@gantry/host'
import {
  type AgentHost,
  type Credentials,
  enrol,
  lifetimeOf,
  registryDial,
  type Roster,
  runAgentSession,
} from '@gantry/wire'
import type { Logger } from 'pino'
import { type CredentialFile, credentialFile } from './credential-file.ts'
import { findEngine } from './find-engine.ts'
import { readFuxiOptions } from './fuxi-options.ts'
import { readKuryrOptions } from './kuryr-options.ts'
import { type AgentOptions, UsageError } from './options.ts'
import { serverList } from './server-list.ts'

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
export async function runAgent({ options: asked, version, log, onReady, signal }: RunAgent): Promise<void> {
  const options = { ...asked, engineSocket: asked.engineSocket ?? (await findEngine(process.env)) }
  const roster = await serverList(options.stateDir, options.servers, log)
  const { dial } = roster
  const file = credentialFile(options.stateDir)
  const credentials = await join(options, roster, file, log, signal)
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
    portWaitMs: options.portWait * 1000,
    neutronHost: options.neutronHost,
    ...(options.storageAddress !== null && { storageAddress: options.storageAddress }),
    ...(options.nested !== null && { nested: options.nested }),
    stateDir: options.stateDir,
    dialRegistry: registryDial({ dial, credentials: () => newest }),
    ...(options.engineNetns !== null && { engineNetns: options.engineNetns }),
    clock: systemClock,
    log,
  })
  const plugins: Plugin[] = []
  const close = () => Promise.all([host, ...plugins].map((each) => each.close()))
  try {
    for (const start of [kuryrBeside, fuxiBeside]) plugins.push(...(await start(options, log)))
  } catch (error) {
    await close()
    throw error
  }
  try {
    const renewed = (next: Credentials) => {
      newest = next
      return file.save(next)
    }
    await runAgentSession({ dial, roster, credentials, renewed, host: announced(host, onReady), log, signal })
  } finally {
    await close()
  }
}

/** Docker's network plugin for the same engine and the same Neutron host, if it is wished for. */
async function kuryrBeside(options: FoundOptions, log: Logger): Promise<Plugin[]> {
  const { kuryr, engineSocket, engineNetns, neutronHost, nested, portWait } = options
  if (kuryr === null) return []
  const { startKuryr } = await import('./run-kuryr.ts')
  const usual = readKuryrOptions(['--docker-socket', engineSocket, '--neutron-host', neutronHost], {})
  const settings = { ...usual, ...kuryr, nested, engineNetns, portWaitMs: portWait * 1000 }
  return [await startKuryr(settings, {}, log)]
}

/** Docker's volume plugin for the same engine, if it is wished for. */
async function fuxiBeside({ fuxiFile, engineSocket, stateDir, name }: FoundOptions, log: Logger): Promise<Plugin[]> {
  if (fuxiFile === null) return []
  const { startFuxi } = await import('./run-fuxi.ts')
  const args = ['--cloud', fuxiFile, '--docker-socket', engineSocket, '--state', `${stateDir}/fuxi`, '--host', name]
  return [await startFuxi(readFuxiOptions(args, {}), {}, log)]
}

type FoundOptions = AgentOptions & { readonly engineSocket: string }

interface Plugin {
  close(): Promise<void>
}

/** The credentials of an earlier run, or new ones for the join token. */
async function join(
  options: AgentOptions,
  roster: Roster,
  file: CredentialFile,
  log: Logger,
  signal: AbortSignal,
): Promise<Credentials> {
  const { name, stateDir } = options
  const joinToken = await tokenOf(options)
  const stored = await file.load()
  if (stored && (joinToken === null || lifetimeOf(stored).endsAt > systemClock.now())) return stored
  if (joinToken === null) {
    const asked = options.joinTokenFile
      ? `${options.joinTokenFile}, where the join token for the first start should be, is not there or empty. gantry hosts join-token makes one.`
      : 'give a join token for the first start (--token-file, or GANTRY_JOIN_TOKEN), as gantry hosts join-token makes it.'
    throw new UsageError(`${stateDir} holds no host key yet: ${asked}`)
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      const credentials = await enrol({ dial: roster.dial, token: joinToken, hostname: name, signal })
      await file.save(credentials)
      log.info({ host: credentials.hostId }, 'joined')
      return credentials
    } catch (error) {
      // A refusal stays one; a server that is not there yet may come.
      if (error instanceof Fault && !error.retry) throw error
      signal.throwIfAborted()
      log.warn({ reason: reasonOf(error) }, 'cannot join yet')
      if (!roster.moveOn()) await backoff(attempt, { baseMs: 100, maxMs: 10_000 }, signal)
    }
  }
}

/** A token file may be gone once the host has its key. */
async function tokenOf({ joinToken, joinTokenFile }: AgentOptions): Promise<string | null> {
  if (joinToken !== null || joinTokenFile === null) return joinToken
  const text = await readFile(joinTokenFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new UsageError(`The join token cannot be read: ${error.message}`)
  })
  return text === null || text.trim() === '' ? null : text.trim()
}

/** `host`, telling once that a relay has sent everything. */
function announced(host: AgentHost, onReady: () => void): AgentHost {
  let ready = false
  return {
    facts: () => host.facts(),
    calls: host.calls,
    ...(host.holds && { holds: host.holds }),
    session: (send, signal, ping) => {
      const take = host.session(send, signal, ping)
      return (message) => {
        take(message)
        if (message.kind !== 'synced' || ready) return
        ready = true
        onReady()
      }
    },
  }
}
