/**
 * `npm run bench`: Gantry beside the raw engine, in one run on one engine, as ratios. Numbers of a shared machine mean little
 * by themselves; pairs taken in turn, and their medians, mean something. Prints a Markdown table for docs/performance.md.
 * `npm run bench docker` takes the part of the Docker API alone, `npm run bench registry` that of the registry, `npm run bench volumes`
 * that of volumes.
 */
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { noteNetworks } from '../fixtures/engine-leftovers.ts'
import { startGantry } from '../fixtures/gantry.ts'
import { dockerMeasures } from './docker-bench.ts'
import { containerWatch, median, percentile, type Row, table } from './measure.ts'
import { rawEngine } from './raw-engine.ts'
import { registryMeasures } from './registry-bench.ts'
import { volumeMeasures } from './volume-bench.ts'

const runFile = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname
const rounds = Number(process.env['GANTRY_BENCH_ROUNDS'] ?? 10)
const rows: Row[] = []

await using gantry = await startGantry({ serverArgs: ['--cpu-ratio', '1000', '--memory-ratio', '1000'] })
const demo = await gantry.logIn('demo')
const admin = await gantry.logIn('admin')
await admin.zun('PUT', `/quotas/${demo.projectId}`, { containers: -1, cpu: -1, memory: -1, disk: -1 })
const raw = await rawEngine(gantry.engine.socket)
const watch = await containerWatch(gantry.api, demo.token)

const only = process.argv.slice(2)
const parts: Readonly<Record<string, () => Promise<(() => Promise<Row>)[]>>> = {
  docker: () => dockerMeasures(gantry, demo, rounds),
  registry: () => registryMeasures(gantry, demo, rounds),
  volumes: async () => volumeMeasures({ gantry, session: demo, rounds, folder: gantry.home, kind: 'embedded' }),
}
for (const [name, measuresOf] of Object.entries(parts)) {
  if (only.length > 0 && !only.includes(name)) continue
  for (const measure of await measuresOf()) {
    const row = await measure()
    rows.push(row)
    process.stderr.write(`${row.what}: ${row.ratio?.toFixed(2)}\n`)
  }
}
const measures =
  only.length > 0 ? [] : [sequentialRuns, concurrentRuns, execRoundTrip, logThroughput, bigList, secondStart]
for (const measure of measures) {
  process.stderr.write(`${measure.name} … `)
  const started = performance.now()
  await measure()
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0)} s\n`)
}
await watch.close()
console.log(table(rows))

function body(name: string, command: string[] = ['sleep', '100000']) {
  return { name, image: 'busybox:latest', command, memory: '64', cpu: 1 }
}

/** POST to Running, as a client sees it through the event stream; the raw engine: create and start on a bridge. */
async function gantryRun(name: string): Promise<number> {
  const started = performance.now()
  const running = watch.until(name, 'Running')
  const answer = await demo.zun('POST', '/containers?run=true', body(name))
  if (answer.status !== 202) throw new Error(`create: ${answer.status} ${answer.text}`)
  return (await running) - started
}

async function gantryDelete(names: readonly string[]): Promise<void> {
  const each = names.map(async (name) => {
    const stopped = watch.until(name, 'Stopped')
    // `sleep` as the first process ignores SIGTERM; a stop would wait out its grace.
    const { json } = await demo.zun('GET', `/containers/${name}`)
    if (json.status === 'Running') {
      await demo.zun('POST', `/containers/${name}/kill?signal=KILL`)
      await stopped
    }
    const gone = watch.until(name, 'Deleted')
    await demo.zun('DELETE', `/containers/${name}`)
    await gone
  })
  await Promise.all(each)
}

async function sequentialRuns(): Promise<void> {
  const pairs: { ours: number; theirs: number }[] = []
  await gantryRun('warm')
  await gantryDelete(['warm'])
  await raw.remove(await raw.run())
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now()
    const id = await raw.run()
    const theirs = performance.now() - started
    await raw.remove(id)
    const ours = await gantryRun(`seq-${round}`)
    await gantryDelete([`seq-${round}`])
    pairs.push({ ours, theirs })
  }
  rows.push({
    what: 'POST → Running, one at a time',
    ours: `${median(pairs.map((pair) => pair.ours)).toFixed(0)} ms`,
    theirs: `${median(pairs.map((pair) => pair.theirs)).toFixed(0)} ms`,
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
    goal: '≤ 1.15',
  })
}

async function concurrentRuns(): Promise<void> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < Math.max(2, Math.round(rounds / 3)); round += 1) {
    let started = performance.now()
    const ids = await Promise.all(Array.from({ length: 16 }, () => raw.run()))
    theirs.push(16_000 / (performance.now() - started))
    for (const id of ids) await raw.remove(id)
    const names = Array.from({ length: 16 }, (_, index) => `par-${round}-${index}`)
    started = performance.now()
    await Promise.all(names.map(gantryRun))
    ours.push(16_000 / (performance.now() - started))
    await gantryDelete(names)
  }
  rows.push({
    what: '16 at a time, containers a second',
    ours: `${median(ours).toFixed(1)}/s`,
    theirs: `${median(theirs).toFixed(1)}/s`,
    ratio: median(ours.map((value, index) => value / (theirs[index] ?? value))),
    goal: '≥ 0.9',
  })
}

async function execRoundTrip(): Promise<void> {
  await gantryRun('exec')
  const id = await raw.engineIdOf('exec', demo, gantry)
  const pairs: { ours: number; theirs: number }[] = []
  for (let round = 0; round < rounds * 3; round += 1) {
    let started = performance.now()
    await raw.exec(id, ['true'])
    const theirs = performance.now() - started
    started = performance.now()
    const answer = await demo.zun('POST', '/containers/exec/execute?command=true&run=true')
    if (answer.status !== 200) throw new Error(answer.text)
    pairs.push({ ours: performance.now() - started, theirs })
  }
  await gantryDelete(['exec'])
  rows.push({
    what: 'exec `true` and its exit code',
    ours: `${median(pairs.map((pair) => pair.ours)).toFixed(0)} ms`,
    theirs: `${median(pairs.map((pair) => pair.theirs)).toFixed(0)} ms`,
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
    goal: '≤ 1.3',
  })
}

async function logThroughput(): Promise<void> {
  const script = 'yes "the quick brown fox jumps over the lazy dog and goes on its way" | head -n 1000000'
  const finished = watch.until('logs', 'Stopped')
  await demo.zun('POST', '/containers?run=true', body('logs', ['sh', '-c', script]))
  await finished
  const id = await raw.engineIdOf('logs', demo, gantry)
  const pairs: { ours: number; theirs: number }[] = []
  for (let round = 0; round < 5; round += 1) {
    const theirs = await raw.logRate(id)
    const ours = await nativeLogRate(`${gantry.api}/v1/containers/logs/logs`)
    pairs.push({ ours, theirs })
  }
  await gantryDelete(['logs'])
  rows.push({
    what: 'log streaming, 1,000,000 lines (native API)',
    ours: `${median(pairs.map((pair) => pair.ours)).toFixed(0)} MiB/s`,
    theirs: `${median(pairs.map((pair) => pair.theirs)).toFixed(0)} MiB/s`,
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
    goal: '≥ 0.7',
  })
}

function nativeLogRate(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const asked = request(url, { headers: { 'x-auth-token': demo.token } }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('end', () => resolve(bytes / 1_048_576 / ((performance.now() - started) / 1000)))
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** 1,000 containers on one host that are only created: the list reads the store, the engine has no part in it. */
async function bigList(): Promise<void> {
  const pending = Array.from({ length: 1000 }, (_, index) => `many-${index}`)
  const workers = Array.from({ length: 16 }, async () => {
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const made = watch.until(name, 'Created')
      const answer = await demo.zun('POST', '/containers', body(name))
      if (answer.status !== 202) throw new Error(`create: ${answer.status} ${answer.text}`)
      await made
    }
  })
  await Promise.all(workers)
  const times: number[] = []
  for (let round = 0; round < 60; round += 1) {
    const started = performance.now()
    const answer = await demo.zun('GET', '/containers')
    times.push(performance.now() - started)
    if ((answer.json as unknown as { containers: unknown[] }).containers.length !== 1000)
      throw new Error('list is not whole')
  }
  const started = performance.now()
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 10; round += 1) await demo.zun('GET', '/containers')
    }),
  )
  const rate = 80_000 / (performance.now() - started)
  const p50 = percentile(times, 50).toFixed(0)
  const p99 = percentile(times, 99).toFixed(0)
  rows.push({
    what: 'list of 1,000 containers',
    ours: `p50 ${p50} ms, p99 ${p99} ms, ${rate.toFixed(0)}/s`,
    theirs: '—',
    ratio: null,
    goal: '—',
  })
  const memory = memoryOf(gantry.server.pid ?? 0, gantry.agent.pid ?? 0)
  rows.push({ what: 'memory with 1,000 containers, from sources', ours: memory, theirs: '—', ratio: null, goal: '—' })
}

/**
 * Resident memory of both programs. Node's own executable is mapped into each but is in memory once, so pages that are
 * backed by a file are counted once too; the plain sum is given beside it.
 */
function memoryOf(server: number, agent: number): string {
  const [ours, theirs] = [residentOf(server), residentOf(agent)]
  const once = ours.own + theirs.own + Math.max(ours.shared, theirs.shared)
  const parts = `server ${ours.own.toFixed(0)} + agent ${theirs.own.toFixed(0)} + shared ${Math.max(ours.shared, theirs.shared).toFixed(0)}`
  const sum = ours.own + ours.shared + theirs.own + theirs.shared
  return `${once.toFixed(0)} MB (${parts}; plain sum of RSS ${sum.toFixed(0)})`
}

function residentOf(pid: number): { own: number; shared: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024
  return { own: field('RssAnon'), shared: field('RssFile') + field('RssShmem') }
}

/** From `npm start` (the second time) to its line that all is ready. */
async function secondStart(): Promise<void> {
  const home = await mkdtemp('/tmp/gantry-bench-')
  const env = {
    ...process.env,
    GANTRY_HOME: home,
    DOCKER_HOST: gantry.engine.url,
    GANTRY_ENGINE_NETNS: gantry.engine.netns,
  }
  const args = ['start', '--', '--listen', '127.0.0.1:9790']
  const times: number[] = []
  let memory = ''
  for (let round = 0; round < 4; round += 1) {
    const started = performance.now()
    const child = spawn('npm', args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    const seconds = await new Promise<number>((resolve, reject) => {
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.includes('openrc')) resolve((performance.now() - started) / 1000)
      })
      child.on('exit', () => reject(new Error(`npm start ended:\n${text}`)))
    })
    times.push(seconds)
    if (round === 3) {
      await new Promise((resolve) => setTimeout(resolve, 5000))
      const state = JSON.parse(readFileSync(join(home, 'state.json'), 'utf8'))
      memory = memoryOf(state.server.pid, state.agent.pid)
    }
    const exit = new Promise((resolve) => child.once('exit', resolve))
    process.kill(-(child.pid ?? 0), 'SIGINT')
    await exit
  }
  await runFile('sh', ['tools/gantry', 'down', '--home', home], { cwd: root, env }).catch(() => null)
  // The engine is not that cloud's own, so it leaves its networks.
  const { deployment, hostId } = JSON.parse(readFileSync(join(home, 'agent/host.json'), 'utf8'))
  noteNetworks(dirname(gantry.engine.socket), `${deployment}/${hostId}`)
  await rm(home, { recursive: true, force: true })
  rows.push({
    what: '`npm start` again → ready',
    ours: `${median(times.slice(1)).toFixed(1)} s`,
    theirs: '—',
    ratio: null,
    goal: '≤ 2 s',
  })
  rows.push({ what: 'memory of server and agent, idle', ours: memory, theirs: '—', ratio: null, goal: '≤ 150 MB' })
}
