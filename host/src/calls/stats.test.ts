import { expect, test } from 'vitest'
import { statsFrom } from './stats.ts'

const cpu = (total: number, system?: number) => ({
  cpu_usage: { total_usage: total },
  ...(system !== undefined && { system_cpu_usage: system }),
  online_cpus: 4,
})

test('rates between the samples, sums over devices', () => {
  expect(
    statsFrom({
      cpu_stats: cpu(300, 2000),
      precpu_stats: cpu(200, 1000),
      memory_stats: { usage: 1000, limit: 5000, stats: { total_inactive_file: 400, inactive_file: 1 } },
      blkio_stats: {
        io_service_bytes_recursive: [
          { op: 'Read', value: 1 },
          { op: 'read', value: 2 },
          { op: 'Write', value: 4 },
          { op: 'Total', value: 9 },
        ],
      },
      networks: { eth0: { rx_bytes: 10, tx_bytes: 20 }, eth1: { rx_bytes: 1, tx_bytes: 2 } },
      pids_stats: { current: 3 },
    }),
  ).toEqual({
    cpuPercent: 40,
    memoryUsed: 600,
    memoryLimit: 5000,
    blockRead: 3,
    blockWrite: 4,
    netReceived: 11,
    netSent: 22,
    pids: 3,
  })
})

test('a first sample, or a stopped container, has no rate', () => {
  const raw = { cpu_stats: cpu(300, 2000), precpu_stats: cpu(0), memory_stats: {}, blkio_stats: {} }
  expect(statsFrom(raw)).toMatchObject({ cpuPercent: 0, memoryUsed: 0, memoryLimit: 0, pids: 0, blockRead: 0 })
})
