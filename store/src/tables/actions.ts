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
import type { Kysely } from 'kysely'
import type { ActionEventRow, ActionRow, Database } from '../database.ts'
import { nextSeq } from './next-seq.ts'

export function actionTable(db: Kysely<Database>): ActionTable {
  return {
    async insert(action) {
      await db
        .insertInto('actions')
        .values({
          id: action.id,
          seq: nextSeq('actions'),
          container_id: action.containerId,
          project_id: action.projectId,
          user_id: action.userId,
          request_id: action.requestId,
          name: action.name,
          wish_version: action.wishVersion,
          started_at: action.startedAt,
          finished_at: action.finishedAt,
          error: action.error,
        })
        .execute()
    },
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
    async finish(id, at, error) {
      await db.updateTable('actions').set({ finished_at: at, error }).where('id', '=', id).execute()
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
      const row = {
        action_id: event.actionId,
        seq: nextSeq('action_events'),
        name: event.name,
        started_at: event.startedAt,
        finished_at: event.finishedAt,
        result: event.result,
        detail: event.detail,
      }
      await db.insertInto('action_events').values(row).execute()
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
