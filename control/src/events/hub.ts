import type { Clock } from '@gantry/kernel'
import type { Caller, Container, ContainerId, ProjectId } from '@gantry/model'
import type { ContainerEvent } from '../control.ts'
import type { Cluster } from '../ports/cluster.ts'

/** Hands changes to whoever watches. In memory: a watcher that was away asks for the list again. */
export interface EventHub {
  /** Tells watchers on all servers. */
  publish(event: ContainerEvent): void
  /** Calls `heard` at each change of one container, until the returned function is called. */
  listen(id: ContainerId, heard: (event: ContainerEvent) => void): () => void
  /** Events of one project (null: all) until the signal is aborted. */
  watch(project: ProjectId | null, signal: AbortSignal): AsyncIterable<ContainerEvent>
  /** Events of other servers may be lost: listeners look again, with `now` as it is; watchers are cut off, and list again. */
  missed(now: (id: ContainerId) => Promise<Container | undefined>): Promise<void>
}

/** Of a status, in what other servers are told. Characters; a note has room for a few thousand bytes. */
const longestReason = 500

/** Events a slow watcher may lag behind before it is cut off. */
const maxBehind = 10_000

interface Watcher {
  readonly project: ProjectId | null
  readonly queue: ContainerEvent[]
  wake: () => void
  overrun: boolean
}

export function createHub({ tell, onNote }: Pick<Cluster, 'tell' | 'onNote'>, clock: Clock): EventHub {
  const watchers = new Set<Watcher>()
  const listeners = new Map<ContainerId, Set<(event: ContainerEvent) => void>>()
  const hear = (event: ContainerEvent): void => {
    for (const heard of listeners.get(event.id) ?? []) heard(event)
    for (const watcher of watchers) {
      if (watcher.project !== null && watcher.project !== event.projectId) continue
      if (watcher.queue.length >= maxBehind) watcher.overrun = true
      else watcher.queue.push(event)
      watcher.wake()
    }
  }
  onNote((note) => {
    if (note.kind === 'event') hear(note.event)
  })
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
      hear(event)
      const reason = event.statusReason
      tell({ kind: 'event', event: { ...event, statusReason: reason && reason.slice(0, longestReason) } })
    },
    async missed(now) {
      for (const watcher of watchers) {
        watcher.overrun = true
        watcher.wake()
      }
      for (const [id, heard] of listeners) {
        const container = await now(id)
        if (container) for (const each of heard) each(containerEvent(container, clock.now()))
        else for (const each of heard) each(goneEvent(id, clock.now()))
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

/** Of one that nobody remembers any more. */
function goneEvent(id: ContainerId, at: number): ContainerEvent {
  const unknown = {
    name: '',
    projectId: '' as ProjectId,
    status: 'Deleted',
    statusReason: null,
    exitCode: null,
  } as const
  return { at, kind: 'container', id, ...unknown, gone: true }
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
