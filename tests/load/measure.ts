import { request } from 'node:http'
import { createInterface } from 'node:readline'

export interface Row {
  readonly what: string
  readonly ours: string
  readonly theirs: string
  readonly ratio: number | null
  readonly goal: string
}

export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** Nearest-rank percentile. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))
  return sorted[rank] ?? Number.NaN
}

export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, ours, theirs, ratio, goal }) => {
    return `| ${what} | ${ours} | ${theirs} | ${ratio === null ? '—' : ratio.toFixed(2)} | ${goal} |`
  })
  return ['| what | Gantry | raw engine | ratio | goal |', '|---|---|---|---|---|', ...lines].join('\n')
}

export interface Watch {
  /** Resolves with `performance.now()` of the moment the event arrived. */
  until(name: string, status: string): Promise<number>
  close(): Promise<void>
}

/** Follows the native event stream, as a client that wants to know at once would. */
export function containerWatch(api: string, token: string): Promise<Watch> {
  const waiting = new Map<string, (at: number) => void>()
  return new Promise((resolve, reject) => {
    const asked = request(`${api}/v1/events`, { headers: { 'x-auth-token': token } }, (response) => {
      createInterface({ input: response }).on('line', (line) => {
        if (!line.startsWith('data:')) return
        const event = JSON.parse(line.slice('data:'.length)) as { name: string; status: string }
        const key = `${event.name} ${event.status}`
        waiting.get(key)?.(performance.now())
        waiting.delete(key)
      })
      resolve({
        until: (name, status) => new Promise((told) => waiting.set(`${name} ${status}`, told)),
        close: async () => void response.destroy(),
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
