import type { ConsoleTable } from '@gantry/control'
import type { ContainerId, ProjectId, UserId } from '@gantry/model'
import type { Kysely } from 'kysely'
import type { Database } from '../database.ts'

export function consoleTable(db: Kysely<Database>): ConsoleTable {
  return {
    async insert(session, at) {
      await db.deleteFrom('console_sessions').where('expires_at', '<=', at).execute()
      await db
        .insertInto('console_sessions')
        .values({
          token_hash: session.tokenHash,
          container_id: session.containerId,
          project_id: session.projectId,
          user_id: session.userId,
          exec_id: session.execId,
          expires_at: session.expiresAt,
        })
        .execute()
    },
    async redeem(tokenHash, at) {
      const row = await db
        .deleteFrom('console_sessions')
        .where('token_hash', '=', tokenHash)
        .where('expires_at', '>', at)
        .returningAll()
        .executeTakeFirst()
      return (
        row && {
          tokenHash: row.token_hash,
          containerId: row.container_id as ContainerId,
          projectId: row.project_id as ProjectId,
          userId: row.user_id as UserId,
          execId: row.exec_id,
          expiresAt: row.expires_at,
        }
      )
    },
  }
}
