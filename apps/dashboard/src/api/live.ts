import type { ChangeView } from '@gantry/facade-native/views'
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { keepContainerList } from './container-list.ts'
import { paced } from './paced.ts'

export type LiveState = 'connecting' | 'live' | 'lost'

type Listener = (change: ChangeView) => void

/** How long changes are gathered before what they speak of is read again, once for all of them. Milliseconds. */
const gatherMs = 150
/** Sums, and what is shown of everything together, are old again with each change: no more often than this. Milliseconds. */
const sumsMs = 1000

let state: LiveState = 'connecting'
const stateListeners = new Set<() => void>()
const listeners = new Set<Listener>()

function become(next: LiveState): void {
  if (state === next) return
  state = next
  for (const listener of stateListeners) listener()
}

/** Follows everything that happens in the project, and has the lists that speak of it read again. Until the answer is called. */
export function followChanges(client: QueryClient): () => void {
  const touched = new Map<string, Set<string>>()
  const containers = keepContainerList(client)
  const sums = paced(() => client.invalidateQueries({ predicate: isSum }), sumsMs)
  let news: ChangeView[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const refresh = () => {
    timer = undefined
    containers.take(news)
    news = []
    for (const [noun, ids] of touched)
      void client.invalidateQueries({ predicate: ({ queryKey }) => speaksOf(queryKey, noun, ids) })
    touched.clear()
    sums.ask()
  }
  const source = new EventSource('/v1/events?since=now')
  source.addEventListener('open', () => {
    // What happened while nobody listened is in no event.
    if (state === 'lost') void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    become('live')
  })
  source.addEventListener('error', () => become('lost'))
  source.addEventListener('change', (event: MessageEvent<string>) => {
    const change = JSON.parse(event.data) as ChangeView
    for (const listener of listeners) listener(change)
    const noun = change.type.split('.', 1)[0] ?? ''
    if (noun === 'container') news.push(change)
    touched.set(noun, (touched.get(noun) ?? new Set()).add(change.objectId))
    timer ??= setTimeout(refresh, gatherMs)
  })
  return () => {
    source.close()
    containers.stop()
    sums.stop()
    clearTimeout(timer)
    become('connecting')
  }
}

/**
 * Query keys begin with the noun of the object, as in events: `['container', 'list']`, `['container', id]`, `['container', id, 'actions']`,
 * `['quota']`. Lists hear of every object; what is of one object hears of that one. Sums have their own pace.
 */
function speaksOf([first, second]: readonly unknown[], noun: string, ids: ReadonlySet<string>): boolean {
  if (first !== noun) return false
  // The list of containers is written to instead, see container-list.ts.
  if (noun === 'container' && second === 'list') return false
  return typeof second !== 'string' || second === 'list' || ids.has(second)
}

/** What moves with anything that counts. */
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
export function useLive(project: string): void {
  const client = useQueryClient()
  useEffect(() => followChanges(client), [client, project])
}
