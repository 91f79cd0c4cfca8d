import { join } from 'node:path'
import type { BlobStore, Log } from '@gantry/control'
import type { Clock } from '@gantry/kernel'
import { type BackupFiles, backupFiles, embeddedBlobs } from '@gantry/providers-embedded'
import { type openPostgres, postgresBackups, postgresBlobs } from '@gantry/store'
import type { ServerOptions } from './options.ts'

export interface KeptContents {
  readonly blobs: BlobStore
  readonly backups: BackupFiles
}

/** Where the bytes of images and backups are: in files of the only server, or in the database that several share. */
export async function keptContents(
  { database, home }: Pick<ServerOptions, 'database' | 'home'>,
  {
    db,
    clock,
    log,
  }: { readonly db: Awaited<ReturnType<typeof openPostgres>>; readonly clock: Clock; readonly log: Log },
): Promise<KeptContents> {
  if (database !== null) return { blobs: postgresBlobs({ db, clock, log }), backups: postgresBackups(db) }
  return {
    blobs: await embeddedBlobs({ folder: join(home, 'images'), clock, log }),
    backups: backupFiles(join(home, 'backups')),
  }
}
