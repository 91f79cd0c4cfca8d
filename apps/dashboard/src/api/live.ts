import type { ChangeView, HostView } from '@gantry/facade-native/views'
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { keepContainerList } from './container-list.ts'
import { keepHostList } from './host-list.ts'
import { type Paced, paced } from './paced.ts'
import { type Heard, sharedStream } from './shared-stream.ts'

export type LiveState = 'connecting' | 'live' | 'lost'

type Listener = (change: ChangeView) => void

/** How long changes are gathered before what they speak of is read again, once for all of them. Milliseconds. */
const gatherMs = 150
/** Lists, and what is shown of everything together, are old again with each change: no more often than this. Milliseconds. */
const listsMs = 1000
/** What moves the sums. */
const counted: ReadonlySet<string> = new Set(['container', 'capsule', 'image', 'quota'])
/** Of an OpenStack's network only that itself is told, not what is made and taken away with it. */
const besides: Readonly<Record<string, readonly string[]>> = { network: ['subnet', 'router'], router: ['port'] }

let state: LiveState = 'connecting'
const stateListeners = new Set<() => void>()
const listeners = new Set<Listener>()

function become(next: LiveState): void {
  if (state === next) return
  state = next
  for (const listener of stateListeners) listener()
}

/**
 * Follows everything that happens in the project, and has the lists that speak of it read again; for administrators hosts, too. Until
 * the answer is called.
 */
export function followChanges(client: QueryClient, isAdmin: boolean): () => void {
  const touched = new Map<string, Set<string>>()
  const containers = keepContainerList(client)
  const hosts = keepHostList(client)
  const sums = paced(() => client.invalidateQueries({ predicate: isSum }), listsMs)
  const lists = new Map<string, Paced>()
  const listsOf = (noun: string): Paced => {
    const known = lists.get(noun)
    if (known) return known
    const fresh = paced(
      () => client.invalidateQueries({ predicate: ({ queryKey }) => isListOf(queryKey, noun) }),
      listsMs,
    )
    lists.set(noun, fresh)
    return fresh
  }
  let news: ChangeView[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const refresh = () => {
    timer = undefined
    containers.take(news)
    news = []
    for (const [noun, ids] of touched) {
      void client.invalidateQueries({ predicate: ({ queryKey }) => isOfOne(queryKey, noun, ids) })
      for (const each of [noun, ...(besides[noun] ?? [])]) listsOf(each).ask()
    }
    if ([...touched.keys()].some((noun) => counted.has(noun))) sums.ask()
    touched.clear()
  }
  const takeChange = (change: ChangeView) => {
    for (const listener of listeners) listener(change)
    const noun = nounOf(change)
    if (noun === 'container') news.push(change)
    touched.set(noun, (touched.get(noun) ?? new Set()).add(change.objectId))
    if (change.type === 'host.delete') hosts.drop(change.objectId)
    timer ??= setTimeout(refresh, gatherMs)
  }
  const hear = (heard: Heard) => {
    switch (heard.kind) {
      case 'open':
        // What happened while nobody listened is in no event.
        if (state === 'lost') void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
        hosts.forget()
        return become('live')
      case 'lost':
        return become('lost')
      case 'event':
        if (heard.type === 'change') takeChange(JSON.parse(heard.data) as ChangeView)
        else hosts.take((JSON.parse(heard.data) as { readonly hosts: readonly HostView[] }).hosts)
    }
  }
  const close = sharedStream(`/v1/events?since=now${isAdmin ? '&hosts=true' : ''}`, ['change', 'hosts'], hear)
  return () => {
    close()
    containers.stop()
    hosts.stop()
    sums.stop()
    for (const list of lists.values()) list.stop()
    clearTimeout(timer)
    become('connecting')
  }
}

/** As query keys begin: `security-group` of `security_group.create`. */
function nounOf({ type }: ChangeView): string {
  return (type.split('.', 1)[0] ?? '').replaceAll('_', '-')
}

/**
 * Query keys begin with the noun of the object: `['container', 'list']`, `['container', id]`, `['container', id, 'actions']`,
 * `['quota']`. Lists hear of every object; what is of one object hears of that one. Sums have their own pace.
 */
function isOfOne([first, second]: readonly unknown[], noun: string, ids: ReadonlySet<string>): boolean {
  return first === noun && typeof second === 'string' && second !== 'list' && ids.has(second)
}

function isListOf([first, second]: readonly unknown[], noun: string): boolean {
  if (first !== noun) return false
  if (typeof second !== 'string') return true
  // Those of containers and hosts are written to instead, see container-list.ts and host-list.ts.
  return second === 'list' && noun !== 'container' && noun !== 'host'
}

/** What moves with anything that is counted. */
function isSum({ queryKey: [first] }: { readonly queryKey: readonly unknown[] }): boolean {
  return first === 'quota' || first === 'overview'
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      stateListeners.add(listener)
      return () => stateListeners.delete(listener)
    },
    () => state,
  )
}

/** The newest changes that came since the page was opened, newest first. */
export function useChanges(most: number): readonly ChangeView[] {
  const [changes, setChanges] = useState<readonly ChangeView[]>([])
  useEffect(() => {
    const listener: Listener = (change) => setChanges((known) => [change, ...known].slice(0, most))
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }, [most])
  return changes
}

/** Calls `listener` for each change while the component is there. */
export function useOnChange(listener: Listener): void {
  useEffect(() => {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }, [listener])
}

/** Keeps everything that the page shows up to date while somebody is signed in to `project`. */
export function useLive(project: string, isAdmin: boolean): void {
  const client = useQueryClient()
  useEffect(() => followChanges(client, isAdmin), [client, project, isAdmin])
}
