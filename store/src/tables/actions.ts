import type { ActionTable } from '@gantry/control'
import type {
  Action,
  ActionEvent,
  ActionId,
  ActionName,
  ContainerId,
  ProjectId,
  RequestId,
  UserId,
} from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { ActionEventRow, ActionRow, Database } from '../database.ts'
import { givenRows, insertNumbered } from './many-rows.ts'
import { nextSeq } from './next-seq.ts'

export function actionTable(db: Kysely<Database>): ActionTable {
  return {
    async insert(action) {
      await db
        .insertInto('actions')
        .values({ ...toRow(action), seq: nextSeq(db, 'actions') })
        .execute()
    },
    insertMany: (actions) => insertNumbered(db, 'actions', actions.map(toRow)),
    async finishUpTo(containerId, version, at, error) {
      const rows = await db
        .updateTable('actions')
        .set({ finished_at: at, error })
        .where('container_id', '=', containerId)
        .where('wish_version', '<=', version)
        .where('finished_at', 'is', null)
        .returningAll()
        .execute()
      return rows.map(fromRow)
    },
    async finishMany(ends) {
      if (ends.length === 0) return []
      const rows = ends.map(({ containerId, version, at, error }) => ({
        container_id: containerId,
        wish_version: version,
        finished_at: at,
        error,
      }))
      const given = givenRows(db, 'actions', ['container_id', 'wish_version', 'finished_at', 'error'], rows)
      const ended = await sql<ActionRow>`
        update actions set finished_at = given.finished_at, error = given.error from ${given} as given
        where actions.container_id = given.container_id and actions.wish_version <= given.wish_version
          and actions.finished_at is null
        returning ${sql.join(actionColumns.map((column) => sql.ref(`actions.${column}`)))}
      `.execute(db)
      return ended.rows.map(fromRow)
    },
    async finish(id, at, error) {
      const unfinished = db.updateTable('actions').where('finished_at', 'is', null)
      await unfinished.set({ finished_at: at, error }).where('id', '=', id).execute()
    },
    async list(containerId) {
      const rows = await db
        .selectFrom('actions')
        .selectAll()
        .where('container_id', '=', containerId)
        .orderBy('seq', 'desc')
        .limit(maxListed)
        .execute()
      return rows.map(fromRow)
    },
    async byRequest(containerId, requestId) {
      const row = await db
        .selectFrom('actions')
        .selectAll()
        .where('container_id', '=', containerId)
        .where('request_id', '=', requestId)
        .executeTakeFirst()
      return row && fromRow(row)
    },
    async forVersion(containerId, version) {
      const row = await db
        .selectFrom('actions')
        .selectAll()
        .where('container_id', '=', containerId)
        .where('wish_version', '<=', version)
        .orderBy('seq', 'desc')
        .executeTakeFirst()
      return row && fromRow(row)
    },
    async forVersions(wishes) {
      if (wishes.length === 0) return []
      // Most come several times: each step that was taken for one wish.
      const keyOf = ({ containerId, version }: (typeof wishes)[number]) => `${containerId} ${version}`
      const distinct = [...new Map(wishes.map((wish) => [keyOf(wish), wish])).values()]
      const rows = distinct.map(({ containerId, version }, index) => ({
        container_id: containerId,
        wish_version: version,
        started_at: index,
      }))
      const given = givenRows(db, 'actions', ['container_id', 'wish_version', 'started_at'], rows)
      const found = await sql<{ at: number; id: string | null }>`
        select given.started_at as at, (
          select id from actions
          where actions.container_id = given.container_id and actions.wish_version <= given.wish_version
          order by seq desc limit 1
        ) as id from ${given} as given
      `.execute(db)
      const ids = new Map(found.rows.map(({ at, id }) => [at, id]))
      const byKey = new Map(distinct.map((wish, index) => [keyOf(wish), ids.get(index) ?? undefined]))
      return wishes.map((wish) => byKey.get(keyOf(wish)) as ActionId | undefined)
    },
    async get(id) {
      const row = await db.selectFrom('actions').selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async unfinishedCalls() {
      const rows = await db
        .selectFrom('actions')
        .selectAll()
        .where('finished_at', 'is', null)
        .where('wish_version', 'is', null)
        .execute()
      return rows.map(fromRow)
    },
    async addEvent(event) {
      const row = { ...eventRow(event), seq: nextSeq(db, 'action_events') }
      await db.insertInto('action_events').values(row).execute()
    },
    addEvents: (events) => insertNumbered(db, 'action_events', events.map(eventRow)),
    async pruneGone(before, most) {
      const old = await db
        .selectFrom('actions')
        .select('id')
        .where('finished_at', '<', before)
        .where((eb) => {
          const alive = eb.selectFrom('containers').select('containers.id')
          return eb.not(eb.exists(alive.whereRef('containers.id', '=', 'actions.container_id')))
        })
        .limit(most)
        .execute()
      return remove(db, old)
    },
    async pruneLong(since, keep, most) {
      const busy = db.selectFrom('actions').select('container_id').distinct().where('finished_at', '>=', since)
      const long = await db
        .selectFrom('actions')
        .select('container_id')
        .where('container_id', 'in', busy)
        .groupBy('container_id')
        .having((eb) => eb.fn.countAll(), '>', keep)
        .execute()
      let removed = 0
      for (const { container_id } of long) removed += await pruneOne(db, container_id, keep, most)
      return removed
    },
    async events(actionId) {
      const rows = await db
        .selectFrom('action_events')
        .selectAll()
        .where('action_id', '=', actionId)
        .orderBy('seq')
        .execute()
      return rows.map(eventFromRow)
    },
  }
}

const maxListed = 1000

async function pruneOne(db: Kysely<Database>, containerId: string, keep: number, most: number): Promise<number> {
  const ofContainer = db.selectFrom('actions').where('container_id', '=', containerId)
  const newest = ofContainer.select('seq').orderBy('seq', 'desc').limit(1)
  const first = await newest.offset(keep).executeTakeFirst()
  if (!first) return 0
  const old = ofContainer.select('id').where('seq', '<=', first.seq).where('finished_at', 'is not', null)
  return remove(db, await old.orderBy('seq').limit(most).execute())
}

async function remove(db: Kysely<Database>, rows: readonly Pick<ActionRow, 'id'>[]): Promise<number> {
  if (rows.length === 0) return 0
  const ids = rows.map(({ id }) => id)
  await db.deleteFrom('action_events').where('action_id', 'in', ids).execute()
  await db.deleteFrom('actions').where('id', 'in', ids).execute()
  return ids.length
}

const actionColumns = [
  'id',
  'container_id',
  'project_id',
  'user_id',
  'request_id',
  'name',
  'wish_version',
  'started_at',
  'finished_at',
  'error',
] as const satisfies readonly (keyof ActionRow)[]

function toRow(action: Action): Omit<ActionRow, 'seq'> {
  return {
    id: action.id,
    container_id: action.containerId,
    project_id: action.projectId,
    user_id: action.userId,
    request_id: action.requestId,
    name: action.name,
    wish_version: action.wishVersion,
    started_at: action.startedAt,
    finished_at: action.finishedAt,
    error: action.error,
  }
}

function fromRow(row: ActionRow): Action {
  return {
    id: row.id as ActionId,
    containerId: row.container_id as ContainerId,
    projectId: row.project_id as ProjectId,
    userId: row.user_id as UserId,
    requestId: row.request_id as RequestId,
    name: row.name as ActionName,
    wishVersion: row.wish_version,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    error: row.error,
  }
}

function eventRow(event: ActionEvent): Omit<ActionEventRow, 'seq'> {
  return {
    action_id: event.actionId,
    name: event.name,
    started_at: event.startedAt,
    finished_at: event.finishedAt,
    result: event.result,
    detail: event.detail,
  }
}

function eventFromRow(row: ActionEventRow): ActionEvent {
  return {
    actionId: row.action_id as ActionId,
    name: row.name,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    result: row.result as ActionEvent['result'],
    detail: row.detail,
  }
}
