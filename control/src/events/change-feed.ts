import { Fault } from '@gantry/kernel'
import type { Caller, Host, ProjectId } from '@gantry/model'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChangeQuery, Cursor, RecordedChange } from '../ports/change-table.ts'
import type { Store } from '../ports/store.ts'
import { requireAdminFor } from '../usecases/find-container.ts'
import { forOwner } from './change-of.ts'
import type { HostLooks } from './host-looks.ts'

export interface ChangeWatch {
  /** A cursor; `now`; `0`: all that is kept. */
  readonly since: string
  /** Begins with the newest so many, whatever `since` says; 1 to 200. */
  readonly last?: number
  /** Exact types, or `container.*`; empty: all. */
  readonly types: readonly string[]
  readonly objectId?: string
  /** Of every project; administrators only. */
  readonly allProjects?: boolean
  /** Also of hosts, and what they are and carry, as that changes; administrators only. */
  readonly hosts?: boolean
  /** false: it ends with the last change that there is. */
  readonly follow: boolean
}

/** What a reader gets: changes, and now and then, also where nothing changed, from where to go on. */
export interface ChangePage {
  readonly changes: readonly RecordedChange[]
  readonly next: Cursor
  /** Hosts that are not any more what the reader was told; at first all. Nothing of them is kept: the newest is all there is. */
  readonly hosts?: readonly Host[]
}

/** How long news may wait for a reader. Nothing is kept for readers in memory: each reads the store at its own pace. */
const lookEveryMs = 300
const pageSize = 200
const readersPerProject = 32
const mostTypes = 32

export interface ChangeFeed {
  /** Refusals come with the first page. `events.gone` when what follows the cursor has been removed. */
  read(caller: Caller, watch: ChangeWatch, signal: AbortSignal): AsyncGenerator<ChangePage>
  readers(): number
}

export function changeFeed(store: Pick<Store, 'changes'>, looks: HostLooks): ChangeFeed {
  const readers = new Map<ProjectId, number>()
  return {
    readers: () => [...readers.values()].reduce((sum, count) => sum + count, 0),
    async *read(caller, watch, signal) {
      requireAdminFor(caller, watch.allProjects === true, 'Watching all projects')
      requireAdminFor(caller, watch.hosts === true, 'Watching hosts')
      const query = queryOf(caller, watch)
      const { projectId } = caller
      const others = readers.get(projectId) ?? 0
      if (others >= readersPerProject) throw new Fault('events.busy', { limit: readersPerProject })
      readers.set(projectId, others + 1)
      try {
        for await (const page of pages({ store, looks }, query, watch, signal)) {
          yield caller.isAdmin ? page : { ...page, changes: page.changes.map(forOwner) }
        }
      } finally {
        const left = (readers.get(projectId) ?? 1) - 1
        if (left > 0) readers.set(projectId, left)
        else readers.delete(projectId)
      }
    },
  }
}

async function* pages(
  { store: { changes }, looks }: { readonly store: Pick<Store, 'changes'>; readonly looks: HostLooks },
  query: ChangeQuery,
  { since, last, follow, hosts = false }: ChangeWatch,
  signal: AbortSignal,
): AsyncGenerator<ChangePage> {
  const newOfHosts = hosts && follow ? looks.reader() : null
  const whole = since === '0' && last === undefined
  let cursor = await beginning(changes, query, { since, last })
  yield { changes: [], next: cursor }
  for (let first = true; !signal.aborted; first = false) {
    const page = await changes.after(cursor, query)
    // Asked after the page was read: what was removed meanwhile would be missing in it.
    if (!(first && whole) && (await changes.isGone(cursor))) throw new Fault('events.gone', { cursor })
    const moved = page.next !== cursor
    cursor = page.next
    const told = (await newOfHosts?.()) ?? []
    if (told.length > 0) yield { ...page, hosts: told }
    else if (moved) yield page
    if (page.changes.length === query.limit) continue
    if (!follow) return
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
  }
}

async function beginning(
  changes: Store['changes'],
  query: ChangeQuery,
  { since, last }: Pick<ChangeWatch, 'since'> & { readonly last: number | undefined },
): Promise<Cursor> {
  if (last !== undefined) return changes.before({ ...query, limit: last })
  if (since === 'now') return changes.end()
  return since === '0' ? ('0.0' as Cursor) : (since as Cursor)
}

function queryOf(caller: Caller, { types, objectId, allProjects = false, hosts = false }: ChangeWatch): ChangeQuery {
  checkTypes(types)
  const scope = allProjects ? null : caller.projectId
  return {
    scope,
    types,
    limit: pageSize,
    ...(hosts && { withNobodys: true }),
    ...(objectId !== undefined && { objectId }),
  }
}

/** Throws `request.invalid`. */
export function checkTypes(types: readonly string[]): void {
  if (types.length > mostTypes) throw new Fault('request.invalid', { problem: `At most ${mostTypes} types, please.` })
  const wrong = types.find((type) => !/^([a-z_]+\.)*([a-z_]+|\*)$/.test(type) || type.length > 64)
  if (wrong === undefined) return
  const problem = `${JSON.stringify(wrong.slice(0, 80))} is no type of event; write container.create.end or container.*.`
  throw new Fault('request.invalid', { problem })
}
