import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Orders } from './agents.ts'
import { type Counts, noCounts } from './sim-host.ts'

export interface Fleet extends AsyncDisposable {
  /** Of all hosts, a quarter of a second ago at most. */
  counts(): Counts & { joined: number }
  readonly pids: readonly number[]
}

/** Starts so many simulated hosts in so many processes; they join by themselves. */
export function startFleet(orders: Orders, processes: number): Fleet {
  const told = new Map<ChildProcess, Counts & { joined: number }>()
  const share = Math.ceil(orders.tokens.length / processes)
  for (let start = 0; start < orders.tokens.length; start += share) {
    const child = fork(fileURLToPath(new URL('agents.ts', import.meta.url)), {
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    told.set(child, { ...noCounts(), joined: 0 })
    child.on('message', (counts: Counts & { joined: number }) => told.set(child, counts))
    child.send({ ...orders, tokens: orders.tokens.slice(start, start + share), first: orders.first + start })
  }
  return {
    counts() {
      const sum = { ...noCounts(), joined: 0 }
      for (const one of told.values()) {
        for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += one[key]
      }
      return sum
    },
    get pids() {
      return [...told.keys()].flatMap(({ pid }) => pid ?? [])
    },
    async [Symbol.asyncDispose]() {
      for (const child of told.keys()) {
        if (child.exitCode !== null) continue
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
    },
  }
}
