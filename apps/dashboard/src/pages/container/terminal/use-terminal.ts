import type { ContainerView } from '@gantry/facade-native/views'
import { type RefObject, useEffect, useRef, useState } from 'react'
import { openScreen, type Screen } from './screen.ts'
import { openSession, type Session, type Target } from './session.ts'

export type TerminalState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'open' }
  | { readonly kind: 'ended'; readonly sentence: string }

interface TerminalHandle {
  readonly place: RefObject<HTMLDivElement | null>
  readonly state: TerminalState
  readonly error: Error | null
  readonly again: () => void
  /** Pasted text that waits for a yes. */
  readonly doubt: string | null
  readonly pasteDoubt: () => void
  readonly dropDoubt: () => void
}

/** A terminal in `place`, connected to `target`; another target is another session on a clean screen. */
export function useTerminal(container: ContainerView, target: Target): TerminalHandle {
  const place = useRef<HTMLDivElement>(null)
  const screen = useRef<Screen>(null)
  const session = useRef<Session>(null)
  const known = useRef(container)
  known.current = container
  const [state, setState] = useState<TerminalState>({ kind: 'opening' })
  const [error, setError] = useState<Error | null>(null)
  const [attempt, setAttempt] = useState(0)
  const [doubt, setDoubt] = useState<string | null>(null)

  useEffect(() => {
    if (!place.current) return
    const opened = openScreen(place.current, {
      onInput: (text) => session.current?.send(text),
      onResize: (size) => session.current?.resize(size),
      onDoubt: setDoubt,
    })
    screen.current = opened
    return () => {
      screen.current = null
      opened.dispose()
    }
  }, [])

  useEffect(() => {
    let isGone = false
    const end = (sentence: string) => {
      if (isGone) return
      session.current = null
      setState({ kind: 'ended', sentence })
    }
    setState({ kind: 'opening' })
    setError(null)
    screen.current?.clear()
    const opening = openSession(known.current, target, {
      onOpen: () => {
        if (isGone) return
        setState({ kind: 'open' })
        screen.current?.focus()
        // A command begins with 80 columns, whatever the window has.
        if (screen.current) session.current?.resize(screen.current.size())
      },
      onOutput: (bytes) => !isGone && screen.current?.write(bytes),
      onEnd: end,
    })
    opening.then(
      (opened) => {
        if (isGone) opened.close()
        else session.current = opened
      },
      (problem: unknown) => {
        if (isGone) return
        setError(problem instanceof Error ? problem : new Error(String(problem)))
        end('Not connected.')
      },
    )
    return () => {
      isGone = true
      session.current?.close()
      session.current = null
    }
  }, [container.id, target, attempt])

  const answer = (isYes: boolean) => {
    if (isYes && doubt !== null) screen.current?.paste(doubt)
    setDoubt(null)
    // Once the dialog has given the focus back to where it was.
    setTimeout(() => screen.current?.focus(), 50)
  }
  return {
    place,
    state,
    error,
    again: () => setAttempt((count) => count + 1),
    doubt,
    pasteDoubt: () => answer(true),
    dropDoubt: () => answer(false),
  }
}
