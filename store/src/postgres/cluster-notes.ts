import { setTimeout as sleep } from 'node:timers/promises'
import type { Note, ServerId } from '@gantry/control'
import type { Ask } from './cluster-line.ts'

/** What goes over the channel, as JSON. */
export interface Letter {
  readonly from: ServerId
  readonly notes?: readonly Note[]
  /** The sender's notes, or those of a server it found dead, may be lost. */
  readonly missed?: true
  /** Servers came or went. */
  readonly changed?: true
}

export interface NoteSender {
  send(note: Note): void
  /** Beside the notes, and after those sent before. */
  say(what: Pick<Letter, 'missed' | 'changed'>): void
  /** There is a connection; null: there is none, and notes wait. */
  use(ask: Ask | null): void
  /** Until all is sent, or cannot be. */
  flush(): Promise<void>
}

/** PostgreSQL takes less than 8,000 bytes. */
const mostBytes = 7_000
/** Notes told within this time go together. Milliseconds. */
const gatherMs = 2
/** More than that cannot be worth keeping while there is no connection: the others are told to look at everything. */
const mostWaiting = 20_000
/** After a statement that failed on a connection which lives on, such as one that a full disk refused. Milliseconds. */
const pauseMs = 100
/** Letters in one statement. */
const mostLetters = 100

/** Sends notes in as few statements as it can, in order. */
export function noteSender(self: ServerId, channel: string): NoteSender {
  let waiting: string[] = []
  let ask: Ask | null = null
  let timer: NodeJS.Timeout | null = null
  let sending: Promise<void> | null = null
  let closing = false

  const wake = (): void => {
    if (timer || sending || ask === null || waiting.length === 0) return
    timer = setTimeout(() => {
      timer = null
      sending = send().finally(() => {
        sending = null
        wake()
      })
    }, gatherMs)
  }
  const send = async (): Promise<void> => {
    while (ask !== null && waiting.length > 0) {
      const { letters, taken } = lettersOf(self, waiting)
      try {
        await ask(`select pg_notify('${channel}', letter) from unnest($1::text[]) letter`, [letters])
        waiting.splice(0, taken)
      } catch {
        // They wait: for the next connection, if this one broke, of which `use` tells.
        if (closing) ask = null
        else await sleep(pauseMs, undefined, { ref: false })
      }
    }
  }
  const add = (piece: string): void => {
    if (waiting.length >= mostWaiting) waiting = [JSON.stringify({ missed: true })]
    waiting.push(piece)
    wake()
  }
  return {
    send: (note) => add(JSON.stringify({ note })),
    say: (what) => add(JSON.stringify(what)),
    use(next) {
      ask = next
      wake()
    },
    async flush() {
      closing = true
      while ((timer || sending) && ask !== null) {
        await (sending ?? new Promise((resolve) => setTimeout(resolve, gatherMs + 1)))
      }
    },
  }
}

/** As many as fit into one statement. A note too large for any letter is told as one that was lost. */
function lettersOf(from: ServerId, waiting: readonly string[]): { readonly letters: string[]; readonly taken: number } {
  const letters: string[] = []
  let notes: string[] = []
  let size = 0
  let taken = 0
  const close = () => {
    if (notes.length > 0) letters.push(`{"from":${JSON.stringify(from)},"notes":[${notes.join(',')}]}`)
    notes = []
    size = 0
  }
  for (const piece of waiting) {
    if (letters.length >= mostLetters) break
    taken += 1
    const isNote = piece.startsWith('{"note":')
    const note = isNote ? piece.slice(8, -1) : ''
    const bytes = Buffer.byteLength(note) + 1
    if (!isNote || bytes > mostBytes - 100) {
      close()
      letters.push(JSON.stringify({ from, ...(isNote ? { missed: true } : JSON.parse(piece)) }))
      continue
    }
    if (size + bytes > mostBytes - 100) close()
    notes.push(note)
    size += bytes
  }
  close()
  return { letters, taken }
}
