import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type ContainerId, nothingObserved } from '@gantry/model'
import { expect, test } from 'vitest'
import { fakeHost, memoryReports, relayBench, until } from './test-harness.ts'

test('a session that lasts does not grow with the messages that it has taken', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let taken = 0
  const { reports } = memoryReports()
  const counting = { ...reports, observed: async () => void (taken += 1) }
  const bench = await relayBench({ reports: counting })
  try {
    const agent = fakeHost()
    await bench.agent(agent.host)
    await until(() => agent.told.includes('synced'))
    const send = async (count: number) => {
      const upTo = taken + count
      for (let sent = 1; sent <= count; sent += 1) {
        agent.send({ kind: 'observed', id: 'c' as ContainerId, observed: nothingObserved, gone: false })
        if (sent % 1000 === 0) await until(() => taken === upTo - count + sent)
      }
    }
    const heap = () => {
      collect()
      return process.memoryUsage().heapUsed
    }
    await send(2000)
    const before = heap()
    await send(40_000)
    // A promise that is raced once for each message takes 256 bytes for it.
    expect(heap() - before).toBeLessThan(4 * 1024 * 1024)
  } finally {
    await bench.close()
  }
})
