import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Gantry, Session } from '../fixtures/gantry.ts'
import { containerWatch, median, type Row } from './measure.ts'

const runFile = promisify(execFile)

/** MiB that are written and read in one measurement: more than caches of devices hold, little enough for many rounds. */
const mebibytes = 1024

export interface VolumeBench {
  readonly gantry: Pick<Gantry, 'api' | 'engine'>
  readonly session: Session
  readonly rounds: number
  /** A folder of the host on the same disk as what holds the volumes. */
  readonly folder: string
  /** What keeps the volumes, for the table. */
  readonly kind: string
}

/** A disk through a volume beside the same disk on the host, and what a volume adds to the start of a container. */
export function volumeMeasures(bench: VolumeBench): (() => Promise<Row>)[] {
  return [() => throughput(bench, 'write'), () => throughput(bench, 'read'), () => mounting(bench)]
}

async function throughput(
  { gantry, session, rounds, folder, kind }: VolumeBench,
  what: 'write' | 'read',
): Promise<Row> {
  const name = `bench-${what}`
  await create(session, name, [{ size: 3, destination: '/data' }])
  const id = (await session.waitFor(name, ({ status }) => status === 'Running')).uuid
  const engineId = await engineIdOf(gantry, id)
  const inside = (args: readonly string[]) =>
    gantry.engine.docker('exec', engineId, 'sh', '-c', `{ time ${args.join(' ')}; } 2>&1`)
  const outside = async (args: readonly string[]) =>
    (await runFile('busybox', ['sh', '-c', `{ time busybox ${args.join(' ')}; } 2>&1`])).stdout
  const paths = { ours: '/data/bench', theirs: join(folder, 'bench.bin') }
  const work = (path: string) =>
    what === 'write'
      ? ['dd', 'if=/dev/zero', `of=${path}`, 'bs=1M', `count=${mebibytes}`, 'conv=fsync']
      : ['dd', `if=${path}`, 'of=/dev/null', 'bs=1M']
  const fill = (path: string) => ['dd', 'if=/dev/zero', `of=${path}`, 'bs=1M', `count=${mebibytes}`, 'conv=fsync']
  const ours: number[] = []
  const theirs: number[] = []
  await inside(fill(paths.ours))
  await outside(fill(paths.theirs))
  for (let round = 0; round < rounds; round += 1) {
    await forgetPages()
    theirs.push(rateIn(await outside(work(paths.theirs))))
    await forgetPages()
    ours.push(rateIn(await inside(work(paths.ours))))
  }
  await rm(paths.theirs, { force: true })
  await remove(session, name)
  return {
    what: `sequential ${what} through a volume (${kind}), ${mebibytes} MiB`,
    ours: `${median(ours).toFixed(0)} MiB/s`,
    theirs: `${median(theirs).toFixed(0)} MiB/s on the host`,
    ratio: median(ours.map((value, index) => value / (theirs[index] ?? value))),
    goal: '≥ 0.95',
  }
}

/** Pairs of starts, without and with a volume that exists: the difference is what it takes to attach and mount it. */
async function mounting({ gantry, session, rounds, kind }: VolumeBench): Promise<Row> {
  const watch = await containerWatch(gantry.api, session.token)
  const made = await session.native('POST', '/volumes', { name: 'bench-mount', size: 1 })
  if (made.status !== 202) throw new Error(made.text)
  await until(async () => {
    const { text } = await session.native('GET', '/volumes/bench-mount')
    return (JSON.parse(text) as { status: string }).status === 'available'
  })
  const started = async (name: string, mounts: readonly object[]) => {
    const began = performance.now()
    const running = watch.until(name, 'Running')
    await create(session, name, mounts)
    const ms = (await running) - began
    await remove(session, name)
    return ms
  }
  await started('warm', [])
  await started('warm-mount', [{ source: 'bench-mount', destination: '/data' }])
  const plain: number[] = []
  const mounted: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    plain.push(await started(`plain-${round}`, []))
    mounted.push(await started(`mounted-${round}`, [{ source: 'bench-mount', destination: '/data' }]))
  }
  await watch.close()
  await session.native('DELETE', '/volumes/bench-mount')
  return {
    what: `POST → Running with a volume attached (${kind}), beside without; attach to mounted ${seconds(plain, mounted)}`,
    ours: `${median(mounted).toFixed(0)} ms`,
    theirs: `${median(plain).toFixed(0)} ms without`,
    ratio: median(mounted.map((value, index) => value / (plain[index] ?? value))),
    goal: '—',
  }
}

function seconds(plain: readonly number[], mounted: readonly number[]): string {
  return `${(median(mounted.map((value, index) => value - (plain[index] ?? 0))) / 1000).toFixed(2)} s`
}

async function create(session: Session, name: string, mounts: readonly object[]): Promise<void> {
  const body = { name, image: 'busybox:latest', command: ['sleep', '100000'], memory: '64', cpu: 2, mounts }
  const answer = await session.zun('POST', '/containers?run=true', body)
  if (answer.status !== 202) throw new Error(`create: ${answer.status} ${answer.text}`)
}

async function remove(session: Session, name: string): Promise<void> {
  await session.zun('DELETE', `/containers/${name}?stop=true`)
  await until(async () => (await session.zun('GET', `/containers/${name}`)).status === 404)
}

async function engineIdOf(gantry: VolumeBench['gantry'], id: string): Promise<string> {
  return (await gantry.engine.docker('ps', '-q', '--filter', `label=gantry.container=${id}`)).trim()
}

/** Of what busybox's `time` ends with: `real\t0m 0.39s`. */
function rateIn(output: string): number {
  const [, minutes, seconds] = /real\s+(\d+)m\s*([\d.]+)s/.exec(output) ?? []
  if (seconds === undefined) throw new Error(`dd said ${output}`)
  return mebibytes / (60 * Number(minutes) + Number(seconds))
}

/** What was written is on disk and nothing of it in memory: both sides begin alike. */
async function forgetPages(): Promise<void> {
  await runFile('sync')
  await writeFile('/proc/sys/vm/drop_caches', '3')
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await done()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('it did not come to an end within a minute')
}
