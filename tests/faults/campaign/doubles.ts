import { request } from 'node:http'
import type { Violation } from './history.ts'
import { delay } from './waiting.ts'
import type { World } from './world.ts'

/** Looks into all engines again and again, until the signal, for a container that runs in two of them. */
export async function watchDoubles(
  world: Pick<World, 'hosts'>,
  now: () => number,
  signal: AbortSignal,
): Promise<Violation[]> {
  const found = new Map<string, string>()
  let before = new Set<string>()
  while (!signal.aborted) {
    const places = new Map<string, string[]>()
    // One after another, so that one which has just moved may be seen twice: once. What counts is seen so twice running.
    for (const { engine, machine } of world.hosts) {
      for (const container of await running(engine.socket)) {
        places.set(container, [...(places.get(container) ?? []), machine.name])
      }
    }
    const doubles = [...places].filter(([, hosts]) => hosts.length > 1)
    for (const [container, hosts] of doubles) {
      if (!before.has(container) || found.has(container)) continue
      found.set(container, `${container} ran on ${hosts.join(' and ')} at once, ${now()} ms after the beginning.`)
    }
    before = new Set(doubles.map(([container]) => container))
    await delay(500)
  }
  return [...found.values()].map((text) => ({ kind: 'twice', text }))
}

/** Labels of the containers that run; none where the engine does not answer. */
function running(socketPath: string): Promise<string[]> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/containers/json', timeout: 5000 }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('close', () => resolve(labelsIn(Buffer.concat(parts).toString())))
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve([]))
    call.end()
  })
}

function labelsIn(text: string): string[] {
  try {
    const all = JSON.parse(text) as { Labels?: Record<string, string>; State: string }[]
    return all.flatMap(({ Labels, State }) => (State === 'running' ? (Labels?.['gantry.container'] ?? []) : []))
  } catch {
    return []
  }
}
