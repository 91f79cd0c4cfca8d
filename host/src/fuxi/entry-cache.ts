import { type Clock, orAborted } from '@gantry/kernel'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { RemoteEntry } from './backend.ts'

/**
 * What the service has, as it was a moment ago. Each engine asks for any volume that it does not know, so nearly every question
 * is answered from memory. A name that is not there is asked for once more before that is said: an engine would make a volume
 * of its own instead, beside the one that another host made just now. And so is one that nobody uses here before it is said to be
 * there: an engine that believes that would not have it made, and then find none.
 */
export interface EntryCache {
  /** null: there is none. Rejects if that cannot be said. `isUsed`: on this host, so that it cannot have gone. */
  get(name: string, isUsed: boolean): Promise<RemoteEntry | null>
  all(): Promise<RemoteEntry[]>
  /** What a call of ours has changed; null: it is gone. */
  set(name: string, entry: RemoteEntry | null): void
  /** Ends what is under way. */
  close(): void
}

export interface EntryCacheOptions {
  /** In what is told to users. */
  readonly service: string
  /** What was known before this process began; null: nothing. */
  readonly before: readonly RemoteEntry[] | null
  /** Told of everything that is known whenever that may have changed. */
  readonly keep: (entries: readonly RemoteEntry[]) => void
  readonly load: (signal: AbortSignal) => Promise<RemoteEntry[]>
  readonly clock: Clock
  /** Told of loads that failed. */
  readonly failed: (error: unknown) => void
}

/** What is older is loaded again, behind an answer that is there. Milliseconds, as all here. */
const freshMs = 2000
/** What is older is no answer any more, if there is a new one to be had. */
const staleMs = 15_000
/** A name that was not there then is not there now. */
const missMs = 1000
/** What was there then is there still. */
const hitMs = 400
/** How long a question waits where there is no answer yet. */
const patienceMs = 3000
/** After a load that failed, nobody waits for the next for so long. */
const silenceMs = 5000

export function entryCache({ service, before, keep, load, clock, failed }: EntryCacheOptions): EntryCache {
  const closing = new AbortController()
  let entries = before && mapOf(before)
  /** When what is in `entries` was asked for. */
  let askedAt = Number.NEGATIVE_INFINITY
  let failedAt = Number.NEGATIVE_INFINITY
  let failure: unknown = null
  let loading: { readonly since: number; readonly done: Promise<void> } | null = null
  /** What was changed while it was loaded, and so may be missing in what comes. */
  const changes = new Map<string, { readonly at: number; readonly entry: RemoteEntry | null }>()

  const loadNow = async (since: number): Promise<void> => {
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(30_000)])
      const loaded = mapOf(await load(signal))
      for (const [name, { at, entry }] of changes) {
        if (at < since) changes.delete(name)
        else if (entry === null) loaded.delete(name)
        else loaded.set(name, entry)
      }
      entries = loaded
      askedAt = since
      keep([...loaded.values()])
    } catch (error) {
      failure = error
      failedAt = clock.now()
      failed(error)
    } finally {
      loading = null
    }
  }
  const begin = (): { readonly since: number; readonly done: Promise<void> } => {
    const since = clock.now()
    loading ??= { since, done: loadNow(since) }
    return loading
  }
  /** Waits for what is asked for now, or was within the last moment; gives up soon. */
  const renew = async (): Promise<void> => {
    if (clock.now() - failedAt < silenceMs) return
    const patience = AbortSignal.timeout(patienceMs)
    await orAborted(begin().done, patience).catch((error: unknown) => {
      failure ??= new PluginRefusal(503, `${service} does not answer in time.`, error)
    })
  }
  const known = async (): Promise<Map<string, RemoteEntry>> => {
    if (clock.now() - askedAt > staleMs) await renew()
    else if (clock.now() - askedAt > freshMs && clock.now() - failedAt > silenceMs) void begin()
    if (entries === null) throw failure
    return entries
  }

  return {
    async get(name, isUsed) {
      const found = (await known()).get(name)
      if (found && isUsed) return found
      if (clock.now() - askedAt > (found ? hitMs : missMs)) await renew()
      return entries?.get(name) ?? null
    },
    all: async () => [...(await known()).values()],
    set(name, entry) {
      changes.set(name, { at: clock.now(), entry })
      if (entry === null) entries?.delete(name)
      else entries?.set(name, entry)
      if (entries) keep([...entries.values()])
    },
    close: () => closing.abort(new Error('the plugin is closing')),
  }
}

function mapOf(entries: readonly RemoteEntry[]): Map<string, RemoteEntry> {
  return new Map(entries.map((entry) => [entry.name, entry]))
}
