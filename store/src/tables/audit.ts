import type { AuditMarker, AuditQuery, AuditTable } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { AuditRecord } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import { insertRows } from './many-rows.ts'

/** What one page costs at most, however seldom what is asked for happens. */
const lookedAt = 20_000

export function auditTable(db: Kysely<Database>): AuditTable {
  return {
    add: (records) => insertRows(db, 'audit_records', records.map(rowOf)),
    async page(query) {
      const narrow = pastOf(db, query)
        .select(['at', 'number', 'user_id', 'user_name', 'action', 'outcome'])
        .limit(lookedAt)
      let select = db
        .selectFrom(narrow.as('past'))
        .select(['at', 'number'])
        .orderBy('at', 'desc')
        .orderBy('number', 'desc')
        // One more tells whether there are more.
        .limit(query.limit + 1)
      const { user, action, outcome } = query
      if (user !== undefined)
        select = select.where((eb) => eb.or([eb('user_id', '=', user), eb('user_name', '=', user)]))
      if (outcome !== undefined) select = select.where('outcome', '=', outcome)
      if (action?.endsWith('*') === true) {
        select = select.where(sql<boolean>`substr(action, 1, ${action.length - 1}) = ${action.slice(0, -1)}`)
      } else if (action !== undefined) select = select.where('action', '=', action)
      const found = await select.execute()
      const places = found.slice(0, query.limit)
      const last = found.length > places.length ? places.at(-1) : await lastLookedAt(db, query)
      return { records: await recordsAt(db, places), next: last === undefined ? null : markerOf(last) }
    },
    async prune({ before, keep, most }) {
      const newest = await db
        .selectFrom('audit_records')
        .select(({ fn }) => fn.max('number').as('number'))
        .executeTakeFirst()
      // By number, as they were written: times of several servers are not in quite that order.
      const oldest = db.selectFrom('audit_records').select(['number', 'at']).orderBy('number').limit(most)
      const rows = await oldest.execute()
      const last = rows.findLast(({ number, at }) => at < before || number <= (newest?.number ?? 0) - keep)
      if (!last) return 0
      const { numDeletedRows } = await db
        .deleteFrom('audit_records')
        .where('number', '<=', last.number)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

interface Place {
  readonly at: number
  readonly number: number
}

/** All that one could see, newest first; what the indexes are for. */
function pastOf(db: Kysely<Database>, { scope, since, until, marker }: AuditQuery) {
  let past = db.selectFrom('audit_records').orderBy('at', 'desc').orderBy('number', 'desc')
  if (scope !== null) past = past.where('project_id', '=', scope)
  if (since !== undefined) past = past.where('at', '>=', since)
  if (until !== undefined) past = past.where('at', '<=', until)
  if (marker === undefined) return past
  const { at, number } = placeOf(marker)
  return past.where(sql<boolean>`(at, number) < (${at}, ${number})`)
}

/** undefined: all that there is was looked at. */
async function lastLookedAt(db: Kysely<Database>, query: AuditQuery): Promise<Place | undefined> {
  return pastOf(db, query)
    .select(['at', 'number'])
    .offset(lookedAt - 1)
    .limit(1)
    .executeTakeFirst()
}

async function recordsAt(db: Kysely<Database>, places: readonly Place[]): Promise<AuditRecord[]> {
  if (places.length === 0) return []
  const numbers = places.map(({ number }) => number)
  const rows = await db
    .selectFrom('audit_records')
    .select(['number', 'record'])
    .where('number', 'in', numbers)
    .execute()
  const texts = new Map(rows.map(({ number, record }) => [number, record]))
  // One that was removed between the two is not there any more.
  return numbers.flatMap((number) => {
    const text = texts.get(number)
    return text === undefined ? [] : [JSON.parse(text) as AuditRecord]
  })
}

function markerOf({ at, number }: Place): AuditMarker {
  return `${at}.${number}` as AuditMarker
}

function placeOf(marker: AuditMarker): Place {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(marker)
  if (!match) throw new Fault('request.invalid', { problem: 'marker must be the next of a page of the audit.' })
  return { at: Number(match[1]), number: Number(match[2]) }
}

function rowOf(record: AuditRecord) {
  const { initiator, action, outcome, eventTime } = record
  return {
    at: Date.parse(eventTime),
    project_id: initiator.project_id,
    user_id: initiator.id,
    user_name: initiator.name,
    action,
    outcome,
    record: JSON.stringify(record),
  }
}
