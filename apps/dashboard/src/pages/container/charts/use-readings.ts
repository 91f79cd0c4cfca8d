import { useDocumentVisibility } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'
import { call } from '../../../api/client.ts'
import { containerPath } from '../../../api/containers.ts'
import { type Counted, type Reading, readingOf, type Stats, withReading } from './readings.ts'

const everyMs = 2000
/** Ten minutes. */
const most = 300

interface Readings {
  readonly readings: readonly Reading[]
  readonly latest: Stats | null
  readonly error: Error | null
}

/** What the container uses, asked every two seconds for as long as somebody looks. */
export function useReadings(id: string, isRunning: boolean): Readings {
  const isVisible = useDocumentVisibility() === 'visible'
  const [state, setState] = useState<Readings>({ readings: [], latest: null, error: null })
  const before = useRef<Counted | null>(null)
  useEffect(() => {
    if (!isVisible || !isRunning) return
    const gone = new AbortController()
    const look = async () => {
      const { signal } = gone
      try {
        const stats = await call<Stats>(`${containerPath(id)}/stats`, { signal })
        const now = { at: Date.now() / 1000, stats }
        const next = readingOf(now, before.current)
        before.current = now
        setState(({ readings }) => ({ readings: withReading(readings, next, most), latest: stats, error: null }))
      } catch (error) {
        if (!signal.aborted)
          setState((known) => ({ ...known, error: error instanceof Error ? error : new Error(String(error)) }))
      }
      // After the answer rather than by the clock: a slow host is not asked twice at once.
      if (!signal.aborted) timer = setTimeout(() => void look(), everyMs)
    }
    let timer = setTimeout(() => void look(), 0)
    return () => {
      gone.abort()
      clearTimeout(timer)
    }
  }, [id, isVisible, isRunning])
  return state
}
