/**
 * `npm run sim -- --hosts 1000 --containers 100000 [--servers 2] [--sqlite] [--storm] [--out DIR]`: real servers and a real store under
 * simulated hosts, which speak the real protocol over mutual TLS. Prints how it goes, writes the figures as JSON and the curves as SVG
 * (docs/scale.md). `--profile DIR` has Node write a CPU profile of each server.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { svgOf } from './curve.ts'
import { type SimResult, simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '100' },
    containers: { type: 'string', default: '10000' },
    servers: { type: 'string', default: '1' },
    batch: { type: 'string', default: '500' },
    tenants: { type: 'string', default: '4' },
    sqlite: { type: 'boolean', default: false },
    storm: { type: 'boolean', default: false },
    out: { type: 'string' },
    profile: { type: 'string' },
  },
})

const result = await simulate({
  hosts: Number(values.hosts),
  containers: Number(values.containers),
  servers: Number(values.servers),
  batch: Number(values.batch),
  tenants: Number(values.tenants),
  sqlite: values.sqlite,
  storm: values.storm,
  nodeArgs: values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`],
  progress: (line) => process.stderr.write(`${line}\n`),
})
const { samples: _samples, ...figures } = result
console.log(JSON.stringify(figures, null, 2))
if (values.out !== undefined) await writeOut(values.out, result)
process.exit(0)

async function writeOut(folder: string, { options, samples, placedPerSecond }: SimResult): Promise<void> {
  await mkdir(folder, { recursive: true })
  const size = `${options.containers}-on-${options.hosts}`
  const what = `${options.containers.toLocaleString('en')} containers on ${options.hosts.toLocaleString('en')} hosts`
  await writeFile(join(folder, `sim-${size}.json`), `${JSON.stringify(result, null, 1)}\n`)
  const rates = samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample
    const rate = (sample.placed - before.placed) / (sample.seconds - before.seconds)
    return [sample.placed, Number.isFinite(rate) ? rate : 0] as const
  })
  const rate = svgOf({
    title: `Placements a second while the fleet fills: ${what} (${placedPerSecond.toFixed(0)}/s on the whole)`,
    x: 'containers placed',
    y: 'placements a second',
    lines: [{ name: 'placements/s', color: '#1f6fb2', points: rates }],
    goal: { y: 3750, name: 'goal: 3,750/s' },
  })
  await writeFile(join(folder, `sim-rate-${size}.svg`), rate)
  const counts = (key: 'accepted' | 'placed' | 'settled') =>
    samples.map((sample) => [sample.seconds, sample[key]] as const)
  const progress = svgOf({
    title: `Accepted, placed and running: ${what}`,
    x: 'seconds',
    y: 'containers',
    lines: [
      { name: 'accepted', color: '#888', points: counts('accepted') },
      { name: 'placed', color: '#1f6fb2', points: counts('placed') },
      { name: 'running, written down', color: '#2a8f3c', points: counts('settled') },
    ],
  })
  await writeFile(join(folder, `sim-progress-${size}.svg`), progress)
}
