import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cloud, startCloud } from './cloud.ts'
import { type CpuTimes, cpuOfTrees, less } from './cpu.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { type Latencies, probe, startLoad } from './load.ts'
import { costliest } from './statements.ts'

export interface SimOptions {
  readonly hosts: number
  readonly containers: number
  readonly servers: number
  readonly sqlite: boolean
  /** Containers in one request. */
  readonly batch: number
  /** Projects that ask at the same time. */
  readonly tenants: number
  /** Whether the first server is killed at the end, so that its hosts come back all at once. */
  readonly storm: boolean
  readonly nodeArgs?: readonly string[]
  readonly progress: (line: string) => void
}

/** One second of the run. */
export interface Sample {
  readonly seconds: number
  readonly accepted: number
  readonly placed: number
  /** Creations whose container was reported as it should be, and written down so. */
  readonly settled: number
  /** Of all servers, MiB. */
  readonly memory: number
}

export interface SimResult {
  readonly options: Omit<SimOptions, 'progress' | 'nodeArgs'>
  /** Until all hosts had joined and held a session. */
  readonly joinSeconds: number
  readonly samples: readonly Sample[]
  /** From the first request until the last container was placed, and until the last was settled. */
  readonly placedSeconds: number
  readonly settledSeconds: number
  readonly placedPerSecond: number
  /** In each fifth of the fill. */
  readonly fifths: readonly number[]
  readonly latencies: Record<string, Latencies>
  readonly memory: { readonly empty: number; readonly full: number; readonly perThousand: number }
  /** Of the fill. */
  readonly cpuSeconds: CpuTimes
  readonly storm: {
    readonly serverSeconds: number
    readonly sessionsSeconds: number
    readonly consistentSeconds: number
    /** Sessions in which nothing had to be told of containers. */
    readonly kept: number
    readonly cpuSeconds: CpuTimes
  } | null
}

const reportsWritten = 'gantry_reports_total'
const patienceMs = 10 * 60_000

export async function simulate(options: SimOptions): Promise<SimResult> {
  const { hosts, progress } = options
  await using cloud = await startCloud(options)
  const tenants = []
  for (let number = 1; number <= options.tenants; number += 1) tenants.push(await cloud.newTenant(`tenant-${number}`))
  const prober = await cloud.newTenant('prober')
  await tellStatements(cloud, options, 'setting up')
  const started = performance.now()
  const tokens = await joinTokens(cloud, hosts)
  // A fifth stays free, and some for the containers of the probe.
  const room = Math.ceil((options.containers / hosts) * 1.25) + 20
  const servers = cloud.servers.map(({ agents }) => agents)
  await using fleet = startFleet({ tokens, first: 0, room, servers }, hosts > 500 ? 2 : 1)
  await until(
    () => fleet.counts().synced >= hosts,
    () => `${fleet.counts().synced} of ${hosts} hosts are there`,
    progress,
  )
  const joinSeconds = since(started)
  const empty = memoryOf(cloud)
  const ending = new AbortController()
  const probing = probe(cloud, prober, ending.signal)
  await tellStatements(cloud, options, 'joining')
  const before = cpuOf(cloud, fleet)
  const fill = await filled(cloud, fleet, tenants, options)
  const cpuSeconds = less(cpuOf(cloud, fleet), before)
  ending.abort()
  const latencies = await probing
  const full = memoryOf(cloud)
  await tellStatements(cloud, options, 'the fill')
  const storm = options.storm ? await stormOf(cloud, fleet, options) : null
  await tellStatements(cloud, options, 'the storm')
  const { progress: _, nodeArgs: __, ...plain } = options
  return {
    options: plain,
    joinSeconds,
    ...fill,
    latencies,
    memory: { empty, full, perThousand: ((full - empty) / options.containers) * 1000 },
    cpuSeconds,
    storm,
  }
}

/** The fill: from the first request until the last container is settled. */
async function filled(cloud: Cloud, fleet: Fleet, tenants: Parameters<typeof startLoad>[1], options: SimOptions) {
  const { containers, batch, progress } = options
  const started = performance.now()
  const waiting = (accepted: number) => accepted - fleet.counts().placed
  const load = startLoad(cloud, tenants, { containers, batch, waiting, ahead: 20 * batch })
  const samples: Sample[] = []
  let failed: unknown
  load.done.catch((error: unknown) => {
    failed = error
  })
  let placedSeconds = 0
  for (;;) {
    await sleep(containers > 5000 ? 1000 : 200)
    if (failed) throw failed
    const { placed } = fleet.counts()
    const settled = await settledIn(cloud)
    const sample = { seconds: since(started), accepted: load.accepted(), placed, settled, memory: memoryOf(cloud) }
    samples.push(sample)
    progress(
      `${sample.seconds.toFixed(0)} s: ${sample.accepted} accepted, ${placed} placed, ${settled} settled, ${sample.memory.toFixed(0)} MiB`,
    )
    if (placed >= containers && placedSeconds === 0) placedSeconds = sample.seconds
    if (settled >= containers && placedSeconds > 0) break
    if (sample.seconds * 1000 > patienceMs && isStuck(samples)) throw new Error('nothing moves any more')
  }
  await load.done
  return {
    samples,
    placedSeconds,
    settledSeconds: since(started),
    placedPerSecond: containers / placedSeconds,
    fifths: fifthsOf(samples, containers),
  }
}

/** All sessions of a server that is killed and started again at once: until all hosts are told everything, and until all they said is written. */
async function stormOf(cloud: Cloud, fleet: Fleet, { hosts, progress }: SimOptions) {
  const [server] = cloud.servers
  if (!server) throw new Error('there is no server')
  // What the hosts said last is known, and judged, a little later.
  await sleep(1500)
  const { reported: before, kept: keptBefore } = fleet.counts()
  const written = await cloud.metric(reportsWritten, '', cloud.servers.slice(1))
  await server.kill9()
  const spent = cpuOf(cloud, fleet)
  const started = performance.now()
  await server.start()
  const serverSeconds = since(started)
  progress(`storm: the server is back after ${serverSeconds.toFixed(1)} s`)
  await until(
    () => fleet.counts().synced >= hosts,
    () => `storm: ${fleet.counts().synced} of ${hosts} hosts are back`,
    progress,
  )
  const sessionsSeconds = since(started)
  let said = fleet.counts().reported - before
  await until(
    async () => {
      said = fleet.counts().reported - before
      return (await cloud.metric(reportsWritten)) - written >= said
    },
    () => `storm: ${said} reports are to be written`,
    progress,
  )
  const consistentSeconds = since(started)
  const kept = fleet.counts().kept - keptBefore
  return { serverSeconds, sessionsSeconds, consistentSeconds, kept, cpuSeconds: less(cpuOf(cloud, fleet), spent) }
}

async function joinTokens(cloud: Cloud, hosts: number): Promise<string[]> {
  const [server] = cloud.servers
  if (!server) return []
  const tokens: string[] = []
  while (tokens.length < hosts) {
    const some = Array.from({ length: Math.min(16, hosts - tokens.length) }, async () => {
      const { status, text } = await cloud.ask(server, cloud.admin, { method: 'POST', path: '/v1/hosts/join-tokens' })
      if (status !== 201) throw new Error(`join token: ${status} ${text}`)
      return (JSON.parse(text) as { token: string }).token
    })
    tokens.push(...(await Promise.all(some)))
  }
  return tokens
}

function settledIn(cloud: Cloud): Promise<number> {
  return cloud.metric('gantry_action_duration_seconds_count', 'action="create"')
}

/** Placements a second while each fifth of the containers was placed. */
function fifthsOf(samples: readonly Sample[], containers: number): number[] {
  const timeOf = (count: number): number => {
    const next = samples.findIndex(({ placed }) => placed >= count)
    const [after, before] = [samples[next], samples[next - 1]]
    if (!after) return Number.NaN
    const [from, at] = [before?.placed ?? 0, before?.seconds ?? 0]
    return at + ((count - from) / Math.max(1, after.placed - from)) * (after.seconds - at)
  }
  return [0, 1, 2, 3, 4].map((fifth) => {
    const [from, to] = [(containers * fifth) / 5, (containers * (fifth + 1)) / 5]
    return (to - from) / (timeOf(to) - (fifth === 0 ? 0 : timeOf(from)))
  })
}

function isStuck(samples: readonly Sample[]): boolean {
  const [last, earlier] = [samples.at(-1), samples.at(-60)]
  return last?.settled === earlier?.settled && last?.placed === earlier?.placed
}

async function until(
  done: () => boolean | Promise<boolean>,
  what: () => string,
  progress: (line: string) => void,
): Promise<void> {
  const end = Date.now() + patienceMs
  for (let next = Date.now() + 2000; !(await done()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`in vain: ${what()}`)
    if (Date.now() < next) continue
    progress(what())
    next = Date.now() + 2000
  }
}

function since(started: number): number {
  return (performance.now() - started) / 1000
}

function memoryOf({ servers }: Cloud): number {
  return servers.reduce((sum, { pid }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return sum + Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  }, 0)
}

/** With a profile, what the database was busy with. */
async function tellStatements({ database }: Cloud, { nodeArgs = [], progress }: SimOptions, when: string) {
  if (database.kind !== 'postgres' || nodeArgs.length === 0) return
  for (const line of await costliest(database.url)) progress(`${when}: ${line}`)
}

function cpuOf({ servers, database }: Cloud, fleet: Fleet): CpuTimes {
  const postgres = database.kind === 'postgres' ? database.pid() : null
  return {
    servers: cpuOfTrees(servers.map(({ pid }) => pid).filter((pid) => pid > 0)),
    database: postgres === null ? 0 : cpuOfTrees([postgres]),
    agents: cpuOfTrees(fleet.pids),
  }
}
