import type { ChangeView } from '@gantry/facade-native/views'
import { useEffect } from 'react'
import { queryOf } from './client.ts'
import { type Heard, sharedStream } from './shared-stream.ts'

/** How long changes are gathered. Milliseconds. */
const gatherMs = 150

interface EveryChange {
  /** As in `GET /v1/events`: `container.*`. All, unless told. */
  readonly types?: string
  /** Oldest first. */
  readonly onChanges: (changes: readonly ChangeView[]) => void
  /** Some were missed: what is shown of them is to be read again. */
  readonly onGap: () => void
}

/** Tells of what happens in every project from now on, until the answer is called. For administrators. */
export function followEveryChange({ types, onChanges, onGap }: EveryChange): () => void {
  let news: ChangeView[] = []
  let gathering: ReturnType<typeof setTimeout> | undefined
  let wasLost = false
  const tell = () => {
    gathering = undefined
    const heard = news
    news = []
    onChanges(heard)
  }
  const hear = (heard: Heard) => {
    if (heard.kind === 'event') {
      news.push(JSON.parse(heard.data) as ChangeView)
      gathering ??= setTimeout(tell, gatherMs)
      return
    }
    if (heard.kind === 'open' && wasLost) onGap()
    wasLost = heard.kind === 'lost'
  }
  const close = sharedStream(`/v1/events${queryOf({ since: 'now', allProjects: true, types })}`, ['change'], hear)
  return () => {
    close()
    clearTimeout(gathering)
  }
}

/** Calls `onEvent` when something of these types happened in any project, or may have, while the component is there and `isWanted`. */
export function useEveryChange(
  isWanted: boolean,
  types: string | undefined,
  onEvent: (ids: ReadonlySet<string> | null) => void,
): void {
  useEffect(() => {
    if (!isWanted) return undefined
    return followEveryChange({
      ...(types !== undefined && { types }),
      onChanges: (changes) => onEvent(new Set(changes.map(({ objectId }) => objectId))),
      onGap: () => onEvent(null),
    })
  }, [isWanted, types, onEvent])
}
