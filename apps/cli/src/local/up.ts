import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { productVersion, reasonOf, systemClock } from '@gantry/kernel'
import { logIn, readOpenrc } from './cloud.ts'
import { findEngine, type FoundEngine, runningEngine } from './engine/find-engine.ts'
import { engineLog } from './engine/own-engine.ts'
import { type Home, homeAt, prepareHome } from './home.ts'
import { keepOwnEngine } from './keep-engine.ts'
import { HomeLock } from './lock.ts'
import { boundLogs } from './log-file.ts'
import { checkPlatform } from './platform.ts'
import { frugalEnv, programFile } from './programs.ts'
import { checkPortFree, type HostPort, parseListen } from './ports.ts'
import { isBesideOpenStack, operatorOf } from './operator.ts'
import { processId } from './process-id.ts'
import { freePublicCidr } from './public-cidr.ts'
import type { Progress } from './progress.ts'
import { publishSampleImage } from './publish-image.ts'
import { findSample, runSample, type Sample } from './sample.ts'
import { hasSampleImage, provideSampleImage } from './sample-image.ts'
import { Service } from './service.ts'
import { clearState, type UpState, writeState } from './state.ts'
import { sampleLines, summaryLines } from './summary.ts'

export interface UpOptions {
  readonly home?: string
  readonly listen: string
  /** By which other machines reach this one: they go into its certificate. */
  readonly name?: readonly string[]
  readonly engine?: string
  readonly sample: boolean
}

export interface UpParts {
  /** Programs to run; tests put fakes here. */
  readonly serverModule: string
  readonly agentModule: string
  readonly env: NodeJS.ProcessEnv
  readonly detached: boolean
  /** Everything serves and the summary has been shown. */
  readonly onReady: (state: UpState) => void
}

export function realParts(env: NodeJS.ProcessEnv): Pick<UpParts, 'serverModule' | 'agentModule' | 'env'> {
  return { serverModule: programFile('server', env), agentModule: programFile('agent', env), env: frugalEnv(env) }
}

interface ServerReady {
  readonly api: string
  readonly agents: string
  readonly docker: string
  readonly dockerTls: string
  readonly joinToken: string
}

/** The port asked for is the first; the others follow it. */
interface Listens {
  readonly listen: HostPort
  readonly agents: HostPort
  readonly docker: HostPort
  readonly dockerTls: HostPort
}

/**
 * The whole cloud on this machine, until the signal is aborted; then the agent and the server end and containers stay.
 * Throws `machine.unfit` if something is missing, and leaves nothing running then.
 */
export async function up(options: UpOptions, parts: UpParts, progress: Progress, signal: AbortSignal): Promise<void> {
  checkPlatform()
  const home = homeAt(options.home, parts.env)
  const listen = parseListen(options.listen, '--listen')
  const above = (offset: number): HostPort => ({ host: listen.host, port: listen.port + offset })
  const listens = { listen, agents: above(2), docker: above(3), dockerTls: above(4) }
  await prepareHome(home)
  await using _lock = await HomeLock.take(home)
  for (const address of Object.values(listens)) await checkPortFree(address, '--listen')
  using _logs = boundLogs([serverLog(home), agentLog(home), engineLog(home), join(home.logs, 'up.log')])

  const report = reporter(home, progress, parts.detached)
  await using server = serverOf(home, { ...listens, names: options.name ?? [] }, parts, report)
  const { engine, serving } = await serverAndEngine(home, server, options, parts, progress, signal)
  report.set({ engine: { socket: engine.socket, own: engine.own, kind: engine.kind, version: engine.version } })
  await using agent = agentOf(home, engine, parts, report)
  await progress.step(
    `Agent of ${hostname()}`,
    () => agent.start(signal),
    () => `Agent of ${hostname()} connected`,
  )

  using stopping = abortWith(signal)
  const engineKept = engine.own ? keepOwnEngine(home, engine.socket, progress.line, stopping.signal) : Promise.resolve()
  // Beside an OpenStack nobody of ours could run it: its users are the cloud's.
  if (options.sample && !isBesideOpenStack(home)) await showSample(home, engine, serving.api, progress, signal)
  for (const line of summaryLines(home, { ...serving, engine }, parts.detached ? 'background' : 'here'))
    progress.line(line)
  parts.onReady(await report.publish())
  await aborted(signal)
  stopping[Symbol.dispose]()
  await engineKept
  const stop = async (say: (detail: string) => void): Promise<void> => {
    say('the agent ends')
    await agent[Symbol.asyncDispose]()
    say('the server ends')
    await server[Symbol.asyncDispose]()
  }
  await progress.step('Stopping server and agent', stop, () => 'Stopped server and agent')
  await clearState(home)
}

/** The two slow ones side by side. If one fails the other is given up, and the server does not stay. */
async function serverAndEngine(
  home: Home,
  server: Service<ServerReady>,
  options: UpOptions,
  parts: UpParts,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ engine: FoundEngine; serving: ServerReady }> {
  using both = abortWith(signal)
  const find = { asked: options.engine, env: parts.env }
  const giveUp = (error: unknown): never => {
    both[Symbol.dispose]()
    throw error
  }
  const engine = progress
    .step(
      'Looking for an engine',
      () => runningEngine(home, find, both.signal),
      (found) => (found ? `Engine ${found.kind} ${found.version} at unix://${found.socket}` : 'No running engine'),
    )
    .then(() => findEngine(home, find, progress, both.signal))
    .catch(giveUp)
  const serving = progress
    .step(
      'Server',
      () => server.start(both.signal),
      (ready) => `Server at ${ready.api}`,
    )
    .catch(giveUp)
  const results = await Promise.allSettled([engine, serving])
  signal.throwIfAborted()
  // The first to fail is the cause; the other one only says that it was given up.
  const [found, served] = results
  if (found.status === 'rejected' && !isGivenUp(found.reason)) throw found.reason
  if (served.status === 'rejected') throw served.reason
  if (found.status === 'rejected') throw found.reason
  return { engine: found.value, serving: served.value }
}

async function showSample(
  home: Home,
  engine: FoundEngine,
  api: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  try {
    const cloud = await logIn(readOpenrc(home.openrc), api, signal)
    const sample = (await findSample(cloud, signal)) ?? (await newSample(engine, cloud, progress, signal))
    for (const line of sampleLines(sample)) progress.line(line)
    if (await hasSampleImage(engine.socket, signal)) {
      await publishSampleImage(await logIn(readOpenrc(home.openrcAdmin), api, signal), hostname(), signal)
    }
  } catch (error) {
    signal.throwIfAborted()
    // The cloud works without its sample; a person is told and can go on.
    progress.line(`! The sample container could not be shown: ${reasonOf(error)}`)
  }
}

async function newSample(
  engine: FoundEngine,
  cloud: Awaited<ReturnType<typeof logIn>>,
  progress: Progress,
  signal: AbortSignal,
): Promise<Sample> {
  if (!(await hasSampleImage(engine.socket, signal))) {
    await progress.step(
      'Sample image busybox:latest',
      (say) => provideSampleImage(engine.socket, say, signal),
      (how) => `Sample image busybox:latest ${how}`,
    )
  }
  return await progress.step(
    'Running a container as user demo',
    (say) => runSample(cloud, say, signal),
    () => 'Container hello run by user demo through the OpenStack API',
  )
}

const serverLog = (home: Home): string => join(home.logs, 'server.log')
const agentLog = (home: Home): string => join(home.logs, 'agent.log')

function serverOf(
  home: Home,
  { listen, agents, docker, dockerTls, names }: Listens & { names: readonly string[] },
  parts: UpParts,
  report: Reporter,
): Service<ServerReady> {
  return new Service<ServerReady>({
    name: 'server',
    module: parts.serverModule,
    args: () => [
      '--home',
      home.root,
      '--listen',
      textOf(listen),
      '--agents-listen',
      textOf(agents),
      '--docker-listen',
      textOf(docker),
      '--docker-tls-listen',
      textOf(dockerTls),
      '--public-cidr',
      freePublicCidr(networkInterfaces()),
      ...names.flatMap((name) => ['--name', name]),
    ],
    env: () => parts.env,
    logFile: serverLog(home),
    startMs: 60_000,
    ready: (message) => {
      const { api, agents, docker, dockerTls, joinToken } = message as Record<keyof ServerReady, unknown>
      if (![api, agents, docker, dockerTls, joinToken].every((value) => typeof value === 'string'))
        throw new Error('its ready message is incomplete.')
      return message as ServerReady
    },
    onReady: (ready, pid) => report.server(ready, pid),
    onDeath: report.death('server'),
  })
}

function agentOf(home: Home, engine: FoundEngine, parts: UpParts, report: Reporter): Service<undefined> {
  let starts = 0
  // A token is good for ten minutes, and a machine that slept for a day finds the agent's certificate ended.
  const joinToken = async (): Promise<string> => {
    starts += 1
    if (starts === 1) return report.joinToken()
    const signal = AbortSignal.timeout(5000)
    const fresh = async () => {
      const operator = await operatorOf(home)
      if (!operator) return report.joinToken()
      return await (await logIn(operator, report.api(), signal)).joinToken(signal)
    }
    return fresh().catch(() => report.joinToken())
  }
  return new Service<undefined>({
    name: 'agent',
    module: parts.agentModule,
    args: () => [
      '--join',
      report.agents(),
      '--state',
      home.agent,
      '--engine',
      `unix://${engine.socket}`,
      '--name',
      hostname(),
    ],
    env: async () => ({ ...parts.env, GANTRY_JOIN_TOKEN: await joinToken() }),
    logFile: agentLog(home),
    startMs: 60_000,
    ready: () => undefined,
    onReady: (_, pid) => report.agent(pid),
    onDeath: report.death('agent'),
  })
}

interface Reporter {
  set(part: Partial<UpState>): void
  server(ready: ServerReady, pid: number): void
  agent(pid: number): void
  death(name: string): (how: string, waitMs: number) => void
  joinToken(): string
  api(): string
  agents(): string
  publish(): Promise<UpState>
}

/** Keeps what `status` reads; written again whenever a restarted child is ready. */
function reporter(home: Home, progress: Progress, detached: boolean): Reporter {
  const supervisor = processId(process.pid) ?? { pid: process.pid, startTicks: 0, boot: '' }
  let token = ''
  let state: UpState = {
    supervisor,
    detached,
    since: systemClock.now(),
    version: productVersion,
    api: '',
    agents: '',
    docker: '',
    dockerTls: '',
    engine: { socket: '', own: false, kind: '', version: '' },
    server: { pid: 0, restarts: -1 },
    agent: { pid: 0, restarts: -1 },
  }
  const again = (name: string, restarts: number): void => {
    if (restarts === 0) return
    progress.line(`✓ The ${name} runs again.`)
    void writeState(home, state).catch((error: unknown) => progress.line(`! ${reasonOf(error)}`))
  }
  return {
    set: (part) => (state = { ...state, ...part }),
    server({ api, agents, docker, dockerTls, joinToken }, pid) {
      token = joinToken
      state = { ...state, api, agents, docker, dockerTls, server: { pid, restarts: state.server.restarts + 1 } }
      again('server', state.server.restarts)
    },
    agent(pid) {
      state = { ...state, agent: { pid, restarts: state.agent.restarts + 1 } }
      again('agent', state.agent.restarts)
    },
    death: (name) => (how, waitMs) =>
      progress.line(`! The ${name} ${how}; starting it again in ${(waitMs / 1000).toFixed(1)} s.`),
    joinToken: () => token,
    api: () => state.api,
    agents: () => state.agents,
    publish: async () => {
      await writeState(home, state)
      return state
    },
  }
}

/** A signal that follows `parent` and can also be aborted by leaving the block. */
function abortWith(parent: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const own = new AbortController()
  return { signal: AbortSignal.any([parent, own.signal]), [Symbol.dispose]: () => own.abort() }
}

function isGivenUp(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'AbortError'
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done, { once: true }))
}

function textOf({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
