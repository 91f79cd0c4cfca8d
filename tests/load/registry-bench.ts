import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { archiveOf, imageParts } from '../fixtures/image-archive.ts'
import { startEngine } from '../fixtures/engine.ts'
import type { Gantry, Session } from '../fixtures/gantry.ts'
import { median, type Row } from './measure.ts'

/** Bytes of the image's one layer, and of the blob that is sent and fetched as it is. Random, so that nothing gets smaller. */
const layerBytes = 100 << 20
const blobBytes = 256 << 20

interface Side {
  readonly name: 'ours' | 'theirs'
  /** `127.0.0.1:port/namespace`. */
  readonly repository: string
  readonly authorization: string | null
}

interface Pair {
  readonly ours: number
  readonly theirs: number
}

/** Gantry's registry beside Debian's docker-registry: the same engine pushes and pulls the same image, in turn. */
export async function registryMeasures(gantry: Gantry, demo: Session, rounds: number): Promise<(() => Promise<Row>)[]> {
  const folder = await mkdtemp('/tmp/gantry-bench-registry-')
  const engine = await startEngine({ network: 'host' })
  const other = await startDebianRegistry(folder)
  const domain = new URL(gantry.api).host
  const sides: Record<Side['name'], Side> = {
    ours: { name: 'ours', repository: `${domain}/demo`, authorization: await tokenFor(gantry, demo) },
    theirs: { name: 'theirs', repository: `${other.domain}/bench`, authorization: null },
  }
  const env = { PATH: process.env['PATH'], DOCKER_HOST: engine.url, DOCKER_CONFIG: folder }
  await docker(env, ['login', '-u', 'token', '--password-stdin', domain], demo.token)

  const inTurn = async (times: number, work: (side: Side, round: number) => Promise<number>) => {
    const pairs: Pair[] = []
    for (let round = 0; round < times; round += 1) {
      // What the first of a pair wrote, the disk still works on during the second.
      const order = round % 2 === 0 ? (['theirs', 'ours'] as const) : (['ours', 'theirs'] as const)
      const rates = { ours: 0, theirs: 0 }
      for (const side of order) rates[side] = await work(sides[side], round)
      pairs.push(rates)
    }
    return pairs
  }
  const push = async (side: Side, round: number) => {
    const name = `${side.repository}/push:${round}`
    await loadRandomImage(env, name)
    const rate = await mibPerSecond(layerBytes, () => docker(env, ['push', '-q', name]))
    await docker(env, ['rmi', '-f', name])
    return rate
  }
  const pull = async (side: Side) => {
    const name = `${side.repository}/push:0`
    const rate = await mibPerSecond(layerBytes, () => docker(env, ['pull', '-q', name]))
    await docker(env, ['rmi', '-f', name])
    return rate
  }
  const blob = randomBytes(blobBytes)
  const few = Math.max(3, Math.round(rounds / 3))
  return [
    async () => rate(`\`docker push\` of ${layerBytes >> 20} MiB`, await inTurn(few, push)),
    async () => rate(`\`docker pull\` of the same`, await inTurn(few, pull)),
    async () => rate(`a blob of ${blobBytes >> 20} MiB sent over HTTP`, await inTurn(few, (side) => send(side, blob))),
    async () => {
      const row = rate('the same fetched', await inTurn(few, (side) => fetchBlob(side, blob)))
      other.process.kill('SIGKILL')
      await engine.stop()
      await rm(folder, { recursive: true, force: true })
      return row
    },
  ]
}

function rate(what: string, pairs: readonly Pair[]): Row {
  return {
    what,
    ours: `${median(pairs.map((pair) => pair.ours)).toFixed(0)} MiB/s`,
    theirs: `${median(pairs.map((pair) => pair.theirs)).toFixed(0)} MiB/s`,
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
    goal: '≥ 1.0',
  }
}

async function mibPerSecond(bytes: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return bytes / 1_048_576 / ((performance.now() - started) / 1000)
}

/** Debian's, with its usual store of files; it tells nobody who it is. */
async function startDebianRegistry(folder: string): Promise<{ domain: string; process: ChildProcess }> {
  const domain = `127.0.0.1:${20_000 + Math.floor(Math.random() * 10_000)}`
  const config = join(folder, 'registry.yml')
  const text = `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/registry}}\nhttp: {addr: "${domain}"}\n`
  await writeFile(config, text)
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`http://${domain}/v2/`).catch(() => null)
    if (answer?.ok) return { domain, process: child }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('docker-registry does not answer')
}

async function tokenFor(gantry: Gantry, demo: Session): Promise<string> {
  const scope = 'repository:demo/blobs:pull,push'
  const basic = Buffer.from(`token:${demo.token}`).toString('base64')
  const answer = await fetch(`${gantry.api}/v2/token?service=gantry&scope=${scope}`, {
    headers: { authorization: `Basic ${basic}` },
  })
  const { token } = (await answer.json()) as { token: string }
  return `Bearer ${token}`
}

async function loadRandomImage(env: NodeJS.ProcessEnv, name: string): Promise<void> {
  const layer = await archiveOf([{ name: 'random', content: randomBytes(layerBytes) }])
  const parts = imageParts([name], { layer })
  await docker(env, ['load'], await archiveOf([parts.config, parts.layer, parts.manifest]))
}

/** The way clients push: begin, one PATCH with all of it, PUT with its digest. */
async function send(side: Side, blob: Buffer): Promise<number> {
  // Never the same content twice: a registry has it already the second time.
  randomBytes(32).copy(blob)
  const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`
  const headers = side.authorization === null ? {} : { authorization: side.authorization }
  return mibPerSecond(blob.length, async () => {
    const begun = await fetch(urlOf(side, 'uploads/'), { method: 'POST', headers })
    const patch = new URL(begun.headers.get('location') ?? '', begun.url)
    const type = { 'content-type': 'application/octet-stream' }
    const sent = await fetch(patch, { method: 'PATCH', headers: { ...headers, ...type }, body: new Uint8Array(blob) })
    const put = new URL(sent.headers.get('location') ?? '', sent.url)
    put.searchParams.set('digest', digest)
    const done = await fetch(put, { method: 'PUT', headers })
    if (done.status !== 201) throw new Error(`${side.name}: ${done.status} ${await done.text()}`)
  })
}

async function fetchBlob(side: Side, blob: Buffer): Promise<number> {
  await send(side, blob)
  const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`
  const headers = side.authorization === null ? {} : { authorization: side.authorization }
  return mibPerSecond(blob.length, async () => {
    const answer = await fetch(urlOf(side, digest), { headers })
    let bytes = 0
    for await (const part of answer.body ?? []) bytes += part.length
    if (bytes !== blob.length) throw new Error(`${side.name}: ${answer.status}, ${bytes} bytes`)
  })
}

function urlOf({ repository }: Side, rest: string): string {
  const [domain, namespace] = repository.split('/')
  return `http://${domain}/v2/${namespace}/blobs/blobs/${rest}`
}

function docker(env: NodeJS.ProcessEnv, args: readonly string[], input?: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('docker', args, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`docker ${args.join(' ')}: ${stderr}`))
      else resolve(stdout)
    })
    if (input === undefined || !child.stdin) return
    void once(child.stdin, 'error').catch(() => null)
    Readable.from([input]).pipe(child.stdin)
  })
}
