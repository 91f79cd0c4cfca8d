import type { ChangeView } from '@gantry/facade-native/views'
import { useEffect, useState } from 'react'
import { queryOf } from './client.ts'

/** How long changes are gathered before they are shown. Milliseconds. */
const gatherMs = 150

interface ChangesOfAll {
  /** Newest first. undefined: not there yet. */
  readonly changes: readonly ChangeView[] | undefined
  readonly error: Error | null
  readonly again: () => void
}

/** The newest changes of every project, and of hosts, and those that come: one stream, which begins with the newest. Administrators only. */
export function useChangesOfAll(isWanted: boolean, types: string, most: number): ChangesOfAll {
  const [changes, setChanges] = useState<readonly ChangeView[]>()
  const [error, setError] = useState<Error | null>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    setChanges(undefined)
    setError(null)
    if (!isWanted) return undefined
    let news: ChangeView[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = () => {
      timer = undefined
      const heard = news.toReversed()
      news = []
      setChanges((known) => (known && heard.length === 0 ? known : [...heard, ...(known ?? [])].slice(0, most)))
    }
    const query = { last: most, allProjects: true, types: types === '' ? undefined : types }
    const source = new EventSource(`/v1/events${queryOf(query)}`)
    source.addEventListener('change', (event: MessageEvent<string>) => {
      news.push(JSON.parse(event.data) as ChangeView)
      if (news.length > most) news.shift()
      timer ??= setTimeout(show, gatherMs)
    })
    // Told also where there is no change at all.
    source.addEventListener('cursor', () => {
      timer ??= setTimeout(show, gatherMs)
    })
    source.addEventListener('error', () => {
      // Else the browser goes on by itself where it broke off.
      if (source.readyState === EventSource.CLOSED)
        setError(new Error('The server refused the stream of events; there may be too many of them.'))
    })
    return () => {
      source.close()
      clearTimeout(timer)
    }
  }, [isWanted, types, most, attempt])
  return { changes, error, again: () => setAttempt((count) => count + 1) }
}
