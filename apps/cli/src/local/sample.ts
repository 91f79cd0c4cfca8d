import { setTimeout as sleep } from 'node:timers/promises'
import type { Cloud } from './cloud.ts'

const sampleName = 'hello'
const waitMs = 120_000

/** Prints a few lines, then waits, and ends at once when it is asked to. */
const script = [
  'echo "Hello from container $(hostname)."',
  'echo "$(uname -s) $(uname -m), $(nproc) CPU(s) seen from inside."',
  'echo "I wait now; stop me any time."',
  "trap 'echo Good-bye.; exit 0' TERM INT",
  'while :; do sleep 3600 & wait $!; done',
].join('\n')

export interface Sample {
  readonly status: string
  readonly reason: string
  /** false: it was there from an earlier start and nothing was changed. */
  readonly fresh: boolean
  readonly logs: string[]
}

interface Shown {
  uuid?: string
  status?: string
  status_reason?: string | null
}

/** The sample that is there already, or undefined. */
export async function findSample(cloud: Cloud, signal: AbortSignal): Promise<Sample | undefined> {
  const { status, body } = await cloud.container({ path: `/containers/${sampleName}` }, signal)
  if (status === 404) return undefined
  const shown = must(status, body, 'show') as Shown
  return { ...stateOf(shown), fresh: false, logs: await logsOf(cloud, signal) }
}

/** Runs the sample as any tenant would and waits until it is Running, told by the cloud's own events. */
export async function runSample(cloud: Cloud, say: (detail: string) => void, signal: AbortSignal): Promise<Sample> {
  const body = { name: sampleName, image: 'busybox:latest', command: ['sh', '-c', script] }
  const answer = await cloud.container({ method: 'POST', path: '/containers?run=true', body }, signal)
  const uuid = (must(answer.status, answer.body, 'run') as Shown).uuid
  const limit = AbortSignal.any([signal, AbortSignal.timeout(waitMs)])
  const shown = await untilSettled(cloud, `/containers/${uuid}`, say, limit)
  return { ...stateOf(shown), fresh: true, logs: shown.status === 'Running' ? await firstLogs(cloud, limit) : [] }
}

async function untilSettled(
  cloud: Cloud,
  path: string,
  say: (detail: string) => void,
  signal: AbortSignal,
): Promise<Shown> {
  for (let lost = 0; ; lost += 1) {
    try {
      // One look as soon as the stream is open, then one for each event.
      for await (const _ of cloud.events(signal)) {
        const { status, body } = await cloud.container({ path }, signal)
        const shown = must(status, body, 'show') as Shown
        say(String(shown.status))
        if (shown.status !== 'Creating' && shown.status !== 'Created') return shown
      }
    } catch (error) {
      signal.throwIfAborted()
      if (lost >= 4) throw error
    }
    await sleep(250 * 2 ** lost, undefined, { signal })
  }
}

/** A process's first lines may come a moment after it runs. */
async function firstLogs(cloud: Cloud, signal: AbortSignal): Promise<string[]> {
  for (let tries = 0; tries < 5; tries += 1) {
    const lines = await logsOf(cloud, signal)
    if (lines.length > 2) return lines
    await sleep(100 * 2 ** tries, undefined, { signal })
  }
  return await logsOf(cloud, signal)
}

async function logsOf(cloud: Cloud, signal: AbortSignal): Promise<string[]> {
  const { status, body } = await cloud.container({ path: `/containers/${sampleName}/logs?tail=10` }, signal)
  if (status !== 200 || typeof body !== 'string') return []
  return body.split('\n').filter((line) => line.trim() !== '')
}

function stateOf(shown: Shown): { status: string; reason: string } {
  return { status: String(shown.status), reason: shown.status_reason ?? '' }
}

function must(status: number, body: unknown, what: string): unknown {
  if (status >= 200 && status < 300) return body
  const errors = (body as { errors?: { detail?: string }[] } | null)?.errors
  throw new Error(
    `the container API answered ${status} to "${what}": ${errors?.[0]?.detail ?? JSON.stringify(body).slice(0, 300)}`,
  )
}
