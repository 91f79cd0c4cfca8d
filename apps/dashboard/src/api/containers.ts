import type { ContainerView } from '@gantry/facade-native/views'
import { allows, type Verb } from '@gantry/model/transitions'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { showContainer } from './container-list.ts'

/** What can be asked of any number of containers. */
export type Ask = 'start' | 'stop' | 'restart' | 'pause' | 'unpause' | 'kill' | 'delete'

interface Asking {
  /** `Stop`. */
  readonly label: string
  /** `could not be stopped`. */
  readonly failure: string
  /** `is being stopped`: accepted, not done yet. */
  readonly done: string
  readonly verb: Verb
}

export const asks: Readonly<Record<Ask, Asking>> = {
  start: { label: 'Start', failure: 'could not be started', done: 'being started', verb: 'start' },
  stop: { label: 'Stop', failure: 'could not be stopped', done: 'being stopped', verb: 'stop' },
  restart: { label: 'Restart', failure: 'could not be restarted', done: 'being restarted', verb: 'reboot' },
  pause: { label: 'Pause', failure: 'could not be paused', done: 'being paused', verb: 'pause' },
  unpause: { label: 'Resume', failure: 'could not be resumed', done: 'being resumed', verb: 'unpause' },
  kill: { label: 'Kill', failure: 'could not be killed', done: 'being killed', verb: 'kill' },
  delete: { label: 'Delete', failure: 'could not be deleted', done: 'being deleted', verb: 'delete_stop' },
}

type Subject = Pick<ContainerView, 'id' | 'name' | 'status'>

/** Whether the server would take it, by its own table. */
export function canAsk(ask: Ask, { status }: Pick<ContainerView, 'status'>): boolean {
  return can(asks[ask].verb, { status })
}

export function can(verb: Verb, { status }: Pick<ContainerView, 'status'>): boolean {
  return allows(verb, status as Parameters<typeof allows>[1])
}

/** Asks for it; the answer comes before it is carried out. undefined: it is being deleted. */
export function ask(what: Ask, { id }: Subject, signal?: AbortSignal): Promise<ContainerView | undefined> {
  const path = containerPath(id)
  const given = signal ? { signal } : {}
  if (what === 'delete') return call(path, { method: 'DELETE', query: { stop: true }, ...given })
  return call(`${path}/${what}`, { method: 'POST', ...given })
}

export function containerPath(id: string): string {
  return `/v1/containers/${encodeURIComponent(id)}`
}

/** One thing asked of one container; the page shows at once what the server says to it. */
export function useAsk() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ what, of }: { readonly what: Ask; readonly of: Subject }) => ask(what, of),
    onSuccess: (view) => view && showContainer(client, view),
  })
}
