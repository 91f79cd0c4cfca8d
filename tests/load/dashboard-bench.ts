/**
 * `npm run bench:dashboard`: how long until the overview can be used, with 1,000 containers in the project, in a real Chromium: from the
 * first request to the counts, quota and activity being there. With an empty cache and as it is on every later visit. Prints a Markdown
 * table for docs/performance.md, and what script each page needs.
 */
import { join } from 'node:path'
import { buildPages, openBrowser, signIn } from '../fixtures/dashboard.ts'
import { startGantry } from '../fixtures/gantry.ts'
import { pageSizes } from '../../tools/page-size.ts'
import { median, percentile } from './measure.ts'

const containers = 1000
const rounds = 10
const goalMs = 1000

await buildPages()
await using gantry = await startGantry()
await using browser = await openBrowser()
const [admin, demo, env] = [await gantry.logIn('admin'), await gantry.logIn('demo'), await gantry.env()]
await admin.native('PATCH', `/quotas/${demo.projectId}`, { containers: -1, cpu: -1, memory: -1, disk: -1 })
// They are made on the host's engine, but not started: what runs there must not be what is measured.
const body = { name: 'many', image: 'busybox', command: ['sleep', '1000'], unplugged: true, cpu: 0.01, memory: 8 }
const made = await demo.native('POST', '/containers/bulk', { ...body, count: containers })
if (made.status !== 202) throw new Error(`${made.status} ${made.text}`)
for (;;) {
  const { json } = await demo.native('GET', '/containers/summary')
  const byStatus = json['byStatus'] as unknown as Record<string, number>
  if ((byStatus['Creating'] ?? 0) === 0) break
  await new Promise((resolve) => setTimeout(resolve, 500))
}

const [fresh, again]: [number[], number[]] = [[], []]
for (let round = 0; round < rounds; round += 1) {
  const page = await browser.newPage()
  await signIn(page, gantry.api, env)
  const { cookies } = await page.context().storageState()
  const other = await browser.newPage()
  await other.context().addCookies(cookies)
  fresh.push(await usableAfter(other))
  again.push(await usableAfter(other))
  await page.context().close()
  await other.context().close()
}
console.log(
  `| Overview with ${containers.toLocaleString('en')} containers | p50 | slowest of ${rounds} | goal |\n|---|--:|--:|--:|`,
)
for (const [what, times] of [
  ['nothing cached', fresh],
  ['a later visit', again],
] as const) {
  console.log(`| ${what} | ${median(times).toFixed(0)} ms | ${percentile(times, 100).toFixed(0)} ms | ${goalMs} ms |`)
}
for (const { name, script } of await pageSizes(join(import.meta.dirname, '..', '..', 'dist', 'dashboard'))) {
  console.log(`${(script / 1000).toFixed(1).padStart(7)} kB  ${name}`)
}

/** Milliseconds until all three parts show something. */
async function usableAfter(page: Awaited<ReturnType<typeof browser.newPage>>): Promise<number> {
  const started = performance.now()
  await page.goto(`${gantry.api}/ui/`, { waitUntil: 'commit' })
  await Promise.all([
    page
      .getByText(containers.toLocaleString('en'), { exact: true })
      .or(page.getByText(String(containers), { exact: true }))
      .first()
      .waitFor(),
    page
      .getByText(`${containers.toLocaleString('en')} of`)
      .or(page.getByText(String(containers)))
      .first()
      .waitFor(),
    page
      .getByText(/was created|is being created/)
      .first()
      .waitFor(),
  ])
  return performance.now() - started
}
