/**
 * `npm run test:faults`: a cloud of several servers and hosts under load, to which every fault that we know is done, and a judge.
 * Ends with 1 if anything that an API promised did not come true. See docs/reliability.md.
 */
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deleteAll, finalState, leftBehind } from './aftermath.ts'
import { violationsOf } from './checker.ts'
import { createClient } from './client.ts'
import { watchDoubles } from './doubles.ts'
import { faultsOf, type Suffered, suffer } from './faults.ts'
import type { Operation } from './history.ts'
import { seeded } from './random.ts'
import { type Campaign, reportOf, writeReport } from './report.ts'
import { publish } from './image.ts'
import { delay } from './waiting.ts'
import { ofVolumes } from './volume-checker.ts'
import { workload } from './workload.ts'
import { createWorld } from './world.ts'

const number = (name: string, usual: number) => Number(process.env[`GANTRY_CAMPAIGN_${name}`] ?? usual)
const seconds = number('SECONDS', 60)
const seed = number('SEED', Date.now() % 1_000_000)
/** Time to come to rest after everything is mended. */
const restSeconds = number('REST', 120)
const only = process.env['GANTRY_CAMPAIGN_FAULTS']?.split(',')
const postgres = process.env['GANTRY_CAMPAIGN_STORE'] !== 'sqlite'
const servers = postgres ? number('SERVERS', 3) : 1
const hosts = 3
/** Whether what ran on a host that is cut off for long enough is made anew elsewhere. */
const evacuates = process.env['GANTRY_CAMPAIGN_EVACUATE'] === 'yes'
const serverArgs = evacuates ? ['--evacuate', 'all', '--evacuate-after', '20'] : []
/** For the logs: kept if one asks for them, and if something is found. */
const keep = process.env['GANTRY_CAMPAIGN_KEEP']
const logs = keep ?? join(tmpdir(), `campaign-logs-${seed}`)
const limit = 10
const workers = 3
const root = new URL('../../..', import.meta.url).pathname

async function campaign(signal: AbortSignal): Promise<Campaign> {
  const setting = `${servers} server${servers > 1 ? 's' : ''} on ${postgres ? 'PostgreSQL' : 'SQLite'}, ${hosts} hosts${evacuates ? ', lost hosts evacuated' : ''}`
  console.log(`${setting}; seed ${seed}, ${seconds} s`)
  const stage = stages()
  let isClean = false
  const logsTo = () => (isClean && keep === undefined ? null : logs)
  await using world = await createWorld({ servers, hosts, postgres, serverArgs, logsTo })
  stage('the world is made')
  await using client = createClient(world, seeded(seed))
  const admin = await client.admin()
  await publish(client, admin, 'busybox:latest', 'host-1')
  const users = [await client.newUser(admin, 'alpha'), await client.newUser(admin, 'beta')]
  for (const { projectId } of users) {
    const body = { containers: limit, memory: -1, cpu: -1, disk: -1 }
    const { status, text } = await client.ask(admin, { method: 'PATCH', path: `/v1/quotas/${projectId}`, body })
    if (status !== 200) throw new Error(`the quota was not set: ${status} ${text}`)
  }

  const history: Operation[] = []
  const suffered: Suffered[] = []
  const began = performance.now()
  const now = () => Math.round(performance.now() - began)
  const ending = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)])
  const note = (operation: Operation) => void history.push(operation)
  const loads = users.flatMap((user, at) =>
    Array.from({ length: workers }, (_, index) => {
      const worker = at * workers + index
      return workload({
        client,
        user,
        number: worker,
        most: 5,
        random: seeded(seed + 1 + worker),
        now,
        note,
        signal: ending,
      })
    }),
  )
  const faults = faultsOf(world, seeded(seed)).filter(
    ({ kind }) => only === undefined || only.some((part) => kind.includes(part)),
  )
  const suffering =
    faults.length === 0
      ? null
      : suffer({
          faults,
          random: seeded(seed + 100),
          lanes: number('LANES', 3),
          longest: number('LONGEST', evacuates ? 60_000 : 8000),
          now,
          signal: ending,
          note: (one) => void suffered.push(one),
        })
  const watching = new AbortController()
  const doubles = watchDoubles(world, now, watching.signal)
  await Promise.all([...loads, suffering]).finally(() => watching.abort())
  signal.throwIfAborted()
  stage('everything is mended')
  const mended = performance.now()
  const after = { world, client, admin, users, limit }
  const final = await finalState(after, restSeconds)
  const rested = (performance.now() - mended) / 1000
  stage('everything is at rest')
  const violations = [...violationsOf(history, final), ...(await doubles)]
  violations.push(...ofVolumes(history, await deleteAll(after, restSeconds)))
  stage('everything is deleted')
  violations.push(...(await leftBehind(after, restSeconds)))
  stage('nothing is left')
  const told = { seed, seconds, setting, history, suffered, final, violations, restSeconds: rested }
  await writeFile(join(world.folder, 'campaign.json'), JSON.stringify(told, null, 1))
  isClean = violations.length === 0
  return told
}

function stages(): (what: string) => void {
  let last = performance.now()
  return (what) => {
    const next = performance.now()
    console.log(`… ${what} (${((next - last) / 1000).toFixed(1)} s)`)
    last = next
  }
}

const aborter = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => aborter.abort(new Error(name)))
const done = await campaign(aborter.signal).catch((error: unknown) => {
  console.error(`The logs are in ${logs}.`)
  throw error
})
const report = reportOf(done)
if (done.violations.length > 0) console.log(`The logs are in ${logs}.`)
console.log(report)
if (process.argv.includes('--write')) await writeReport(join(root, 'docs/reliability.md'), report)
await delay(0)
process.exitCode = done.violations.length === 0 ? 0 : 1
