import type { CertificateTable, ClientCertificate } from '@gantry/control'
import type { ProjectId, UserId } from '@gantry/model'
import type { Kysely } from 'kysely'
import { type Columns, fromRow, number, text } from '../columns.ts'
import type { Database } from '../database.ts'

const columns: Columns<ClientCertificate> = {
  serial: text('serial'),
  userId: text<UserId>('user_id'),
  projectId: text<ProjectId>('project_id'),
  name: text('name'),
  appCredentialId: text('app_credential_id'),
  sealedSecret: text('sealed_secret'),
  createdAt: number('created_at'),
  expiresAt: number('expires_at'),
}

export function certificateTable(db: Kysely<Database>): CertificateTable {
  return {
    async insert(certificate) {
      await db
        .insertInto('docker_certificates')
        .values({
          serial: certificate.serial,
          user_id: certificate.userId,
          project_id: certificate.projectId,
          name: certificate.name,
          app_credential_id: certificate.appCredentialId,
          sealed_secret: certificate.sealedSecret,
          created_at: certificate.createdAt,
          expires_at: certificate.expiresAt,
        })
        .execute()
    },
    async get(serial) {
      const query = db.selectFrom('docker_certificates').selectAll().where('serial', '=', serial)
      const row = await query.executeTakeFirst()
      return row && fromRow(columns, { ...row })
    },
    async list(userId, projectId) {
      const rows = await db
        .selectFrom('docker_certificates')
        .selectAll()
        .where('user_id', '=', userId)
        .where('project_id', '=', projectId)
        .orderBy('created_at')
        .orderBy('serial')
        .execute()
      return rows.map((row) => fromRow(columns, { ...row }))
    },
    async remove(serial) {
      await db.deleteFrom('docker_certificates').where('serial', '=', serial).execute()
    },
    async prune(at) {
      await db.deleteFrom('docker_certificates').where('expires_at', '<', at).execute()
    },
  }
}
