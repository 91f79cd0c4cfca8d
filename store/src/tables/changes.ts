import type { Change, ChangeQuery, ChangeTable, Cursor, RecordedChange } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { ProjectId, RequestId, UserId } from '@gantry/model'
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { ChangeRow, Database } from '../database.ts'
import { isPostgres } from '../locks.ts'
import { insertRows } from './many-rows.ts'

/** The mark behind which rows have been removed. */
const pruned = 'pruned'

export function changeTable(db: Kysely<Database>): ChangeTable {
  const order = isPostgres(db) ? byTransaction : byNumber
  const end = async () => {
    const row = await order.newest(db)
    return row ? cursorOf(row) : ((await mark(pruned)) ?? start)
  }
  const mark = async (name: string) => {
    const row = await db.selectFrom('change_marks').select('cursor').where('name', '=', name).executeTakeFirst()
    return row && (row.cursor as Cursor)
  }
  const setMark = async (name: string, cursor: Cursor) => {
    await db
      .insertInto('change_marks')
      .values({ name, cursor })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ cursor }))
      .execute()
  }
  return {
    add: (changes) => insertRows(db, 'changes', changes.map(rowOf)),
    async after(cursor, query) {
      const last = await end()
      const from = await order.known(db, parse(cursor), parse(last))
      const rows = await between(db, order, { from, to: parse(last) }, query).execute()
      const changes = rows.map(fromRow)
      return {
        changes,
        next: changes.length < query.limit ? later(cursorOf(from), last) : (changes.at(-1)?.cursor ?? last),
      }
    },
    async before(query) {
      const to = parse(await end())
      const rows = await between(db, order, { from: parse(start), to }, query)
        .clearOrderBy()
        .orderBy(order.newestFirst)
        .offset(query.limit)
        .limit(1)
        .execute()
      return rows[0] ? cursorOf(rows[0]) : ((await mark(pruned)) ?? start)
    },
    end,
    async isGone(cursor) {
      const behind = await mark(pruned)
      return behind !== undefined && isBefore(cursor, behind)
    },
    async prune({ before, keep, most, readBy }) {
      const newest = await order.newest(db)
      if (!newest) return 0
      const reader = readBy === undefined ? undefined : ((await mark(readBy)) ?? start)
      const isRead = (row: Place) => reader === undefined || !isBefore(reader, cursorOf(row))
      const oldest = db.selectFrom('changes').select(['xid', 'number', 'at']).orderBy(order.columns).limit(most)
      const rows = (await oldest.execute()).filter(
        (row) => row.number <= newest.number - keep || (row.at < before && isRead(row)),
      )
      const last = rows.at(-1)
      if (!last) return 0
      await setMark(pruned, cursorOf(last))
      const { numDeletedRows } = await db
        .deleteFrom('changes')
        .where(order.upTo(parse(cursorOf(last))))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
    mark,
    setMark,
    mend: () => order.mend(db),
  }
}

interface Place {
  readonly xid: number
  readonly number: number
}

const start = '0.0' as Cursor

function cursorOf({ xid, number }: Place): Cursor {
  return `${xid}.${number}` as Cursor
}

/** Throws `request.invalid` for what is no cursor. */
function parse(cursor: Cursor): Place {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor)
  if (!match) throw new Fault('request.invalid', { problem: 'since must be the cursor of an event, "0" or "now".' })
  return { xid: Number(match[1]), number: Number(match[2]) }
}

function isBefore(one: Cursor, other: Cursor): boolean {
  const [a, b] = [parse(one), parse(other)]
  return a.xid === b.xid ? a.number < b.number : a.xid < b.xid
}

function later(one: Cursor, other: Cursor): Cursor {
  return isBefore(one, other) ? other : one
}

/** How each database keeps the order in which transactions became visible. */
interface Order {
  readonly columns: RawBuilder<unknown>
  readonly newestFirst: RawBuilder<unknown>
  after(place: Place): RawBuilder<boolean>
  upTo(place: Place): RawBuilder<boolean>
  newest(db: Kysely<Database>): Promise<Place | undefined>
  /** A place as it is called now, if it was named before the database was restored elsewhere. */
  known(db: Kysely<Database>, place: Place, last: Place): Promise<Place>
  mend(db: Kysely<Database>): Promise<void>
}

const byNumber: Order = {
  columns: sql`number`,
  newestFirst: sql`number desc`,
  after: ({ number }) => sql<boolean>`number > ${number}`,
  upTo: ({ number }) => sql<boolean>`number <= ${number}`,
  newest: (db) => newestOf(db, byNumber.newestFirst, sql`true`),
  known: async (_db, place) => place,
  mend: async () => undefined,
}

const byTransaction: Order = {
  columns: sql`xid, number`,
  newestFirst: sql`xid desc, number desc`,
  after: ({ xid, number }) => sql<boolean>`(xid, number) > (${xid}, ${number})`,
  upTo: ({ xid, number }) => sql<boolean>`(xid, number) <= (${xid}, ${number})`,
  newest: (db) =>
    newestOf(db, byTransaction.newestFirst, sql`xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`),
  async known(db, place, last) {
    if (place.xid <= last.xid) return place
    return place.xid >= (await nextTransaction(db)) ? { ...place, xid: 0 } : place
  },
  // A restored database counts its transactions anew: what came with a count beyond is older than all that it writes itself.
  async mend(db) {
    const next = await nextTransaction(db)
    const { number } = await db
      .selectFrom('changes')
      .select(({ fn }) => fn.max('number').as('number'))
      .where('xid', '>=', next)
      .executeTakeFirstOrThrow()
    if (number === null) return
    await db.updateTable('changes').set({ xid: 0 }).where('number', '<=', number).execute()
    const anew = sql<string>`'0.' || split_part(cursor, '.', 2)`
    await db.updateTable('change_marks').set({ cursor: anew }).execute()
    await db.updateTable('webhooks').set({ cursor: anew }).execute()
  },
}

async function nextTransaction(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ next: string }>`
    select pg_snapshot_xmax(pg_current_snapshot())::text as next
  `.execute(db)
  return Number(rows[0]?.next)
}

async function newestOf(db: Kysely<Database>, order: RawBuilder<unknown>, settled: RawBuilder<unknown>) {
  const { rows } = await sql<Place>`
    select xid, number from changes where ${settled} order by ${order} limit 1
  `.execute(db)
  return rows[0]
}

function between(
  db: Kysely<Database>,
  order: Order,
  { from, to }: { readonly from: Place; readonly to: Place },
  { scope, withNobodys = false, types, objectId, limit }: ChangeQuery,
) {
  let query = db
    .selectFrom('changes')
    .selectAll()
    .where(order.after(from))
    .where(order.upTo(to))
    .orderBy(order.columns)
    .limit(limit)
  if (scope !== null && !withNobodys) query = query.where('project_id', '=', scope)
  if (scope !== null && withNobodys)
    query = query.where((eb) => eb.or([eb('project_id', '=', scope), eb('project_id', 'is', null)]))
  if (objectId !== undefined) query = query.where('object_id', '=', objectId)
  if (types.length === 0) return query
  return query.where((eb) =>
    eb.or(
      types.map((type) => (type.endsWith('*') ? eb('type', 'like', `${type.slice(0, -1)}%`) : eb('type', '=', type))),
    ),
  )
}

function rowOf({ at, projectId, userId, requestId, type, objectId, data }: Change) {
  return {
    at,
    project_id: projectId,
    user_id: userId,
    request_id: requestId,
    type,
    object_id: objectId,
    data: JSON.stringify(data),
  }
}

function fromRow(row: Selectable<ChangeRow>): RecordedChange {
  return {
    number: row.number,
    cursor: cursorOf(row),
    at: row.at,
    projectId: row.project_id as ProjectId | null,
    userId: row.user_id as UserId | null,
    requestId: row.request_id as RequestId | null,
    type: row.type,
    objectId: row.object_id,
    data: JSON.parse(row.data) as RecordedChange['data'],
  }
}
