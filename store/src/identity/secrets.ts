import type { MemberTable, PasswordTable, RevocationTable, SigningKeyTable } from '@gantry/control'
import type { Kysely } from 'kysely'
import { fromRow } from '../columns.ts'
import type { IdentityDatabase } from './database.ts'
import { groups, users } from './entities.ts'

export function passwordTable(db: Kysely<IdentityDatabase>): PasswordTable {
  return {
    async get(userId) {
      const query = db.selectFrom('identity_password').select('hash').where('user_id', '=', userId)
      return (await query.executeTakeFirst())?.hash
    },
    async set(userId, hash, at) {
      await db
        .insertInto('identity_password')
        .values({ user_id: userId, hash, changed_at: at })
        .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ hash, changed_at: at }))
        .execute()
    },
  }
}

export function memberTable(db: Kysely<IdentityDatabase>): MemberTable {
  return {
    async add(groupId, userId) {
      await db
        .insertInto('identity_member')
        .values({ group_id: groupId, user_id: userId })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async remove(groupId, userId) {
      const query = db.deleteFrom('identity_member').where('group_id', '=', groupId).where('user_id', '=', userId)
      return (await query.executeTakeFirst()).numDeletedRows > 0n
    },
    async has(groupId, userId) {
      const query = db.selectFrom('identity_member').select('user_id').where('group_id', '=', groupId)
      return (await query.where('user_id', '=', userId).executeTakeFirst()) !== undefined
    },
    async users(groupId) {
      const ids = db.selectFrom('identity_member').select('user_id').where('group_id', '=', groupId)
      const rows = await db.selectFrom('identity_user').selectAll().where('id', 'in', ids).orderBy('id').execute()
      return rows.map((row) => fromRow(users.columns, row))
    },
    async groups(userId) {
      const ids = db.selectFrom('identity_member').select('group_id').where('user_id', '=', userId)
      const rows = await db.selectFrom('identity_group').selectAll().where('id', 'in', ids).orderBy('id').execute()
      return rows.map((row) => fromRow(groups.columns, row))
    },
  }
}

export function revocationTable(db: Kysely<IdentityDatabase>): RevocationTable {
  return {
    async add({ subject, at, until }) {
      await db
        .insertInto('identity_revocation')
        .values({ subject, at, until })
        .onConflict((conflict) =>
          conflict.column('subject').doUpdateSet({ at, until }).where('identity_revocation.at', '<', at),
        )
        .execute()
    },
    async covers(subjects, issuedAt) {
      const query = db.selectFrom('identity_revocation').select('subject').where('subject', 'in', subjects)
      return (await query.where('at', '>=', issuedAt).limit(1).executeTakeFirst()) !== undefined
    },
    async prune(now) {
      await db.deleteFrom('identity_revocation').where('until', '<', now).execute()
    },
  }
}

export function signingKeyTable(db: Kysely<IdentityDatabase>): SigningKeyTable {
  return {
    async list() {
      const query = db.selectFrom('identity_signing_key').selectAll().orderBy('created_at', 'desc').orderBy('id')
      const rows = await query.execute()
      return rows.map(({ id, secret, created_at }) => ({ id, secret, createdAt: created_at }))
    },
    async add({ id, secret, createdAt }) {
      await db.insertInto('identity_signing_key').values({ id, secret, created_at: createdAt }).execute()
    },
    async remove(id) {
      await db.deleteFrom('identity_signing_key').where('id', '=', id).execute()
    },
  }
}
