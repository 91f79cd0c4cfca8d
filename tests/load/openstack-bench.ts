/**
 * `npm run bench:openstack`: containers on a real Neutron beside the raw engine on a bridge and the bare Neutron, in one run. Prints
 * a Markdown table for docs/performance.md. Runs inside the test cloud, as tools/test-openstack.sh starts it. With `volumes` only the
 * part of volumes, on a real Cinder.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { networkService } from '@gantry/openstack'
import { gantryOnCloud } from '../openstack/fixtures/gantry-on-cloud.ts'
import { testCloud } from '../openstack/fixtures/test-cloud.ts'
import { containerWatch, median, type Row, table } from './measure.ts'
import { rawEngine } from './raw-engine.ts'
import { volumeMeasures } from './volume-bench.ts'

const rounds = Number(process.env['GANTRY_BENCH_ROUNDS'] ?? 10)
const rows: Row[] = []
const args = process.argv.slice(2)
const onlyVolumes = args.includes('volumes')

await using cloud = await testCloud()
await using gantry = await gantryOnCloud(cloud, {
  busybox: false,
  serverArgs: ['--cpu-ratio', '1000', '--memory-ratio', '1000', ...args.filter((arg) => arg !== 'volumes')],
})
const project = await cloud.newProject()
const admin = await gantry.as(cloud.admin)
await admin.zun('PUT', `/quotas/${project.id}`, { containers: -1, cpu: -1, memory: -1, disk: -1 })
const member = await gantry.as(project.member)
const neutron = networkService(cloud.session(project.member))
const service = networkService(cloud.session(gantry.serviceUser))
const network = await neutron.networks.create({ name: 'bench' }, cloud.context())
await neutron.subnets.create({ network_id: network.id, ip_version: 4, cidr: '10.90.0.0/16' }, cloud.context())
const raw = await rawEngine(gantry.engine.socket)
const watch = await containerWatch(gantry.api, member.token)

if (!onlyVolumes) await ofNetworks()
await ofVolumes()
await watch.close()
console.log(table(rows))

async function ofNetworks(): Promise<void> {
  await bareNeutron()
  // Nothing else is on the network: each container waits for Neutron to make its port.
  await sequential('the first on its network')
  // Where there are containers already, a port is ready for the next one.
  await run('anchor')
  await quiet()
  await sequential('where others are')
  await together()
}

async function ofVolumes(): Promise<void> {
  const folder = join(process.env['TESTCLOUD_DIR'] ?? '', 'var/cinder/volumes')
  for (const measure of volumeMeasures({ gantry, session: member, rounds, folder, kind: 'Cinder' })) {
    const row = await measure()
    rows.push(row)
    process.stderr.write(`${row.what}: ${row.ratio?.toFixed(2)}\n`)
  }
}

/** POST to Running, as a client sees it through the event stream. */
async function run(name: string): Promise<number> {
  const started = performance.now()
  const running = watch.until(name, 'Running')
  const body = {
    name,
    image: 'busybox:latest',
    command: ['sleep', '100000'],
    memory: '64',
    nets: [{ network: network.id }],
  }
  const answer = await member.zun('POST', '/containers?run=true', body)
  if (answer.status !== 202) throw new Error(`create: ${answer.status} ${answer.text}`)
  return (await running) - started
}

/** DELETE to gone, its port at Neutron included. */
async function remove(name: string): Promise<number> {
  const stopped = watch.until(name, 'Stopped')
  // `sleep` as the first process ignores SIGTERM; a stop would wait out its grace.
  await member.zun('POST', `/containers/${name}/kill?signal=KILL`)
  await stopped
  const started = performance.now()
  const gone = watch.until(name, 'Deleted')
  await member.zun('DELETE', `/containers/${name}`)
  return (await gone) - started
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** What Neutron needs for one port by itself: made by its user, bound by a service, deleted. */
async function bare(): Promise<{ made: number; bound: number; gone: number }> {
  let id = ''
  const made = await timed(async () => {
    const body = { network_id: network.id, device_owner: 'compute:kuryr', device_id: randomUUID() }
    id = (await neutron.ports.create(body, cloud.context())).id
  })
  const bound = await timed(() => service.ports.update(id, { 'binding:host_id': cloud.hostName }, cloud.context()))
  const gone = await timed(() => service.ports.remove(id, cloud.context()))
  return { made, bound, gone }
}

async function bareNeutron(): Promise<void> {
  await raw.remove(await raw.run())
  const theirs: number[] = []
  const ports: { made: number; bound: number; gone: number }[] = []
  for (let round = 0; round < rounds; round += 1) {
    let id = ''
    theirs.push(await timed(async () => void (id = await raw.run())))
    await raw.remove(id)
    ports.push(await bare())
  }
  const of = (key: 'made' | 'bound' | 'gone') => median(ports.map((port) => port[key]))
  rows.push({
    what: 'Neutron by itself: a port made, bound, deleted',
    ours: `${of('made').toFixed(0)} + ${of('bound').toFixed(0)} + ${of('gone').toFixed(0)} ms`,
    theirs: '—',
    ratio: (of('made') + of('bound')) / median(theirs),
    goal: '—',
  })
}

async function sequential(where: string): Promise<void> {
  await run('warm')
  await quiet()
  await remove('warm')
  await quiet()
  const ours: number[] = []
  const theirs: number[] = []
  const ends: number[] = []
  const theirEnds: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    let id = ''
    theirs.push(await timed(async () => void (id = await raw.run())))
    theirEnds.push(await timed(() => raw.remove(id)))
    ours.push(await run(`seq-${round}`))
    // What goes on behind it (the bind, and what is kept ready for the next one) is no part of the next measure.
    await quiet()
    ends.push(await remove(`seq-${round}`))
    await quiet()
    process.stderr.write(`${round}: ${ours.at(-1)?.toFixed(0)} / ${theirs.at(-1)?.toFixed(0)} ms\n`)
  }
  pair(`POST → Running on a Neutron network, ${where}`, ours, theirs, '≤ 2.5')
  pair(`DELETE → gone, its port too, ${where}`, ends, theirEnds, '—')
}

/** Containers one after the other as fast as they can be had, then sixteen at once. */
async function together(): Promise<void> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < Math.max(2, Math.round(rounds / 4)); round += 1) {
    let ids: string[] = []
    theirs.push(16_000 / (await timed(async () => void (ids = await Promise.all(sixteen(() => raw.run()))))))
    for (const id of ids) await raw.remove(id)
    const names = sixteen((index) => `par-${round}-${index}`)
    ours.push(16_000 / (await timed(() => Promise.all(names.map(run)))))
    await quiet()
    await Promise.all(names.map(remove))
    await quiet()
  }
  rows.push({
    what: '16 at once, containers a second',
    ours: `${median(ours).toFixed(1)}/s`,
    theirs: `${median(theirs).toFixed(1)}/s`,
    ratio: median(ours.map((value, index) => value / (theirs[index] ?? value))),
    goal: '—',
  })
}

function sixteen<T>(make: (index: number) => T): T[] {
  return Array.from({ length: 16 }, (_, index) => make(index))
}

function pair(what: string, ours: readonly number[], theirs: readonly number[], goal: string): void {
  rows.push({
    what,
    ours: `${median(ours).toFixed(0)} ms`,
    theirs: `${median(theirs).toFixed(0)} ms`,
    ratio: median(ours.map((value, index) => value / (theirs[index] ?? value))),
    goal,
  })
}

async function quiet(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2500))
}
