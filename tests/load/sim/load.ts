import { percentile } from '../measure.ts'
import { memoryEach } from './sim-host.ts'
import type { Cloud, Tenant } from './cloud.ts'

/** What the sim asks of the cloud while its fleet fills. */
export interface Load {
  /** Containers whose creation was answered with success. */
  accepted(): number
  /** Settles when all have been asked for. */
  readonly done: Promise<void>
}

const alike = {
  image: 'busybox:latest',
  command: ['sleep', '100000'],
  run: true,
  unplugged: true,
  cpu: 0.01,
  memory: memoryEach,
}

/** Asks for containers in requests of `batch`, each tenant one request after another, as long as not more than `ahead` wait for a host. */
export function startLoad(
  cloud: Cloud,
  tenants: readonly Tenant[],
  {
    containers,
    batch,
    waiting,
    ahead,
  }: { containers: number; batch: number; ahead: number; waiting: (accepted: number) => number },
): Load {
  let accepted = 0
  let left = containers
  const work = async (tenant: Tenant, index: number): Promise<void> => {
    const server = cloud.servers[index % cloud.servers.length]
    if (!server) return
    for (let round = 0; left > 0; round += 1) {
      if (waiting(accepted) > ahead) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        continue
      }
      const count = Math.min(batch, left)
      left -= count
      const body = { ...alike, name: `batch-${index}-${round}`, count }
      const answer = await cloud.ask(server, tenant, { method: 'POST', path: '/v1/containers/bulk', body })
      if (answer.status !== 202) throw new Error(`bulk: ${answer.status} ${answer.text}`)
      accepted += count
    }
  }
  return { accepted: () => accepted, done: Promise.all(tenants.map(work)).then(() => undefined) }
}

export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly count: number
  /** Of those, answered with 503: the cloud was too busy. */
  readonly refused: number
}

/** What a user feels meanwhile: single requests, one of each kind after another, until the signal. */
export async function probe(cloud: Cloud, tenant: Tenant, signal: AbortSignal): Promise<Record<string, Latencies>> {
  const times = new Map<string, number[]>()
  const refused = new Map<string, number>()
  const timed = async (name: string, call: Parameters<Cloud['ask']>[2]): Promise<boolean> => {
    const server = cloud.servers[(times.get(name)?.length ?? 0) % cloud.servers.length]
    if (!server) return false
    const started = performance.now()
    const { status, text } = await cloud.ask(server, tenant, call)
    if (status === 503) refused.set(name, (refused.get(name) ?? 0) + 1)
    else if (status >= 300) throw new Error(`${name}: ${status} ${text}`)
    times.set(name, [...(times.get(name) ?? []), performance.now() - started])
    return status < 300
  }
  for (let round = 0; !signal.aborted; round += 1) {
    const name = `single-${round}`
    const isThere = await timed('create', { method: 'POST', path: '/v1/containers', body: { ...alike, name } })
    if (isThere) await timed('show', { path: `/v1/containers/${name}` })
    await timed('list', { path: '/v1/containers?limit=100' })
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return Object.fromEntries(
    [...times].map(([name, taken]) => [
      name,
      {
        p50: percentile(taken, 50),
        p99: percentile(taken, 99),
        max: Math.max(...taken),
        count: taken.length,
        refused: refused.get(name) ?? 0,
      },
    ]),
  )
}
