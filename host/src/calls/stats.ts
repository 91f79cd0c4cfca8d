import type { AgentCalls, Stats } from '@gantry/wire'
import type { ContainerStats } from '../engine/engine-types.ts'
import { type CallContext, onContainer } from './call-context.ts'

export function statsCall(context: CallContext): AgentCalls['stats'] {
  return ({ id }, { signal }) =>
    onContainer(context, 'measure', id, signal, async (engineId) => {
      const stats = await context.engine.containers.stats(engineId, signal)
      return { reply: statsFrom(stats), output: null }
    })
}

/** Rates and sums from the engine's two samples. Pure. */
export function statsFrom(raw: ContainerStats): Stats {
  const networks = Object.values(raw.networks ?? {})
  const blocks = raw.blkio_stats.io_service_bytes_recursive ?? []
  const blockSum = (op: string) => sum(blocks.filter((row) => row.op.toLowerCase() === op).map((row) => row.value))
  return {
    cpuPercent: cpuPercent(raw),
    memoryUsed: memoryUsed(raw.memory_stats),
    memoryLimit: raw.memory_stats.limit ?? 0,
    blockRead: blockSum('read'),
    blockWrite: blockSum('write'),
    netReceived: sum(networks.map((network) => network.rx_bytes)),
    netSent: sum(networks.map((network) => network.tx_bytes)),
    pids: raw.pids_stats?.current ?? 0,
  }
}

/** The container's share of the machine's processor time between the samples, in percent of one core. */
function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const mine = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const all = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  const cores = now.online_cpus ?? now.cpu_usage.percpu_usage?.length ?? 1
  return mine > 0 && all > 0 && before.system_cpu_usage !== undefined ? (mine / all) * cores * 100 : 0
}

/** Without the page cache that can be dropped at once, as `docker stats` shows it (cgroup v1 and v2 name it differently). */
function memoryUsed({ usage = 0, stats = {} }: ContainerStats['memory_stats']): number {
  const cache = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0
  return cache < usage ? usage - cache : usage
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
