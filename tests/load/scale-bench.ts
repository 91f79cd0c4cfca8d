/**
 * `npm run bench:scale`: what more servers bring on one PostgreSQL (1, 2 and 3 in turn, as ratios), and what a page of 1,000 of a million
 * containers costs on both databases. `npm run bench:scale lists` or `servers` takes one part. Prints Markdown tables for docs/scale.md.
 */
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { percentile } from './measure.ts'
import { type Cloud, startCloud, type Tenant } from './sim/cloud.ts'

const only = process.argv.slice(2)
/** Of each page: to warm caches up, then measured, until so much time is over. */
const warmUp = 5
const mostRounds = 200
const mostMs = 15_000
const million = Number(process.env['GANTRY_BENCH_ROWS'] ?? 1_000_000)

/** Given up, so that no server tries to place them. */
const givenUp = { placement_failure: "'no host'", status: "'Error'", name: "'row-' || n" }

if (only.length === 0 || only.includes('servers')) await serversBench()
if (only.length === 0 || only.includes('lists')) await listsBench()
process.exit(0)

async function serversBench(): Promise<void> {
  console.log('| Servers | reads a second | ratio | creates a second | ratio |\n|---|---|---|---|---|')
  let first: { reads: number; creates: number } | null = null
  for (const servers of [1, 2, 3]) {
    await using cloud = await startCloud({ servers, sqlite: false })
    const tenants = await Promise.all(Array.from({ length: 8 }, (_, index) => cloud.newTenant(`tenant-${index}`)))
    const body = { name: 'one', image: 'busybox:latest', unplugged: true, cpu: 0.01, memory: 8 }
    for (const tenant of tenants) await created(cloud, tenant, 0, body)
    const show = (tenant: Tenant, round: number) => asked(cloud, tenant, round, { path: '/v1/containers/one' })
    await rate(tenants, 1, show)
    const reads = await rate(tenants, 6, show)
    const creates = await rate(tenants, 6, (tenant, round) =>
      created(cloud, tenant, round, { ...body, name: `c${round}` }),
    )
    first ??= { reads, creates }
    const ratios = [reads / first.reads, creates / first.creates].map((ratio) => ratio.toFixed(2))
    console.log(`| ${servers} | ${reads.toFixed(0)} | ${ratios[0]} | ${creates.toFixed(0)} | ${ratios[1]} |`)
  }
}

/** Requests a second of four clients of each tenant for so many seconds. */
async function rate(
  tenants: readonly Tenant[],
  seconds: number,
  work: (tenant: Tenant, round: number) => Promise<unknown>,
): Promise<number> {
  const end = performance.now() + seconds * 1000
  let done = 0
  const clients = [...tenants, ...tenants, ...tenants, ...tenants].map(async (tenant) => {
    while (performance.now() < end) {
      done += 1
      await work(tenant, done)
    }
  })
  const started = performance.now()
  await Promise.all(clients)
  return (done * 1000) / (performance.now() - started)
}

async function asked(cloud: Cloud, tenant: Tenant, round: number, call: Parameters<Cloud['ask']>[2]): Promise<string> {
  const server = cloud.servers[round % cloud.servers.length]
  if (!server) throw new Error('there is no server')
  const { status, text } = await cloud.ask(server, tenant, call)
  if (status >= 300) throw new Error(`${call.path}: ${status} ${text}`)
  return text
}

async function created(cloud: Cloud, tenant: Tenant, round: number, body: object): Promise<string> {
  return asked(cloud, tenant, round, { method: 'POST', path: '/v1/containers', body })
}

async function listsBench(): Promise<void> {
  console.log(`\nA page of 1,000 of ${million.toLocaleString('en')} containers:\n`)
  console.log('| Page | PostgreSQL p50 / p99 | SQLite p50 / p99 |\n|---|---|---|')
  const [postgres, sqlite] = [await pagesOn(false), await pagesOn(true)]
  for (const [page, { p50, p99 }] of postgres) {
    const other = sqlite.get(page)
    console.log(`| ${page} | ${p50} / ${p99} ms | ${other?.p50} / ${other?.p99} ms |`)
  }
}

async function pagesOn(sqlite: boolean): Promise<Map<string, { p50: string; p99: string }>> {
  await using cloud = await startCloud({ servers: 1, sqlite })
  const tenant = await cloud.newTenant('many')
  const body = { name: 'row-0', image: 'busybox:latest', unplugged: true, cpu: 0.01, memory: 8 }
  const { id } = JSON.parse(await created(cloud, tenant, 0, body)) as { id: string }
  if (cloud.database.kind === 'sqlite') multiplyInSqlite(cloud.database.file, id)
  else await multiplyInPostgres(cloud.database.url, id)
  const pages: Readonly<Record<string, () => Promise<string>>> = {
    newest: async () => '/v1/containers?limit=1000',
    'in the middle': async () =>
      `/v1/containers?limit=1000&marker=${await nameToId(cloud, tenant, `row-${million / 2}`)}`,
    'of one status': async () => '/v1/containers?limit=1000&status=Error',
    'by name': async () => '/v1/containers?limit=1000&sort=name&order=asc',
  }
  const found = new Map<string, { p50: string; p99: string }>()
  for (const [name, pathOf] of Object.entries(pages)) {
    const path = await pathOf()
    const times: number[] = []
    const end = performance.now() + mostMs
    for (let round = 0; round < warmUp + mostRounds && (performance.now() < end || times.length < 2); round += 1) {
      const started = performance.now()
      const { containers } = JSON.parse(await asked(cloud, tenant, 0, { path })) as { containers: unknown[] }
      if (containers.length !== 1000) throw new Error(`${path}: ${containers.length} containers`)
      // The first few warm caches up.
      if (round >= warmUp) times.push(performance.now() - started)
    }
    const [p50, p99] = [percentile(times, 50).toFixed(0), percentile(times, 99).toFixed(0)]
    found.set(name, { p50, p99 })
    const database = sqlite ? 'SQLite' : 'PostgreSQL'
    process.stderr.write(`${database}, ${name}: p50 ${p50}, p99 ${p99} ms of ${times.length}\n`)
  }
  return found
}

async function nameToId(cloud: Cloud, tenant: Tenant, name: string): Promise<string> {
  return (JSON.parse(await asked(cloud, tenant, 0, { path: `/v1/containers/${name}` })) as { id: string }).id
}

/** Columns that are the same in every copy of a row; the others are given by `own`. */
function copied(columns: readonly string[], own: Readonly<Record<string, string>>): string {
  return columns.map((column) => own[column] ?? `one.${column}`).join(', ')
}

async function multiplyInPostgres(url: string, id: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  const { fields } = await client.query('select * from containers limit 0')
  const columns = fields.map(({ name }) => name)
  const own = { ...givenUp, id: 'gen_random_uuid()::text', seq: "nextval('row_order')" }
  await client.query(
    `insert into containers (${columns.join(', ')}) select ${copied(columns, own)}
     from containers one, generate_series(1, ${million}) n where one.id = $1`,
    [id],
  )
  await client.query('vacuum analyze containers')
  await client.end()
}

function multiplyInSqlite(file: string, id: string): void {
  const db = new DatabaseSync(file)
  db.exec('pragma busy_timeout = 60000')
  const columns = db
    .prepare('select name from pragma_table_info(?)')
    .all('containers')
    .map(({ name }) => String(name))
  const hex = (bytes: number) => `lower(hex(randomblob(${bytes})))`
  const uuid = [4, 2, 2, 2, 6].map(hex).join(" || '-' || ")
  const own = { ...givenUp, id: uuid, seq: 'one.seq + n' }
  db.prepare(
    `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${million})
     insert into containers (${columns.join(', ')}) select ${copied(columns, own)} from containers one, numbers where one.id = ?`,
  ).run(id)
  db.close()
}
