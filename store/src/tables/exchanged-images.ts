import type { ExchangedImage, ExchangedImageTable } from '@gantry/control'
import type { ImageId, ProjectId } from '@gantry/model'
import type { Insertable, Kysely } from 'kysely'
import { type Columns, fromRow, number, text, toRow } from '../columns.ts'
import type { Database } from '../database.ts'
import type { ExchangedImageRow } from '../image-database.ts'

const columns: Columns<ExchangedImage> = {
  id: text<ImageId>('id'),
  projectId: text<ProjectId>('project_id'),
  origin: text<ExchangedImage['origin']>('origin'),
  state: text<ExchangedImage['state']>('state'),
  name: text('name'),
  hash: text<string | null>('hash'),
  createdAt: number('created_at'),
}

export function exchangedImageTable(db: Kysely<Database>): ExchangedImageTable {
  const rows = () => db.selectFrom('exchanged_images').selectAll().orderBy('created_at').orderBy('id')
  const read = (row: ExchangedImageRow) => fromRow(columns, { ...row })
  return {
    async put(image) {
      const values = toRow(columns, image) as unknown as Insertable<ExchangedImageRow>
      await db
        .insertInto('exchanged_images')
        .values(values)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
        .execute()
    },
    async get(id) {
      const row = await rows().where('id', '=', id).executeTakeFirst()
      return row && read(row)
    },
    async remove(id) {
      await db.deleteFrom('exchanged_images').where('id', '=', id).execute()
    },
    due: async () => (await rows().where('state', '=', 'due').execute()).map(read),
    list: async () => (await rows().execute()).map(read),
  }
}
