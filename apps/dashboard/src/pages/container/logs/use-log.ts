import { useEffect, useRef, useState } from 'react'
import type { ContainerView } from '@gantry/facade-native/views'
import { request } from '../../../api/client.ts'
import { can, containerPath } from '../../../api/containers.ts'
import { type Frame, framesOf, readFrames } from '../../../api/frames.ts'
import { LogBuffer, type LogLine } from './log-buffer.ts'

/** The most that are held and shown. */
export const mostLines = 20_000
const firstLines = 5000
/** Between two looks at what has come, and before a broken stream is begun again. Milliseconds. */
const showMs = 100
const againMs = 2000

export interface Log {
  readonly lines: readonly LogLine[]
  /** How many there ever were. */
  readonly count: number
  readonly state: 'reading' | 'ended' | 'failed'
  readonly error: Error | null
  readonly again: () => void
}

const nothing: readonly LogLine[] = []

/** What a container writes, from its last thousands of lines on; begun again when it starts again or the stream breaks. */
export function useLog(container: ContainerView, timestamps: boolean): Log {
  const { id, startedAt } = container
  const isRunning = can('execute', container)
  const [attempt, setAttempt] = useState(0)
  const [log, setLog] = useState<Omit<Log, 'again'>>({ lines: nothing, count: 0, state: 'reading', error: null })
  const runs = useRef(isRunning)
  runs.current = isRunning

  useEffect(() => {
    const gone = new AbortController()
    const buffer = new LogBuffer(mostLines)
    let shown = -1
    let retry: ReturnType<typeof setTimeout> | undefined
    const show = (state: Log['state'], error: Error | null = null) => {
      if (gone.signal.aborted || (state === 'reading' && shown === buffer.count)) return
      shown = buffer.count
      setLog({ lines: buffer.lines(), count: buffer.count, state, error })
    }
    const timer = setInterval(() => show('reading'), showMs)
    const end = (error: Error | null) => {
      clearInterval(timer)
      buffer.end()
      show(error ? 'failed' : 'ended', error)
      if (runs.current && !error && !gone.signal.aborted) retry = setTimeout(() => setAttempt((n) => n + 1), againMs)
    }
    follow(id, { timestamps, signal: gone.signal }, buffer).then(
      () => end(null),
      (error: unknown) => end(error instanceof Error ? error : new Error(String(error))),
    )
    return () => {
      gone.abort()
      clearInterval(timer)
      clearTimeout(retry)
    }
  }, [id, startedAt, timestamps, attempt])
  return { ...log, again: () => setAttempt((n) => n + 1) }
}

interface FollowOptions {
  readonly timestamps: boolean
  readonly signal: AbortSignal
}

async function follow(id: string, { timestamps, signal }: FollowOptions, buffer: LogBuffer): Promise<void> {
  const query = { follow: true, tail: firstLines, timestamps }
  const answer = await request(`${containerPath(id)}/logs`, { query, signal })
  await readFrames(framesOf(answer), ({ kind, bytes }) => buffer.push(kind, bytes))
}

/** All that was ever written and is kept, as text. */
export async function wholeLog(id: string, timestamps: boolean): Promise<Blob> {
  const answer = await request(`${containerPath(id)}/logs`, { query: { timestamps } })
  const bytes = new TransformStream<Frame, Uint8Array<ArrayBuffer>>({
    transform: (frame, controller) => controller.enqueue(frame.bytes),
  })
  return new Response(framesOf(answer).pipeThrough(bytes), { headers: { 'content-type': 'text/plain' } }).blob()
}
