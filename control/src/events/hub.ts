import type { Caller, Container, ContainerId, ProjectId } from '@gantry/model'
import type { ContainerEvent } from '../control.ts'

/** Hands changes to whoever watches. In memory: a watcher that was away asks for the list again. */
export interface EventHub {
  publish(event: ContainerEvent): void
  /** Calls `heard` at each change of one container, until the returned function is called. */
  listen(id: ContainerId, heard: (event: ContainerEvent) => void): () => void
  /** Events of one project (null: all) until the signal is aborted. */
  watch(project: ProjectId | null, signal: AbortSignal): AsyncIterable<ContainerEvent>
}

/** Events a slow watcher may lag behind before it is cut off. */
const maxBehind = 10_000

interface Watcher {
  readonly project: ProjectId | null
  readonly queue: ContainerEvent[]
  wake: () => void
  overrun: boolean
}

export function createHub(): EventHub {
  const watchers = new Set<Watcher>()
  const listeners = new Map<ContainerId, Set<(event: ContainerEvent) => void>>()
  return {
    listen(id, heard) {
      const all = listeners.get(id) ?? new Set()
      listeners.set(id, all.add(heard))
      return () => {
        all.delete(heard)
        if (all.size === 0 && listeners.get(id) === all) listeners.delete(id)
      }
    },
    publish(event) {
      for (const heard of listeners.get(event.id) ?? []) heard(event)
      for (const watcher of watchers) {
        if (watcher.project !== null && watcher.project !== event.projectId) continue
        if (watcher.queue.length >= maxBehind) watcher.overrun = true
        else watcher.queue.push(event)
        watcher.wake()
      }
    },
    watch(project, signal) {
      // Registered now, not at the first read: what happens in between must not be missed.
      const watcher: Watcher = { project, queue: [], wake: () => {}, overrun: false }
      watchers.add(watcher)
      signal.addEventListener('abort', () => watcher.wake(), { once: true })
      return drain(watcher, watchers, signal)
    },
  }
}

async function* drain(watcher: Watcher, watchers: Set<Watcher>, signal: AbortSignal): AsyncGenerator<ContainerEvent> {
  try {
    while (!signal.aborted) {
      if (watcher.overrun) throw new Error('This watcher fell too far behind; list again, then watch anew.')
      const batch = watcher.queue.splice(0)
      yield* batch
      if (watcher.queue.length > 0 || watcher.overrun || signal.aborted) continue
      await new Promise<void>((resolve) => {
        watcher.wake = resolve
      })
    }
  } finally {
    watchers.delete(watcher)
  }
}

export function containerEvent(container: Container, at: number, gone = false): ContainerEvent {
  const engine = container.observed.engine
  return {
    at,
    kind: 'container',
    id: container.id,
    name: container.name,
    projectId: container.projectId,
    status: gone ? 'Deleted' : container.status,
    statusReason: container.statusReason,
    exitCode: engine?.exitCode ?? null,
    ...(engine?.health ? { health: engine.health } : {}),
    gone,
  }
}

/** The project a caller may watch. */
export function watchScope(caller: Caller, allProjects: boolean): ProjectId | null {
  return allProjects && caller.isAdmin ? null : caller.projectId
}
