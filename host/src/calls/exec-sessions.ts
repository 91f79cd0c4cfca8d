import type { ContainerId } from '@gantry/model'

export interface Size {
  readonly rows: number
  readonly columns: number
}

export interface PreparedExec {
  readonly owner: ContainerId
  readonly tty: boolean
  readonly stdin: boolean
}

interface Session extends PreparedExec {
  state: 'ready' | 'starting' | 'running'
  /** What it was last told while it did not run. */
  size: Size | null
  forget: () => void
}

/** The execs of this host that can be started or resized, and whose they are. */
export interface ExecSessions {
  /** Keeps one that was made ready, until it is begun or too old. */
  prepare(execId: string, exec: PreparedExec): void
  /** Hands a ready one out to be started; a second call finds nothing. */
  begin(owner: ContainerId, execId: string): (PreparedExec & { readonly size: Size | null }) | undefined
  /** It runs from now on. Answers the size it was told since it was made ready. */
  running(execId: string, exec: PreparedExec): Size | null
  /** Where a new size is to go: kept for its start, or to the engine. Unknown also when it is another container's. */
  resize(owner: ContainerId, execId: string, size: Size): 'unknown' | 'kept' | 'running'
  end(execId: string): void
}

/** A console's token lives a minute; this leaves the same again for its start. */
const readyForMs = 120_000
/** Ready ones of one container; the oldest is forgotten for one more. */
const mostReady = 64

export function execSessions(): ExecSessions {
  const sessions = new Map<string, Session>()
  const end = (execId: string) => {
    sessions.get(execId)?.forget()
    sessions.delete(execId)
  }
  const of = (owner: ContainerId, execId: string) => {
    const session = sessions.get(execId)
    return session?.owner === owner ? session : undefined
  }
  return {
    prepare: (execId, exec) => {
      const waiting = [...sessions].filter(([, { owner, state }]) => owner === exec.owner && state === 'ready')
      const [oldest] = waiting
      if (oldest && waiting.length >= mostReady) end(oldest[0])
      const timer = setTimeout(() => sessions.delete(execId), readyForMs).unref()
      sessions.set(execId, { ...exec, state: 'ready', size: null, forget: () => clearTimeout(timer) })
    },
    begin: (owner, execId) => {
      const session = of(owner, execId)
      if (session?.state !== 'ready') return undefined
      session.forget()
      session.state = 'starting'
      return session
    },
    running: (execId, exec) => {
      const size = sessions.get(execId)?.size ?? null
      sessions.set(execId, { ...exec, state: 'running', size, forget: () => undefined })
      return size
    },
    resize: (owner, execId, size) => {
      const session = of(owner, execId)
      if (!session) return 'unknown'
      if (session.state === 'running') return 'running'
      session.size = size
      return 'kept'
    },
    end,
  }
}
