import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { dockerConfig, type Gantry, type Session } from '../fixtures/gantry.ts'
import { median, type Row } from './measure.ts'

/** Where a docker command line points: the engine itself, or the same engine through Gantry. */
interface Side {
  readonly name: string
  readonly env: NodeJS.ProcessEnv
  /** Of `docker run`. The bench's engine has no default bridge, so the plain side names one. */
  readonly network: readonly string[]
}

interface Pair {
  readonly ours: number
  readonly theirs: number
}

/** Bytes that cross an attached container in one measurement. */
const throughBytes = 256 << 20

/** The plain docker command line through Gantry beside the same on the engine's own socket, in turn. */
export async function dockerMeasures(gantry: Gantry, demo: Session, rounds: number): Promise<(() => Promise<Row>)[]> {
  const home = await mkdtemp('/tmp/gantry-bench-docker-')
  const headers = { 'X-Auth-Token': demo.token, 'X-Auth-Project-Id': demo.projectId }
  const { PATH } = process.env
  const ours: Side = {
    name: 'ours',
    env: {
      PATH,
      DOCKER_HOST: gantry.dockerUrl.replace('http:', 'tcp:'),
      DOCKER_CONFIG: await dockerConfig(home, headers),
    },
    network: [],
  }
  const theirs: Side = {
    name: 'theirs',
    env: { PATH, DOCKER_HOST: gantry.engine.url, DOCKER_CONFIG: home },
    network: ['--network', 'bench-raw'],
  }
  await runTrue(ours)
  await runTrue(theirs)
  const inTurn = async (times: number, work: (side: Side) => Promise<number>) => {
    const pairs: Pair[] = []
    for (let round = 0; round < times; round += 1) pairs.push({ theirs: await work(theirs), ours: await work(ours) })
    return pairs
  }
  const run = () => inTurn(rounds, (side) => timed(() => runTrue(side)))
  const exec = () =>
    withSleeper([ours, theirs], () => inTurn(rounds * 2, (side) => timed(() => docker(side, 'exec', 'bench', 'true'))))
  const attach = () => inTurn(3, throughCat)
  const parallel = () => inTurn(2, manyAtOnce)
  return [
    async () => latency('`docker run --rm busybox true`', await run(), '≤ 1.25'),
    async () => latency('`docker exec` of `true`', await exec(), '≤ 1.3'),
    async () => rate(`${throughBytes >> 20} MiB through \`docker run -i … cat\``, 'MiB/s', await attach(), '≥ 0.7'),
    async () => {
      const row = rate('64 `docker run` at a time, containers a second', '/s', await parallel(), '≥ 0.9')
      await rm(home, { recursive: true, force: true })
      return row
    },
  ]
}

function latency(what: string, pairs: readonly Pair[], goal: string): Row {
  return {
    what,
    ours: `${median(pairs.map((pair) => pair.ours)).toFixed(0)} ms`,
    theirs: `${median(pairs.map((pair) => pair.theirs)).toFixed(0)} ms`,
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
    goal,
  }
}

function rate(what: string, unit: string, pairs: readonly Pair[], goal: string): Row {
  return {
    what,
    ours: `${median(pairs.map((pair) => pair.ours)).toFixed(1)} ${unit}`,
    theirs: `${median(pairs.map((pair) => pair.theirs)).toFixed(1)} ${unit}`,
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
    goal,
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function docker({ env }: Side, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('docker', args, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`docker ${args.join(' ')}: ${stderr}`))
      else resolve(stdout)
    })
  })
}

function runTrue(side: Side): Promise<string> {
  return docker(side, 'run', ...side.network, '--rm', 'busybox', 'true')
}

async function withSleeper<T>(sides: readonly Side[], work: () => Promise<T>): Promise<T> {
  for (const side of sides)
    await docker(side, 'run', ...side.network, '-d', '--name', 'bench', 'busybox', 'sleep', '100000')
  const result = await work()
  for (const side of sides) await docker(side, 'rm', '-f', 'bench')
  return result
}

/** MiB a second into `cat` and back out again. */
function throughCat({ env, network }: Side): Promise<number> {
  return new Promise((resolve, reject) => {
    const feeder = spawn('head', ['-c', String(throughBytes), '/dev/zero'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const client = spawn('docker', ['run', ...network, '--rm', '-i', 'busybox', 'cat'], {
      env,
      stdio: [feeder.stdout, 'pipe', 'inherit'],
    })
    let bytes = 0
    let first = 0
    client.stdout.on('data', (chunk: Buffer) => {
      if (bytes === 0) first = performance.now()
      bytes += chunk.length
    })
    client.stdout.on('end', () => {
      if (bytes !== throughBytes) reject(new Error(`${bytes} of ${throughBytes} bytes came back`))
      else resolve(bytes / 1_048_576 / ((performance.now() - first) / 1000))
    })
  })
}

/** Containers a second with 64 command lines at once. */
async function manyAtOnce(side: Side): Promise<number> {
  const spent = await timed(() => Promise.all(Array.from({ length: 64 }, () => runTrue(side))))
  return 64_000 / spent
}
