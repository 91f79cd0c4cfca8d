import type { Grant, GrantFilter, GrantTable, GrantTarget } from '@gantry/control'
import type { Expression, ExpressionBuilder, Kysely, SqlBool } from 'kysely'
import type { IdentityDatabase } from './database.ts'

export function grantTable(db: Kysely<IdentityDatabase>): GrantTable {
  return {
    async add(grant) {
      await db
        .insertInto('identity_grant')
        .values(toRow(grant))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async remove(grant) {
      const result = await db
        .deleteFrom('identity_grant')
        .where((eb) => eb.and(toRow(grant)))
        .executeTakeFirst()
      return result.numDeletedRows > 0n
    },
    async has(grant) {
      const query = db
        .selectFrom('identity_grant')
        .select('role_id')
        .where((eb) => eb.and(toRow(grant)))
      return (await query.executeTakeFirst()) !== undefined
    },
    async list(filter) {
      const query = db
        .selectFrom('identity_grant')
        .selectAll()
        .where((eb) => eb.and(toCells(filter)))
      const rows = await query.orderBy('target_id').orderBy('actor_id').orderBy('role_id').execute()
      return rows.map((row) => ({
        actor: { kind: row.actor_kind, id: row.actor_id },
        target: { kind: row.target_kind, id: row.target_id },
        roleId: row.role_id,
      }))
    },
    async rolesOf(userId, target) {
      return db
        .selectFrom('identity_role')
        .selectAll()
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('identity_grant')
            .select('role_id')
            .where('target_kind', '=', target.kind)
            .where('target_id', '=', target.id)
            .where((eb) => isActor(eb, userId)),
        )
        .orderBy('name')
        .execute()
    },
    async targetsOf(userId, kind) {
      const query = db.selectFrom('identity_grant').select('target_id').distinct().where('target_kind', '=', kind)
      const rows = await query.where((eb) => isActor(eb, userId)).execute()
      return rows.map((row) => row.target_id)
    },
  }
}

function toRow(grant: Grant): IdentityDatabase['identity_grant'] {
  return {
    actor_kind: grant.actor.kind,
    actor_id: grant.actor.id,
    target_kind: grant.target.kind,
    target_id: grant.target.id,
    role_id: grant.roleId,
  }
}

function toCells({ userId, groupId, roleId, target }: GrantFilter): Partial<IdentityDatabase['identity_grant']> {
  return {
    ...(userId === undefined ? {} : { actor_kind: 'user', actor_id: userId }),
    ...(groupId === undefined ? {} : { actor_kind: 'group', actor_id: groupId }),
    ...(roleId === undefined ? {} : { role_id: roleId }),
    ...(target === undefined ? {} : targetCells(target)),
  }
}

function targetCells(target: GrantTarget): Pick<IdentityDatabase['identity_grant'], 'target_kind' | 'target_id'> {
  return { target_kind: target.kind, target_id: target.id }
}

/** The grant is the user's own or one of a group the user belongs to. */
function isActor(eb: ExpressionBuilder<IdentityDatabase, 'identity_grant'>, userId: string): Expression<SqlBool> {
  const groups = eb.selectFrom('identity_member').select('group_id').where('user_id', '=', userId)
  return eb.or([
    eb.and([eb('actor_kind', '=', 'user'), eb('actor_id', '=', userId)]),
    eb.and([eb('actor_kind', '=', 'group'), eb('actor_id', 'in', groups)]),
  ])
}
